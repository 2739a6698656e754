// SPDX-License-Identifier: Apache-2.0
//
// Several nodes of one mesh on loopback, each a process of its own.

import crypto from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { startNode } from './processes.mjs'

const PATIENCE = 30_000
// A test judges what a fleet decides, not how quick this machine is: with the usual 50 ms, a node that the machine left
// waiting asks GitHub itself, as it should, and pays a second time.
export const MESH_PATIENCE = '2s'

export const newSecret = () => crypto.randomBytes(32).toString('hex')

// Looks until it holds; the last look's complaint is the error.
export async function eventually (look, what, patience = PATIENCE) {
  const until = Date.now() + patience
  for (;;) {
    const missing = await look()
    if (!missing) return
    if (Date.now() > until) throw new Error(`${what}: ${missing}`)
    await sleep(50)
  }
}

export async function metric (node, name) {
  const text = await (await fetch(`http://${node.admin}/metrics`)).text()
  return Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))[1])
}

// One in 256 of a peer's bytes gives way to a random tag, which shows that GitHub tells tags apart, and is paid: whoever
// says what several tokens are charged takes these off. With one token and answers that are fresh there is nothing to prove.
export const canariesCharged = async nodes => (await Promise.all(nodes.map(node => metric(node, 'ghmesh_canaries_charged_total')))).reduce((a, b) => a + b)

export function startMember (scratch, upstream, { secret, contacts = [], args = [], env = {}, listen = '/ip4/127.0.0.1/tcp/0', patience = MESH_PATIENCE, ...more }) {
  const p2p = ['--p2p', 'on', '--mdns', 'off', '--mesh-patience', patience, '--p2p-listen', listen, ...contacts.flatMap(address => ['--bootstrap', address])]
  return startNode(scratch, upstream, { ...more, args, p2p, env: { ...(secret ? { GHMESH_SECRET: secret } : {}), ...env } })
}

// Every node knows every other, is connected to the owners, and all agree on who owns what.
export async function formed (nodes) {
  await eventually(async () => {
    const views = await Promise.all(nodes.map(node => node.peers()))
    for (const view of views) {
      const alive = view.peers.filter(peer => peer.state === 'alive')
      if (alive.length !== nodes.length - 1) return `${view.peer_id} sees ${alive.length} of ${nodes.length - 1}`
      if (alive.some(peer => !peer.direction)) return `${view.peer_id} is not connected to all`
      if (alive.some(peer => peer.role !== 'owner')) return `${view.peer_id} knows some that own nothing yet`
      const all = view.partitions + alive.reduce((sum, peer) => sum + peer.partitions, 0)
      if (all !== 64) return `${view.peer_id} sees ${all} partitions owned`
    }
    const own = views.reduce((sum, view) => sum + view.partitions, 0)
    return own === 64 ? '' : `${own} partitions are owned by somebody`
  }, 'the mesh did not form')
}

export async function startMesh (scratch, upstream, count, { secret = newSecret(), ...more } = {}) {
  const nodes = [await startMember(scratch, upstream, { secret, ...more })]
  const contacts = [nodes[0].ready.p2p[0]]
  while (nodes.length < count) nodes.push(await startMember(scratch, upstream, { secret, contacts, ...more }))
  await formed(nodes)
  return { nodes, secret, contacts }
}
