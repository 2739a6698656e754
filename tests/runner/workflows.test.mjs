// SPDX-License-Identifier: Apache-2.0
//
// The three workflows of this repository: valid to GitHub's own parser, and played, every job of every matrix at once.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import YAML from 'yaml'
import './json_modules.mjs'
import { canariesCharged, jobsOf, Machine, root, unhurried, WORKFLOWS } from './lib.mjs'

const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser')

const fileOf = name => path.join(root, '.github/workflows', `${name}.yml`)
const PORTS = { 'amd64-ci': '9000', 'arm64-ci': '9001', 'multiarch-ci': '9002' }

for (const name of WORKFLOWS) {
  test(`${name}: GitHub's parser takes it`, async () => {
    const content = fs.readFileSync(fileOf(name), 'utf8')
    const parsed = parseWorkflow({ name: `${name}.yml`, content }, new NoOperationTraceWriter())
    assert.deepEqual(parsed.context.errors.getErrors().map(String), [])
    const template = await convertWorkflowTemplate(parsed.context, parsed.value)
    assert.deepEqual(template.errors ?? [], [])
    assert.equal(YAML.parse(content).env.CACHE_LISTEN_PORT, PORTS[name])
    assert.match(content, /forks get no secrets/)
    // The check itself sees what is wrong.
    const broken = parseWorkflow({ name: 'broken.yml', content: content.replace('steps:', 'stepps:') }, new NoOperationTraceWriter())
    assert.notEqual(broken.context.errors.getErrors().length, 0)
  })
}

function assertClean (played) {
  assert.equal(played.conclusion, 'success', played.log)
  assert.deepEqual(played.leftovers(), [])
  assert.ok(!fs.existsSync(played.state))
  assert.ok(!fs.existsSync(path.join(played.spec.dir, '_temp/ghmesh')), 'the session is still there')
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'NODE_EXTRA_CA_CERTS', 'GHMESH_URL', 'GHMESH_NODE', 'GH_CONFIG_DIR']) assert.equal(played.env[name], '', name)
  for (const name of ['SSL_CERT_FILE', 'GIT_SSL_CAINFO']) assert.doesNotMatch(played.env[name], /ghmesh/)
  assert.match(played.summary, /### GitHub API cache/)
}

// What every job asks: the repository, its labels, its last commits.
const DISTINCT = 3

test('every job of the three workflows at once: GitHub charges them like one', async t => {
  const machine = await new Machine(t).open()
  const jobs = WORKFLOWS.flatMap(name => jobsOf(fileOf(name)))
  assert.equal(jobs.length, 7)
  const { result: played, ...cost } = await machine.standin.cost(() => Promise.all(jobs.map(job => machine.play({ ...job, machine: unhurried(machine) }))))
  for (const one of played) {
    assertClean(one)
    assert.deepEqual(one.warnings, [])
    assert.match(one.log, /^octo-org\/repo-1$/m)
    assert.match(one.log, /stub: make/)
    assert.doesNotMatch(one.log, new RegExp(machine.secret))
    assert.doesNotMatch(one.log, /local cache only/)
    assert.match(one.summary, new RegExp(`requests of this job \\| ${DISTINCT} \\|`))
  }
  const { nodes, charged } = canariesCharged(machine)
  assert.equal(nodes, jobs.length)
  assert.equal(cost.charged - charged, DISTINCT)
})
