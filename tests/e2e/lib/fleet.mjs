// SPDX-License-Identifier: Apache-2.0
//
// Looking at a mesh from outside: who keeps a key, who asked GitHub, what went over the wire.

import fs from 'node:fs'
import net from 'node:net'
import { request } from './http.mjs'
import { eventually } from './mesh.mjs'

// The nodes that keep a path's entry, first the one that is asked first, as node sees it.
export async function holders (nodes, node, path, token) {
  const response = await fetch(`http://${node.ready.admin}/api/explain?target=${encodeURIComponent(path)}`, { headers: { authorization: `Bearer ${token}` } })
  const { holders } = await response.json()
  return holders.split(', ').map(name => name === 'this node' ? node : nodes.find(each => each.ready.peer_id === name))
}

// A path of these whose first two holders are neither of `not`.
export async function pathKeptElsewhere (nodes, paths, token, not) {
  for (const path of paths) {
    const ranks = await holders(nodes, nodes[0], path, token)
    if (!not.includes(ranks[0]) && !not.includes(ranks[1])) return { path, ranks }
  }
  throw new Error('every path is kept by one of those who ask')
}

export const residentKiB = pid => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1])

// Resolves once GitHub has been asked for that path more than `before` times.
export const askedGithub = (standin, path, before = 0) => eventually(async () => {
  const asked = (await standin.log()).filter(entry => entry.target.split('?')[0].endsWith(path)).length
  return asked > before ? '' : `${asked} requests`
}, `GitHub being asked for ${path}`)

// What GitHub charged more than once, each with its requests: which one was too many, and how long after the first.
export async function chargedTwice (standin) {
  const requests = new Map()
  for (const entry of await standin.log()) {
    if (entry.charged) requests.set(entry.target, [...requests.get(entry.target) ?? [], entry])
  }
  return [...requests.values()].filter(entries => entries.length > 1)
}

// Repository files: bodies of their own, one object each, never proved by another's.
export const filePaths = (count, repository = 'octo-org/repo-1') => Array.from({ length: count }, (_, i) => `/repos/${repository}/contents/data/file-${i}.txt`)

export async function askAll (node, paths, token, expected) {
  let wrong = 0
  const details = {}
  for (const path of paths) {
    const answer = await request(node.url, path, { token })
    if (answer.status !== 200 || (expected && !answer.body.equals(expected.get(path)))) ++wrong
    const status = answer.headers['cache-status'] ?? ''
    details[status] = (details[status] ?? 0) + 1
  }
  return { wrong, details }
}

export async function askDirectly (standin, paths, token) {
  const bodies = new Map()
  for (const path of paths) bodies.set(path, (await request(standin.http, path, { token })).body)
  return bodies
}

// A TCP relay before one port that keeps every octet of both directions.
export function recorder (target) {
  const pieces = []
  const server = net.createServer(client => {
    const onward = net.connect(target, '127.0.0.1')
    for (const [from, to] of [[client, onward], [onward, client]]) {
      from.on('data', piece => { pieces.push(piece); to.write(piece) })
      from.on('end', () => to.end())
      from.on('error', () => to.destroy())
    }
  })
  return new Promise((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => resolve({
      port: server.address().port,
      bytes: () => Buffer.concat(pieces),
      close: () => server.close()
    }))
  })
}
