// SPDX-License-Identifier: Apache-2.0
//
// What an onlooker between the nodes can read: nothing.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CANARY, Scratch, freePort, newToken, startStandin } from './lib/processes.mjs'
import { askAll, askDirectly, filePaths, recorder } from './lib/fleet.mjs'
import { formed, newSecret, startMember } from './lib/mesh.mjs'

// Pieces of a body long enough not to occur by chance.
function fragments (body) {
  const out = []
  for (let at = 0; at + 24 <= body.length && out.length < 50; at += Math.max(24, Math.floor(body.length / 50))) out.push(body.subarray(at, at + 24))
  return out
}

test('A5: traffic between nodes holds no path, owner, repository, token or piece of a body', async t => {
  const scratch = new Scratch(t)
  const [alice, bob] = [newToken(), newToken()]
  const standin = await startStandin(scratch, { tokens: { [alice]: { login: 'alice', everything: true }, [bob]: { login: 'bob', everything: true } } })
  const secret = newSecret()
  const nodes = []
  const relays = []
  for (let i = 0; i < 3; ++i) {
    // Everything that others dial goes through a relay that keeps it.
    const port = await freePort()
    const relay = await recorder(port)
    t.after(() => relay.close())
    relays.push(relay)
    nodes.push(await startMember(scratch, standin.http, {
      secret, listen: `/ip4/127.0.0.1/tcp/${port}`, contacts: nodes.slice(0, 1).map(node => node.ready.p2p[0]), args: ['--announce', `/ip4/127.0.0.1/tcp/${relay.port}`]
    }))
  }
  await formed(nodes)
  const paths = [...filePaths(10), '/repos/octo-org/repo-1', '/repos/octo-org/repo-1/issues', '/repos/octo-org/repo-1/labels']
  const direct = await askDirectly(standin, paths, alice)
  for (const [node, token] of [[nodes[0], alice], [nodes[1], alice], [nodes[2], bob]]) assert.equal((await askAll(node, paths, token, direct)).wrong, 0)
  const peerAnswers = (await Promise.all(nodes.map(node => node.stats()))).reduce((sum, stats) => sum + stats.peer_hits + stats.peer_proofs, 0)
  assert.ok(peerAnswers >= paths.length, `${peerAnswers} answers came from peers`)

  const wire = Buffer.concat(relays.map(relay => relay.bytes()))
  const bodies = [...direct.values()].reduce((sum, body) => sum + body.length, 0)
  assert.ok(wire.length > bodies / 20, `${wire.length} octets were seen for ${bodies} of bodies`)
  const lower = Buffer.from(wire.toString('latin1').toLowerCase(), 'latin1')
  for (const word of ['octo-org', 'repo-1', '/repos/', 'contents/data', 'file-', 'bearer', 'authorization', CANARY, secret, alice, bob, 'api.github.com', 'full_name', '"sha"']) {
    assert.ok(!lower.includes(word.toLowerCase()), `${word} is on the wire`)
  }
  for (const body of direct.values()) {
    for (const piece of fragments(body)) assert.ok(!wire.includes(piece), 'a piece of a body is on the wire')
  }
})
