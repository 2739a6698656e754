// SPDX-License-Identifier: Apache-2.0
//
// Nodes that share: real processes on loopback, each with its own store, one GitHub before them all.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSameAnswer, cacheStatus, request } from './lib/http.mjs'
import { canariesCharged, startMesh } from './lib/mesh.mjs'
import { newToken, Scratch, startStandin } from './lib/processes.mjs'

const everything = login => ({ login, everything: true })
const REPO = '/repos/octo-org/repo-1'

test('two nodes: the same token gets the answer, another token gets it by proof, and GitHub charges once', async t => {
  const scratch = new Scratch(t)
  const [alice, bob] = [newToken(), newToken()]
  const standin = await startStandin(scratch, { tokens: { [alice]: everything('alice'), [bob]: everything('bob') } })
  const { nodes: [one, two] } = await startMesh(scratch, standin.http, 2)
  const path = `${REPO}/labels`
  const direct = { [alice]: await request(standin.http, path, { token: alice }), [bob]: await request(standin.http, path, { token: bob }) }

  let canaries = 0
  const { charged, total } = await standin.cost(async () => {
    const first = await request(one.url, path, { token: alice })
    assert.match(cacheStatus(first), /fwd=miss; fwd-status=200; stored/)
    const same = await request(two.url, path, { token: alice })
    assert.equal(cacheStatus(same), 'ghmesh; hit; detail=peer')
    assertSameAnswer(same, direct[alice], { held: true })
    assert.ok(Number(same.headers.age) <= 60)
    const other = await request(two.url, path, { token: bob })
    canaries = await canariesCharged([two])
    assert.equal(cacheStatus(other), canaries === 0 ? 'ghmesh; hit; detail=peer-proof' : 'ghmesh; fwd=miss; fwd-status=200; stored')
    assertSameAnswer(other, direct[bob], { held: true })
    const volatile = `${REPO}/branches`
    await request(one.url, volatile, { token: alice })
    assert.equal(cacheStatus(await request(two.url, volatile, { token: alice })), 'ghmesh; hit; detail=peer-proof')
  })
  assert.equal(charged - canaries, 2)
  // Two fetches, two proofs, and one look whether GitHub tells tags apart.
  assert.equal(total, 5)
  const [a, b] = [await one.stats(), await two.stats()]
  assert.equal(b.peer_hits, 1)
  assert.equal(b.peer_proofs, 2 - canaries)
  assert.equal(b.charged_calls, canaries)
  assert.equal(a.peer_hits, 0)
  assert.equal(a.connected_peers, 1)
  assert.equal(a.peer_id, one.ready.peer_id)
  assert.ok(one.ready.p2p[0].endsWith(`/p2p/${a.peer_id}`))
  assert.ok(b.bytes_from_peers > 0 && a.bytes_to_peers > 0)
  assert.equal(a.fleet.members, 2)
})
