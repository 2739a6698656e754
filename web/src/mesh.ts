// SPDX-License-Identifier: Apache-2.0
//
// The mesh as a picture and as a table. The picture shows what this node sees: itself in the middle, the members around it,
// a line for each connection (thicker the more went over it), and around each node the part of all keys that it owns.

import type { Mesh, Peer, Stats } from './api'
import { byId, fillTable, setAttribute, setText, show } from './dom'
import { bytes, count, duration, peerName } from './format'

// Beyond that labels, and at last names, would overlap; the table has them all. Of a wide picture, and of a narrow one.
const LABELLED = [8, 4]
const NAMED = [16, 8]
const DRAWN = 120
// How long one that has gone is still drawn.
const FAREWELL = 30_000

const NS = 'http://www.w3.org/2000/svg'
// Since when a member is known to be so.
const gone = new Map<string, number>()
const doubtful = new Map<string, number>()
// So long it is worth asking more often than once a second what becomes of a doubtful one.
const SUSPENSE = 5_000

type Condition = 'alive' | 'doubtful' | 'gone'

// A member whose connection broke is doubtful before anybody is sure.
function condition (peer: Peer): Condition {
  if (peer.state === 'dead' || peer.state === 'left') return 'gone'
  return peer.state === 'suspect' || (peer.direction === '' && peer.role === 'owner') ? 'doubtful' : 'alive'
}

function word (peer: Peer): string {
  if (peer.state === 'left') return 'left'
  if (peer.state === 'dead') return 'gone'
  if (peer.state === 'suspect') return 'no answer'
  return peer.direction === '' ? 'not connected' : 'connected'
}

