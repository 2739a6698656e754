// SPDX-License-Identifier: Apache-2.0
//
// The first rows of the mesh's failure table, with real processes and kill -9.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheStatus, request } from './lib/http.mjs'
import { Scratch, newToken, startNode, startStandin, stop } from './lib/processes.mjs'
import { askAll, askDirectly, askedGithub, filePaths, pathKeptElsewhere } from './lib/fleet.mjs'
import { eventually, startMember, startMesh } from './lib/mesh.mjs'

// Of five nodes, one path in ten is kept by the two that do not ask: among so many there is one.
const CHOICE = 300

async function fleet (t, count) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { args: ['--files', `${CHOICE}`], tokens: { [token]: { login: 'octocat', everything: true } } })
  const { nodes, secret } = await startMesh(scratch, standin.http, count)
  return { scratch, standin, token, nodes, secret, paths: filePaths(40), choice: filePaths(CHOICE) }
}
const kill = node => stop(node.child, 'SIGKILL')

// The stand-in answers that path this much later.
const SLOW_MS = 500
const slowly = (standin, path) => standin.fault({ path, delay_ms: SLOW_MS })

test('the owner is dead when it is asked: the next in rank answers, and nothing more is charged', async t => {
  const { standin, token, nodes, choice } = await fleet(t, 4)
  const [asker, fetcher] = nodes
  const { path, ranks } = await pathKeptElsewhere(nodes, choice, token, [asker, fetcher])
  const direct = await request(standin.http, path, { token })
  const { charged } = await standin.cost(async () => {
    await request(fetcher.url, path, { token })
    await kill(ranks[0])
    const began = performance.now()
    const answer = await request(asker.url, path, { token })
    const took = performance.now() - began
    assert.equal(cacheStatus(answer), 'ghmesh; hit; detail=peer')
    assert.ok(answer.body.equals(direct.body))
    assert.ok(took < 1000, `${took} ms`)
  })
  assert.equal(charged, 1)
})

test('the owner dies during a lease: who waits goes to the next in rank, which knows of the lease', async t => {
  const { standin, token, nodes, choice } = await fleet(t, 4)
  const [waiter, fetcher] = nodes
  const { path, ranks } = await pathKeptElsewhere(nodes, choice, token, [waiter, fetcher])
  const direct = await request(standin.http, path, { token })
  const before = (await standin.log()).length
  await slowly(standin, path)
  const { charged, result } = await standin.cost(async () => {
    const first = request(fetcher.url, path, { token })
    await askedGithub(standin, path, 1)
    const second = request(waiter.url, path, { token })
    await kill(ranks[0])
    return Promise.all([first, second])
  })
  for (const answer of result) assert.ok(answer.body.equals(direct.body))
  assert.equal(charged, 1, JSON.stringify((await standin.log()).slice(before)))
})

test('the fetcher dies: the next one fetches, once', async t => {
  const { standin, token, nodes, choice } = await fleet(t, 4)
  const [waiter, fetcher, third] = nodes
  const { path } = await pathKeptElsewhere(nodes, choice, token, [waiter, fetcher])
  const direct = await request(standin.http, path, { token })
  await slowly(standin, path)
  const { charged, result } = await standin.cost(async () => {
    const first = request(fetcher.url, path, { token }).catch(() => null)
    await askedGithub(standin, path, 1)
    const others = [waiter, third].map(node => request(node.url, path, { token }))
    await kill(fetcher)
    await first
    return Promise.all(others)
  })
  for (const answer of result) assert.ok(answer.body.equals(direct.body))
  // What the dead one asked for is paid and lost.
  assert.equal(charged, 2)
})

test('owner and fetcher die: one more charge, and no second', async t => {
  const { standin, token, nodes, choice } = await fleet(t, 5)
  const [waiter, fetcher, third] = nodes
  const { path, ranks } = await pathKeptElsewhere(nodes, choice, token, [waiter, fetcher, third])
  const direct = await request(standin.http, path, { token })
  await slowly(standin, path)
  const { charged, result } = await standin.cost(async () => {
    const first = request(fetcher.url, path, { token }).catch(() => null)
    await askedGithub(standin, path, 1)
    const others = [waiter, third].map(node => request(node.url, path, { token }))
    await Promise.all([kill(fetcher), kill(ranks[0])])
    await first
    return Promise.all(others)
  })
  for (const answer of result) assert.ok(answer.body.equals(direct.body))
  // What the dead one asked for is paid and lost.
  assert.equal(charged, 2)
})

async function timed (action) {
  const began = performance.now()
  await action()
  return performance.now() - began
}

test('all peers die: every answer is right, and soon as quick as without a mesh', async t => {
  const { scratch, standin, token, nodes, paths } = await fleet(t, 4)
  const [last, ...others] = nodes
  const direct = await askDirectly(standin, paths, token)
  await askAll(others[0], paths.slice(0, 10), token)
  await Promise.all(others.map(kill))
  const { charged, result: took } = await standin.cost(() => timed(async () => assert.equal((await askAll(last, paths, token, direct)).wrong, 0)))
  // Waiting for those who are gone would take 600 ms a question.
  const plain = await startNode(scratch, standin.http)
  const without = await timed(() => askAll(plain, paths, token))
  t.diagnostic(`${took.toFixed()} ms for ${paths.length} questions, ${without.toFixed()} ms by a node without a mesh`)
  assert.ok(took < 4 * without + paths.length * 50, `${took} ms, without a mesh ${without} ms`)
  assert.ok(charged <= paths.length, `${charged} charged`)
  assert.equal((await last.stats()).connected_peers, 0)
})

test('a late runner: what the fleet holds costs it nothing', async t => {
  const { scratch, standin, token, nodes, secret, paths } = await fleet(t, 3)
  await askAll(nodes[0], paths, token)
  const direct = await askDirectly(standin, paths, token)
  const late = await startMember(scratch, standin.http, { secret, contacts: [nodes[1].ready.p2p[0]] })
  await eventually(async () => (await late.peers()).peers.some(peer => peer.direction) ? '' : 'alone', 'a first connection')
  const { charged } = await standin.cost(async () => {
    assert.equal((await askAll(late, paths, token, direct)).wrong, 0)
  })
  assert.equal(charged, 0)
})
