// SPDX-License-Identifier: Apache-2.0
//
// The action: its bundle is what its sources give, its metadata is valid and mirrors the flags, and a job that uses it
// gets what it promises.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { validateAction } from '@action-validator/core'
import YAML from 'yaml'
import { newJobToken } from '../e2e/lib/processes.mjs'
import { BIN, Machine, REPOSITORY, root } from './lib.mjs'

const action = path.join(root, 'action')

function workflow (machine, steps, name = 'uses') {
  return machine.scratch.write(`workflows/${name}.yml`, YAML.stringify({ name: 'uses', on: 'push', jobs: { build: { 'runs-on': 'ubuntu-latest', steps } } }))
}
const play = (machine, steps, more = {}) => machine.play({ workflow: workflow(machine, steps), job: 'build', actions: { 'octo-org/ghmesh': root }, ...more })

const ASK = { name: 'ask', run: 'curl --fail -sS https://api.github.com/repos/octo-org/repo-1 -H "Authorization: Bearer $T" | head -c 20; echo; gh api repos/octo-org/repo-1 --jq .full_name', env: { T: '${{ github.token }}', GH_TOKEN: '${{ github.token }}' } }

test('the committed bundle is what the sources give', t => {
  const out = fs.mkdtempSync(path.join(process.env.TMPDIR ?? '/tmp', 'ghmesh-dist-'))
  t.after(() => fs.rmSync(out, { recursive: true }))
  execFileSync(process.execPath, [path.join(action, 'build.mjs'), out])
  for (const name of ['main.cjs', 'post.cjs']) assert.ok(fs.readFileSync(path.join(out, name)).equals(fs.readFileSync(path.join(action, 'dist', name))), `dist/${name} is out of date; run: make action`)
})

test('the sources are sound to the compiler', () => {
  execFileSync(path.join(action, 'node_modules/.bin/tsc'), ['--noEmit', '-p', action], { encoding: 'utf8' })
})

test('the inputs mirror the flags of init', () => {
  execFileSync(process.execPath, [path.join(action, 'inputs.mjs'), BIN, '--check'], { encoding: 'utf8' })
})

test('the metadata is valid', () => {
  for (const file of [path.join(action, 'action.yml'), path.join(root, 'action.yml')]) {
    const text = fs.readFileSync(file, 'utf8')
    // The validator is older than node24.
    assert.match(text, /using: node24/)
    assert.deepEqual(validateAction(text.replace('node24', 'node20')).errors, [])
    assert.notDeepEqual(validateAction(text.replace('main:', 'mian:')).errors, [])
    const { runs } = YAML.parse(text)
    for (const script of [runs.main, runs.post]) assert.ok(fs.existsSync(path.join(path.dirname(file), script)), script)
  }
})

// The step that README tells its readers to add.
function documentedStep () {
  const [, yaml] = /```yaml\n(- uses: OWNER\/ghmesh@v1[^]*?)```/.exec(fs.readFileSync(path.join(root, 'README.md'), 'utf8'))
  const [step] = YAML.parse(yaml.replace('OWNER', 'octo-org'))
  return step
}