function svg (parent: SVGElement, name: string, attributes: Record<string, string | number>, text?: string): SVGElement {
  const element = document.createElementNS(NS, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  if (text !== undefined) element.textContent = text
  parent.append(element)
  return element
}

function drawNode (picture: SVGElement, x: number, y: number, radius: number, owned: number, all: number, attributes: Record<string, string>): void {
  const group = svg(picture, 'g', { class: 'peer', ...attributes })
  svg(group, 'circle', { cx: x, cy: y, r: radius, class: 'disc' })
  const around = 2 * Math.PI * (radius + 4)
  svg(group, 'circle', { cx: x, cy: y, r: radius + 4, class: 'ring' })
  if (owned > 0) svg(group, 'circle', { cx: x, cy: y, r: radius + 4, class: 'owned', 'stroke-dasharray': `${around * owned / Math.max(1, all)} ${around}`, transform: `rotate(-90 ${x} ${y})` })
}

function labels (picture: SVGElement, x: number, y: number, lines: string[], below: boolean, radius: number): void {
  const first = below ? y + radius + 20 : y - radius - 12 - 14 * (lines.length - 1)
  lines.forEach((line, i) => svg(picture, 'text', { x, y: first + 14 * i, class: i === 0 ? 'name' : 'small' }, line))
}

function draw (mesh: Mesh, peers: Peer[]): void {
  const picture = byId<SVGSVGElement>('picture')
  picture.replaceChildren()
  // One unit is one pixel, so that text stays readable on a phone.
  const width = Math.max(320, Math.min(760, picture.parentElement!.clientWidth))
  const narrow = width < 520 ? 1 : 0
  const height = narrow ? 420 : 340
  setAttribute(picture, 'viewBox', `0 0 ${width} ${height}`)
  const [cx, cy] = [width / 2, height / 2]
  const all = mesh.partitions + mesh.peers.reduce((sum, peer) => sum + (condition(peer) === 'gone' ? 0 : peer.partitions), 0)
  const named = peers.length <= NAMED[narrow]!
  const labelled = peers.length <= LABELLED[narrow]!
  const radius = labelled ? 15 : named ? 12 : peers.length <= 40 ? 9 : 5
  const places = peers.map((peer, i) => {
    const angle = 2 * Math.PI * i / peers.length - Math.PI / 2 + (peers.length % 2 === 0 ? Math.PI / peers.length : 0)
    // Two rings once one is too full.
    const ring = peers.length > 40 && i % 2 === 1 ? 0.72 : 1
    return { peer, x: cx + (cx - 72) * ring * Math.cos(angle), y: cy + (cy - 62) * ring * Math.sin(angle) }
  })
  for (const { peer, x, y } of places) {
    const traffic = peer.bytes_in + peer.bytes_out
    svg(picture, 'line', { x1: cx, y1: cy, x2: x, y2: y, class: 'link', 'data-state': peer.direction === '' ? 'none' : condition(peer), 'stroke-width': peer.direction === '' ? 1 : 1 + Math.min(5, Math.log10(1 + traffic / 1000)) })
  }
  for (const { peer, x, y } of places) {
    drawNode(picture, x, y, radius, peer.partitions, all, { 'data-peer': peer.peer_id, 'data-state': condition(peer) })
    if (!named) continue
    const state = condition(peer)
    const more = !labelled ? [] : state === 'alive'
      ? [`${peer.direction === '' ? 'not connected' : peer.rtt_ms === null ? 'measuring' : duration(peer.rtt_ms / 1000)} · owns ${peer.partitions}/${all}`, `↓ ${bytes(peer.bytes_in)} ↑ ${bytes(peer.bytes_out)}`]
      : [word(peer)]
    labels(picture, x, y, [peerName(peer.peer_id), ...more], y >= cy, radius)
  }
  drawNode(picture, cx, cy, 20, mesh.partitions, all, { 'data-peer': 'self', 'data-state': 'alive' })
  labels(picture, cx, cy, ['this node', `owns ${mesh.partitions}/${all}`], true, 20)
}

function showMembers (mesh: Mesh, stats: Stats): void {
  const all = mesh.partitions + mesh.peers.reduce((sum, peer) => sum + (condition(peer) === 'gone' ? 0 : peer.partitions), 0)
  const own = [
    { text: mesh.peer_id ? peerName(mesh.peer_id) : '–', className: 'id', title: mesh.peer_id ?? '' },
    { text: 'this node', className: 'state' },
    { text: `${mesh.partitions}/${all}`, className: 'n' },
    { text: '', className: 'n' },
    { text: bytes(stats.bytes_from_peers), className: 'n' },
    { text: bytes(stats.bytes_to_peers), className: 'n' },
    { text: count(stats.requests), className: 'n' },
    { text: count(stats.charged_calls), className: 'n' },
    { text: mesh.addresses[0]?.replace(/\/p2p\/.*/, '') ?? 'cannot be dialled', className: 'id' }
  ]
  fillTable(byId<HTMLTableElement>('members'), [own, ...mesh.peers.map(peer => [
    { text: peerName(peer.peer_id), className: 'id', title: peer.peer_id },
    { text: peer.role === 'owner' ? word(peer) : `${word(peer)}, ${peer.role}`, className: `state ${condition(peer)}` },
    { text: `${peer.partitions}/${all}`, className: 'n' },
    { text: peer.rtt_ms === null ? '–' : duration(peer.rtt_ms / 1000), className: 'n' },
    { text: bytes(peer.bytes_in), className: 'n' },
    { text: bytes(peer.bytes_out), className: 'n' },
    { text: count(peer.requests), className: 'n' },
    { text: count(peer.charged_calls), className: 'n' },
    { text: peer.address.replace(/\/p2p\/.*/, ''), className: 'id' }
  ])])
}

function note (since: Map<string, number>, mesh: Mesh, wanted: Condition, now: number): void {
  const found = new Set(mesh.peers.filter(peer => condition(peer) === wanted).map(peer => peer.peer_id))
  for (const peer of since.keys()) if (!found.has(peer)) since.delete(peer)
  for (const peer of found) if (!since.has(peer)) since.set(peer, now)
}

// Whether something is about to change.
export function showMesh (mesh: Mesh, stats: Stats): boolean {
  const now = Date.now()
  note(gone, mesh, 'gone', now)
  note(doubtful, mesh, 'doubtful', now)
  const seen = mesh.peers.filter(peer => now - (gone.get(peer.peer_id) ?? now) < FAREWELL)
    .sort((a, b) => a.peer_id < b.peer_id ? -1 : 1)
  const alive = mesh.peers.filter(peer => condition(peer) === 'alive').length
  const empty = !mesh.mesh || mesh.peers.length === 0
  show('mesh-body', mesh.mesh && mesh.peers.length > 0)
  show('mesh-empty', empty)
  if (!mesh.mesh) setText('mesh-empty', `No mesh: ${mesh.why_none ?? 'it is off'}. To share answers, give every node the same secret: “ghmesh secret new” makes one, GHMESH_SECRET hands it over.`)
  else if (empty) setText('mesh-empty', `Alone so far. Other nodes with the same secret join through --bootstrap ${mesh.addresses[0] ?? 'ADDRESS'}, a shared --registry directory, or --mdns on.`)
  setText('mesh-note', mesh.mesh ? `${alive + 1} of ${mesh.peers.length + 1} members answer` : '')
  if (!empty) {
    draw(mesh, seen.slice(0, DRAWN))
    showMembers(mesh, stats)
    setAttribute(byId('picture'), 'aria-label', `This node and ${seen.length} others, ${alive} of them connected; the table below has each.`)
  }
  const waiting = mesh.contacts.filter(contact => contact.failures > 0)
  show('contacts-box', waiting.length > 0)
  fillTable(byId<HTMLTableElement>('contacts'), waiting.map(contact => [
    { text: contact.address, className: 'id' }, { text: contact.source }, { text: count(contact.failures), className: 'n' }, { text: contact.error }
  ]))
  return [...doubtful.values()].some(since => now - since < SUSPENSE)
}
