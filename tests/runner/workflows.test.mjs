// SPDX-License-Identifier: Apache-2.0
//
// The three workflows of this repository: valid to GitHub's own parser, and played, every job of every matrix at once.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import YAML from 'yaml'
import './json_modules.mjs'
import { BIN, jobsOf, Machine, root, WORKFLOWS } from './lib.mjs'

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

// A test judges what the fleet decides, not how quick this machine is while seven jobs start on it. Each node is asked for
// its metrics before it is stopped.
const PATIENCE = '5s'
function unhurried (machine) {
  const file = machine.scratch.write('bin/ghmesh', `#!/bin/sh
case $1 in
  init) set -- "$@" --wait 60 ;;
  stop) node -e 'const fs = require("fs"); fetch("http://" + JSON.parse(fs.readFileSync(process.env.GHMESH_NODE)).admin + "/metrics").then(answer => answer.text()).then(text => fs.writeFileSync(process.argv[1], text))' "$0.$$.metrics" ;;
esac
exec '${BIN}' "$@"
`)
  fs.chmodSync(file, 0o755)
  return { GHMESH_BIN: file, GHMESH_MESH_PATIENCE: PATIENCE }
}

// A random tag in place of a peer's bytes, one proof in 256, is paid by its node alone.
function canaries (machine) {
  const dir = machine.scratch.file('bin')
  const texts = fs.readdirSync(dir).filter(name => name.endsWith('.metrics')).map(name => fs.readFileSync(path.join(dir, name), 'utf8'))
  return { nodes: texts.length, charged: texts.reduce((sum, text) => sum + Number(/^ghmesh_canaries_charged_total (\d+)$/m.exec(text)[1]), 0) }
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
  const { nodes, charged } = canaries(machine)
  assert.equal(nodes, jobs.length)
  assert.equal(cost.charged - charged, DISTINCT)
})
