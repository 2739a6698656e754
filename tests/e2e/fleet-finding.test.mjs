// SPDX-License-Identifier: Apache-2.0
//
// How nodes find each other: a shared directory, a list, after a restart; who is not believed; what the commands say.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { Scratch, freePort, ghmesh, newToken, startStandin, stop } from './lib/processes.mjs'
import { eventually, newSecret, startMember } from './lib/mesh.mjs'
import { request } from './lib/http.mjs'

const PATH = '/repos/octo-org/repo-1'

async function place (t) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { tokens: { [token]: { login: 'octocat', everything: true } } })
  const registry = scratch.file('registry')
  const secret = newSecret()
  const member = options => startMember(scratch, standin.http, { secret, ...options, args: ['--registry', registry, ...(options?.args ?? [])] })
  return { scratch, standin, token, registry, secret, member }
}

const connected = (node, count) => eventually(async () => {
  const { peers } = await node.peers()
  const now = peers.filter(peer => peer.direction).length
  return now === count ? '' : `${now} connected`
}, `${count} connected peers`)

const records = dir => fs.readdirSync(dir).filter(name => name.startsWith('peer_'))

test('two processes that share a directory meet; discover, peers and verify agree', async t => {
  const p = await place(t)
  const [a, b] = [await p.member({ cacheDir: p.scratch.file('a') }), await p.member({ cacheDir: p.scratch.file('b') })]
  await connected(a, 1)
  await connected(b, 1)
  await eventually(() => records(p.registry).length === 2 ? '' : 'not both registered', 'two records')
  assert.deepEqual(records(p.registry).sort(), [a, b].map(node => `peer_${node.ready.peer_id}.json`).sort())

  const env = { GHMESH_SECRET: p.secret, GHMESH_CACHE_DIR: p.scratch.file('c'), GHMESH_REGISTRY: p.registry }
  const found = await ghmesh(p.scratch, ['discover', '--json'], { env })
  assert.deepEqual(JSON.parse(found.text).map(record => record.peer_id).sort(), [a, b].map(node => node.ready.peer_id).sort())
  const one = await ghmesh(p.scratch, ['discover', '1'], { env })
  assert.match(one.text, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3\w+\n$/)
  // From b's own directories the only other one is a.
  const other = await ghmesh(p.scratch, ['discover'], { env: { ...env, GHMESH_CACHE_DIR: p.scratch.file('b') } })
  assert.match(other.text, new RegExp(`/p2p/${a.ready.peer_id}\n$`))
  assert.equal(other.text.split('\n').length, 2)

  const peers = await ghmesh(p.scratch, ['peers', '--ready-file', a.readyFile])
  assert.equal(peers.code, 0, peers.stderr)
  assert.match(peers.text, new RegExp(b.ready.peer_id))

  const verified = await ghmesh(p.scratch, ['verify', '--json', '--ready-file', a.readyFile], { env: { GH_TOKEN: p.token } })
  const { ok, checks } = JSON.parse(verified.text)
  assert.equal(verified.code, 0, verified.text)
  assert.ok(ok)
  for (const name of ['admin', 'listener', 'quota', 'identity', 'p2p', 'registry', 'peers', 'probe']) {
    assert.ok(checks.some(check => check.name === name && check.ok), `${name} in ${verified.text}`)
  }

  await b.stop()
  assert.deepEqual(records(p.registry), [`peer_${a.ready.peer_id}.json`], 'who leaves takes its record along')
  await connected(a, 0)
  const alone = await ghmesh(p.scratch, ['verify', '--ready-file', a.readyFile], { env: { GH_TOKEN: p.token } })
  assert.equal(alone.code, 1)
  assert.match(alone.text, /FAILED +peers/)
})