test('one step, and every later one uses the node; the post step ends it', async t => {
  const machine = await new Machine(t).open()
  const step = documentedStep()
  const played = await play(machine, [
    { ...step, id: 'cache', with: { ...step.with, wait: 30, 'p2p-listen': '/ip4/127.0.0.1/tcp/0' } },
    ASK,
    { name: 'outputs', run: 'echo "url ${{ steps.cache.outputs.url }} $GHMESH_URL"; echo "socket ${{ steps.cache.outputs.socket }}"; test -S "${{ steps.cache.outputs.socket }}"' }
  ])
  assert.equal(played.conclusion, 'success', played.log)
  assert.match(played.log, /url (http:\/\/127\.0\.0\.1:\d+) \1/)
  assert.match(played.log, /^octo-org\/repo-1$/m)
  assert.match(played.log, /## Post octo-org\/ghmesh@v1\nghmesh: 2 requests/)
  assert.match(played.summary, /requests of this job \| 2 \|[^]*```mermaid\npie/)
  assert.doesNotMatch(played.log, new RegExp(machine.secret))
  assert.deepEqual(played.leftovers(), [])
  assert.deepEqual(played.left.filter(name => name.includes('ghmesh')), [])
  assert.deepEqual(played.warnings, [])
})

test('the node knows what the jobs of its repository have left before its own has asked', async t => {
  const machine = await new Machine(t).open()
  const step = documentedStep()
  step.with = { ...step.with, wait: 30, 'p2p-listen': '/ip4/127.0.0.1/tcp/0' }
  const done = machine.scratch.file('done')
  step.with.registry = machine.scratch.file('peers')
  const job = async () => {
    const token = newJobToken()
    await machine.standin.token(token, { job: REPOSITORY })
    return { actions: { 'octo-org/ghmesh': root }, job: 'build', token }
  }
  const first = await machine.start({
    ...await job(),
    workflow: workflow(machine, [step, ASK, { run: `for i in $(seq 600); do test -e ${done} && exit 0; sleep 0.1; done; exit 1` }], 'first')
  })
  // Any question would be GitHub's to count, so this one only looks.
  const look = `for i in $(seq 100); do "$GHMESH_BIN" quota --json | grep -q '"limit": *1000' && break; sleep 0.1; done; "$GHMESH_BIN" quota; echo "later: \${GITHUB_TOKEN-none}"; touch ${done}`
  const second = await machine.play({ ...await job(), workflow: workflow(machine, [step, { run: look }]) })
  const played = await first.wait()
  assert.equal(played.conclusion, 'success', played.log)
  assert.equal(second.conclusion, 'success', second.log)
  assert.match(second.log, /core +1000 +99\d /)
  assert.match(second.log, /later: none/)
  assert.match(second.log, /ghmesh: 0 requests/)
})

test('a job that fails is cleaned up after, too', async t => {
  const machine = await new Machine(t).open()
  const played = await play(machine, [{ uses: 'octo-org/ghmesh@v1', with: { wait: 30 } }, { run: 'exit 3' }, ASK])
  assert.equal(played.conclusion, 'failure')
  assert.deepEqual(played.steps.map(step => step.code), [0, 3, 0])
  assert.deepEqual(played.leftovers(), [])
})

test('no program, no node, bad settings: a warning and a job without a cache; strict fails', async t => {
  const machine = await new Machine(t).open()
  const plain = { name: 'goes on', run: 'echo "proxy: ${HTTPS_PROXY-none}"' }
  for (const inputs of [{ binary: '/nowhere/ghmesh' }, { 'memory-max': 'much' }, { binary: '/bin/false' }]) {
    const played = await play(machine, [{ uses: 'octo-org/ghmesh@v1', with: inputs }, plain])
    assert.equal(played.conclusion, 'success', played.log)
    assert.match(played.log, /proxy: none/)
    assert.equal(played.warnings.filter(text => text.includes('no cache for this job')).length, 1, played.log)
    const strict = await play(machine, [{ uses: 'octo-org/ghmesh@v1', with: { ...inputs, strict: true } }, plain])
    assert.equal(strict.conclusion, 'failure')
  }
})

test('a release is downloaded, checked and kept', async t => {
  const machine = await new Machine(t).open()
  let downloads = 0
  const server = http.createServer((request, response) => { ++downloads; fs.createReadStream(BIN).pipe(response) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${server.address().port}/{os}-{arch}`
  const sum = createHash('sha256').update(fs.readFileSync(BIN)).digest('hex')
  const step = sha256 => ({ uses: 'octo-org/ghmesh@v1', with: { wait: 30, 'release-url': url, 'release-sha256': sha256 } })
  const without = { machine: { GHMESH_BIN: '' } }
  const good = await play(machine, [step(`amd64=${sum} arm64=${sum}`), ASK, step(sum), ASK], without)
  assert.equal(good.conclusion, 'success', good.log)
  assert.equal(downloads, 1)
  assert.deepEqual(good.leftovers(), [])
  const bad = await play(machine, [step('f'.repeat(64))], without)
  assert.match(bad.warnings.join(), /has the SHA-256/)
  assert.deepEqual(bad.leftovers(), [])
})
