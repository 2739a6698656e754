// SPDX-License-Identifier: Apache-2.0
//
// The bootstrap script by hand: outside of Actions, inside, and where the program has to be downloaded first.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { BIN, root } from './lib.mjs'
import { Scratch, startStandin } from '../e2e/lib/processes.mjs'

const SCRIPT = path.join(root, '.github/scripts/p2p_peer_bootstrap.sh')
const SHELLS = ['dash', 'bash'].filter(name => process.env.PATH.split(':').some(dir => fs.existsSync(path.join(dir, name))))

// Serves the program as a release page would.
async function release (t, body) {
  const asked = []
  const server = http.createServer((request, response) => { asked.push(request.url); response.end(body) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return { asked, url: `http://127.0.0.1:${server.address().port}/ghmesh-{os}-{arch}`, sha256: createHash('sha256').update(body).digest('hex') }
}

function world (t) {
  const scratch = new Scratch(t)
  const env = { HOME: scratch.file('home'), XDG_RUNTIME_DIR: scratch.dir, GHMESH_UPSTREAM: 'http://127.0.0.1:1', PATH: '/usr/bin:/bin' }
  fs.mkdirSync(env.HOME)
  return { scratch, env, script: (args, more = {}, shell = 'sh') => scratch.run(shell, [SCRIPT, ...args], { env: { ...env, ...more } }) }
}

test('help, and what is no verb', async t => {
  const { script } = world(t)
  for (const args of [[], ['help'], ['--help']]) {
    const got = await script(args)
    assert.equal(got.code, 0)
    for (const verb of ['init', 'stop', 'register', 'discover', 'help']) assert.match(got.text, new RegExp(`^  ${verb} `, 'm'))
  }
  assert.equal((await script(['inti'])).code, 2)
  assert.equal((await script(['register', 'one'])).code, 2)
})

for (const shell of SHELLS) {
  test(`${shell}: init and stop from a plain shell`, async t => {
    const { scratch, env } = world(t)
    const standin = await startStandin(scratch)
    const code = `set -eu
eval "$(${SCRIPT} init --wait 30)"
curl --fail -sS https://api.github.com/repos/octo-org/repo-1 >body
eval "$(${SCRIPT} stop)"
echo "proxy: \${HTTPS_PROXY-unset}"`
    const got = await scratch.run(shell, ['-c', code], { env: { ...env, GHMESH_BIN: BIN, GHMESH_UPSTREAM: standin.http } })
    assert.equal(got.code, 0, got.stderr)
    assert.equal(JSON.parse(fs.readFileSync(scratch.file('body'), 'utf8')).full_name, 'octo-org/repo-1')
    assert.equal(got.text, 'proxy: unset\n')
    assert.match(got.stderr, /1 request, 1 charged/)
    assert.ok(!fs.existsSync(scratch.file('ghmesh')))
  })
}

test('register and discover reach the program', async t => {
  const { scratch, script } = world(t)
  const more = { GHMESH_BIN: BIN, GHMESH_SECRET: randomBytes(32).toString('hex'), GHMESH_REGISTRY: scratch.file('registry'), GHMESH_CACHE_DIR: scratch.file('cache') }
  const found = await script(['discover', '3'], more)
  assert.equal(found.code, 0, found.stderr)
  assert.equal(found.text, '')
  const wrong = await script(['register', 'nobody', '9000', '127.0.0.1'], more)
  assert.notEqual(wrong.code, 0)
  assert.match(wrong.stderr, /register/)
})

test('a release is downloaded once, and run only with its checksum', async t => {
  const { scratch, env, script } = world(t)
  const body = `#!/bin/sh\necho "ran $*"\n`
  const { asked, url, sha256 } = await release(t, body)
  const other = 'f'.repeat(64)
  const more = { GHMESH_RELEASE_URL: url, GHMESH_RELEASE_SHA256: `amd64=${sha256} arm64=${sha256.toUpperCase()}` }
  assert.equal((await script(['init', '--p2p', 'off'], more)).text, 'ran init --p2p off\n')
  assert.equal((await script(['discover'], more)).text, 'ran discover\n')
  assert.equal(asked.length, 1)
  assert.match(asked[0], /^\/ghmesh-linux-(amd64|arm64)$/)
  for (const [bad, why] of [[{ GHMESH_RELEASE_SHA256: other }, /has the SHA-256/], [{ GHMESH_RELEASE_SHA256: '' }, /no SHA-256/], [{ GHMESH_RELEASE_SHA256: 'abc' }, /64 hexadecimal/], [{ GHMESH_RELEASE_URL: 'http://example.org/x' }, /https:/]]) {
    const got = await script(['init'], { ...more, ...bad })
    assert.equal(got.code, 1, got.text)
    assert.match(got.stderr, why)
    assert.equal(got.text, '')
  }
  assert.deepEqual(fs.readdirSync(path.join(env.HOME, '.cache/ghmesh/bin')), [`ghmesh-${sha256}`], 'what was refused is not kept')
  // What somebody has changed since is not run either.
  fs.appendFileSync(path.join(env.HOME, `.cache/ghmesh/bin/ghmesh-${sha256}`), 'echo more\n')
  assert.equal((await script(['init'], more)).text, 'ran init\n')
  assert.equal(scratch.children.length, 0)
})

test('in a job what goes wrong is a warning, unless it is strict', async t => {
  const { scratch, script } = world(t)
  const more = { GITHUB_ENV: scratch.write('env', '') }
  for (const wrong of [{}, { GHMESH_BIN: scratch.file('absent') }, { GHMESH_RELEASE_URL: 'http://127.0.0.1:1/x', GHMESH_RELEASE_SHA256: 'a'.repeat(64) }]) {
    const got = await script(['init'], { ...more, ...wrong })
    assert.equal(got.code, 0)
    assert.match(got.text, /^::warning title=ghmesh::no cache for this job: .*\n$/)
    assert.equal((await script(['init', '--strict'], { ...more, ...wrong })).code, 1)
  }
  assert.equal(fs.readFileSync(more.GITHUB_ENV, 'utf8'), '')
})
