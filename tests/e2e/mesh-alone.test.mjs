// SPDX-License-Identifier: Apache-2.0
//
// A node that has no mesh is a local cache, says so once, and nothing else changes.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import { test } from 'node:test'
import { cacheStatus, request } from './lib/http.mjs'
import { eventually, formed, newSecret, startMember, startMesh } from './lib/mesh.mjs'
import { ghmesh, newJobToken, newToken, Scratch, startNode, startStandin } from './lib/processes.mjs'

const everything = { login: 'octocat', everything: true }
const PATH = '/repos/octo-org/repo-1/issues/1'

async function stage (t) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { tokens: { [token]: everything } })
  return { scratch, token, standin }
}

async function isLocalCache (node, token, why) {
  assert.equal(node.ready.peer_id, null)
  assert.deepEqual(node.ready.p2p, [])
  assert.match(cacheStatus(await request(node.url, PATH, { token })), /fwd=miss/)
  assert.equal(cacheStatus(await request(node.url, PATH, { token })), 'ghmesh; hit; detail=memory')
  const stats = await node.stats()
  assert.equal(stats.connected_peers, 0)
  assert.equal(stats.fleet, null)
  const view = await node.peers()
  assert.equal(view.mesh, false)
  assert.match(view.why_none, why)
}

const saidOnce = (node, what) => assert.equal(node.log().split('\n').filter(line => line.includes('local cache only') && what.test(line)).length, 1, node.log())

test('without a secret, with a job\'s own token, with --p2p off, with a port taken: a local cache', async t => {
  const { scratch, token, standin } = await stage(t)
  const none = await startMember(scratch, standin.http, {})
  await isLocalCache(none, token, /GHMESH_SECRET/)
  saidOnce(none, /no mesh secret/)

  const job = await startMember(scratch, standin.http, { env: { GITHUB_TOKEN: newJobToken() } })
  await isLocalCache(job, token, /one job only/)
  saidOnce(job, /GHMESH_SECRET/)

  const off = await startNode(scratch, standin.http, { env: { GHMESH_SECRET: newSecret() } })
  await isLocalCache(off, token, /--p2p off/)
  assert.ok(!off.log().includes('local cache only'), 'what was asked for needs no saying')

  const taken = net.createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  t.after(() => taken.close())
  const late = await startMember(scratch, standin.http, { secret: newSecret(), listen: `/ip4/127.0.0.1/tcp/${taken.address().port}` })
  await isLocalCache(late, token, /--p2p-listen/)
  saidOnce(late, /in use/)

  const alone = await startMember(scratch, standin.http, { secret: newSecret(), contacts: ['/ip4/127.0.0.1/tcp/1'] })
  assert.match(cacheStatus(await request(alone.url, PATH, { token })), /fwd=miss/)
  assert.equal(cacheStatus(await request(alone.url, PATH, { token })), 'ghmesh; hit; detail=memory')
})

test('a secret that can be guessed stops the start, and the message has the fix, not the secret', async t => {
  const { scratch, standin } = await stage(t)
  const run = await ghmesh(scratch, ['serve', '--upstream', standin.http, '--listen', '127.0.0.1:0', '--admin', 'off', '--cache-dir', 'none', '--p2p-listen', '/ip4/127.0.0.1/tcp/0'], { env: { GHMESH_SECRET: 'correct horse' } })
  assert.equal(run.code, 1)
  assert.match(run.stderr, /GHMESH_SECRET.*ghmesh secret new/s)
  assert.ok(!run.stderr.includes('correct') && !run.stderr.includes('horse'))
})

test('two meshes on one machine do not meet', async t => {
  const { scratch, token, standin } = await stage(t)
  const ours = await startMember(scratch, standin.http, { secret: newSecret() })
  const theirs = await startMember(scratch, standin.http, { secret: newSecret(), contacts: [ours.ready.p2p[0]] })
  await eventually(() => /peer not admitted/.test(theirs.log()) ? '' : 'nobody was refused', 'the stranger')
  await request(ours.url, PATH, { token })
  assert.match(cacheStatus(await request(theirs.url, PATH, { token })), /fwd=miss/)
  assert.equal((await ours.stats()).connected_peers, 0)
})

test('the identity survives a restart, and the node is found again', async t => {
  const { scratch, token, standin } = await stage(t)
  const secret = newSecret()
  const { nodes: [first] } = await startMesh(scratch, standin.http, 1, { secret })
  const cacheDir = scratch.file('cache')
  let second = await startMember(scratch, standin.http, { secret, contacts: [first.ready.p2p[0]], cacheDir })
  await formed([first, second])
  const id = second.ready.peer_id
  assert.equal(fs.statSync(`${cacheDir}/identity.key`).mode & 0o777, 0o600)
  second.child.kill('SIGKILL')
  await second.child.exited
  await request(first.url, PATH, { token })
  second = await startMember(scratch, standin.http, { secret, contacts: [first.ready.p2p[0]], cacheDir })
  assert.equal(second.ready.peer_id, id)
  await formed([first, second])
  assert.equal(cacheStatus(await request(second.url, PATH, { token })), 'ghmesh; hit; detail=peer')
})

test('a secret is rotated by SIGHUP while clients go on', async t => {
  const { scratch, token, standin } = await stage(t)
  const [old, next] = [newSecret(), newSecret()]
  const file = scratch.write('secret', `${old}\n`)
  const { nodes } = await startMesh(scratch, standin.http, 2, { secret: '', args: ['--secret-file', file] })
  let going = true
  const lost = []
  const clients = nodes.map(async node => {
    for (let i = 1; going; i = i % 20 + 1) {
      const answer = await request(node.url, `/repos/octo-org/repo-1/issues/${i}`, { token }).catch(error => ({ status: error.message }))
      if (answer.status !== 200) lost.push(answer.status)
    }
  })
  for (const text of [`${old} ${next}`, `${next} ${old}`, next]) {
    fs.writeFileSync(file, `${text}\n`)
    for (const [i, node] of nodes.entries()) {
      const before = node.log().split('secret read again').length
      node.child.kill('SIGHUP')
      await eventually(() => node.log().split('secret read again').length > before ? '' : 'not yet', `node ${i} reads the secret`)
    }
  }
  // A file that cannot be used leaves the node as it was.
  fs.writeFileSync(file, 'passphrase\n')
  nodes[0].child.kill('SIGHUP')
  await eventually(() => nodes[0].log().includes('the secret stays as it was') ? '' : 'not yet', 'the refusal')
  going = false
  await Promise.all(clients)
  assert.deepEqual(lost, [])
  await formed(nodes)
  fs.writeFileSync(file, `${next}\n`)
  const third = await startMember(scratch, standin.http, { secret: next, contacts: [nodes[0].ready.p2p[0]] })
  await formed([...nodes, third])
  await request(nodes[0].url, '/repos/octo-org/repo-1/labels', { token })
  assert.equal(cacheStatus(await request(third.url, '/repos/octo-org/repo-1/labels', { token })), 'ghmesh; hit; detail=peer')
})