test('a peer that was killed and comes back elsewhere is found again', async t => {
  const p = await place(t)
  const cacheDir = p.scratch.file('b')
  const a = await p.member()
  let b = await p.member({ cacheDir })
  await connected(a, 1)
  const { peer_id: before } = b.ready
  await stop(b.child, 'SIGKILL')
  assert.equal(records(p.registry).length, 2, 'the dead say no goodbye')
  b = await p.member({ cacheDir })
  assert.equal(b.ready.peer_id, before, 'one identity')
  await connected(a, 1)
  await connected(b, 1)
})

test('another mesh in the same directory is not met, and a forged record is not believed', async t => {
  const p = await place(t)
  const a = await p.member()
  const stranger = await startMember(p.scratch, p.standin.http, { secret: newSecret(), args: ['--registry', p.registry] })
  await eventually(() => records(p.registry).length === 2 ? '' : 'not both registered', 'two records')
  // A record that names the stranger as a member of a's mesh: right in form, signed by nobody.
  const own = JSON.parse(fs.readFileSync(`${p.registry}/peer_${a.ready.peer_id}.json`))
  const theirs = JSON.parse(fs.readFileSync(`${p.registry}/peer_${stranger.ready.peer_id}.json`))
  fs.writeFileSync(`${p.registry}/peer_${stranger.ready.peer_id}.json`, JSON.stringify({ ...theirs, mesh_id: own.mesh_id }))
  fs.writeFileSync(`${p.registry}/peer_junk.json`, '{'.repeat(5000))
  const c = await p.member()
  await connected(c, 1)
  await connected(a, 1)
  const view = await c.peers()
  assert.ok(view.peers.every(peer => peer.peer_id !== stranger.ready.peer_id))
  const env = { GHMESH_SECRET: p.secret, GHMESH_CACHE_DIR: p.scratch.file('d'), GHMESH_REGISTRY: p.registry }
  const found = await ghmesh(p.scratch, ['discover'], { env })
  assert.match(found.stderr, /2 broken or forged|1 of others, 1 broken or forged/)
  assert.ok(!found.text.includes(stranger.ready.peer_id))
})

test('a bootstrap peer that comes later is met; one that holds another secret is not', async t => {
  const p = await place(t)
  const port = await freePort()
  const a = await startMember(p.scratch, p.standin.http, { secret: p.secret, contacts: [`/ip4/127.0.0.1/tcp/${port}`], args: ['--registry', p.scratch.file('nobody')] })
  await eventually(() => a.log().includes('bootstrap peer not reached') ? '' : 'silent', 'the first failure is said')
  assert.equal((await request(a.url, PATH, { token: p.token })).status, 200)
  const b = await startMember(p.scratch, p.standin.http, { secret: p.secret, listen: `/ip4/127.0.0.1/tcp/${port}`, args: ['--registry', p.scratch.file('elsewhere')] })
  await connected(a, 1)
  await connected(b, 1)
  const stranger = await startMember(p.scratch, p.standin.http, { secret: newSecret(), contacts: [b.ready.p2p[0]], args: ['--registry', p.scratch.file('third')] })
  await eventually(() => stranger.log().includes('peer not admitted') ? '' : 'silent', 'the refusal')
  assert.equal((await stranger.peers()).peers.length, 0)
  assert.equal((await request(stranger.url, PATH, { token: p.token })).status, 200, 'it works as a local cache')
})

test('without a secret there is no mesh, and everybody says why', async t => {
  const p = await place(t)
  const a = await startMember(p.scratch, p.standin.http, { args: ['--registry', p.registry] })
  assert.equal((await request(a.url, PATH, { token: p.token })).status, 200)
  const verified = await ghmesh(p.scratch, ['verify', '--ready-file', a.readyFile], { env: { GH_TOKEN: p.token } })
  assert.equal(verified.code, 1)
  assert.match(verified.text, /FAILED +mesh .*GHMESH_SECRET/)
  assert.match((await ghmesh(p.scratch, ['peers', '--ready-file', a.readyFile])).text, /^no mesh: .*GHMESH_SECRET/)
  assert.equal(a.log().match(/local cache only/g).length, 1, 'said once')
})
