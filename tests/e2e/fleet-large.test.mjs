// SPDX-License-Identifier: Apache-2.0
//
// Fifty processes ask the same twenty questions.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Scratch, newToken, startStandin } from './lib/processes.mjs'
import { askAll, askDirectly, filePaths, residentKiB } from './lib/fleet.mjs'
import { eventually, newSecret, startMember } from './lib/mesh.mjs'

const NODES = Number(process.env.GHMESH_FLEET ?? 50)

test(`${NODES} processes, 20 questions each: GitHub charges 20`, { timeout: 600_000 }, async t => {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { args: ['--files', '20'], tokens: { [token]: { login: 'octocat', everything: true } } })
  const [secret, registry] = [newSecret(), scratch.file('registry')]
  const began = performance.now()
  const nodes = []
  // Ten at a time: it is their meeting that is watched, not the machine's process table.
  while (nodes.length < NODES) {
    const batch = Array.from({ length: Math.min(10, NODES - nodes.length) }, () => startMember(scratch, standin.http, { secret, args: ['--registry', registry, '--log-level', 'warn'] }))
    nodes.push(...await Promise.all(batch))
  }
  // Everybody knows everybody and who keeps which keys. Not everybody has a connection to all: only to owners.
  await eventually(async () => {
    for (const view of await Promise.all(nodes.map(node => node.peers()))) {
      const owners = view.peers.filter(peer => peer.state === 'alive' && peer.role === 'owner')
      if (owners.length !== NODES - 1) return `${view.peer_id} knows ${owners.length} of ${NODES - 1}`
      const kept = view.partitions + owners.reduce((sum, peer) => sum + peer.partitions, 0)
      if (kept !== 64) return `${view.peer_id} sees ${kept} partitions kept`
    }
    return ''
  }, 'the fleet did not form', 120_000)
  const met = performance.now()
  const paths = filePaths(20)
  const direct = await askDirectly(standin, paths, token)
  const { charged, total } = await standin.cost(async () => {
    const results = await Promise.all(nodes.map(node => askAll(node, paths, token, direct)))
    assert.equal(results.reduce((sum, result) => sum + result.wrong, 0), 0)
  })
  const resident = nodes.map(node => residentKiB(node.child.pid)).sort((a, b) => a - b)
  t.diagnostic(`met in ${((met - began) / 1000).toFixed(1)} s; asked in ${((performance.now() - met) / 1000).toFixed(1)} s; ${charged} charged, ${total} upstream; RSS ${resident[0]} to ${resident.at(-1)} KiB`)
  assert.equal(charged, 20)
  assert.ok(resident.at(-1) < 200 * 1024, `${resident.at(-1)} KiB resident`)
})
