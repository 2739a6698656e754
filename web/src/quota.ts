// SPDX-License-Identifier: Apache-2.0
//
// A bar for each token and resource: what this node spent, what other members and others spent, what is left, and when it begins anew.

import type { Mesh, Quota, Stats } from './api'
import { byId, fillTable, make, setAttribute, setText, show } from './dom'
import { count, peerName, share, span, time } from './format'

// What a person reads; job tokens come and go by the hundred.
const SHOWN = 12

function outlook (row: Quota, now: number): string {
  if (row.reset <= now) return 'The window has ended; the next answer tells of the new one.'
  if (row.remaining <= 0) return 'Nothing is left.'
  if (row.empty_at !== null && row.empty_at < row.reset) return `At this pace empty at ${time(row.empty_at * 1000)}.`
  if (row.forecast_remaining === null) return 'Too little was seen to say how long it will last.'
  return `At this pace ${count(Math.max(0, row.forecast_remaining))} will be left.`
}

function build (): HTMLLIElement {
  const bar = make('div', { class: 'meter', role: 'meter', 'aria-valuemin': '0' }, make('i', { class: 'here' }), make('i', { class: 'others' }))
  return make('li', {},
    make('p', { class: 'quota-name' }, make('strong'), ' ', make('code'), make('span', { class: 'reset' })),
    bar,
    make('p', { class: 'quota-text' }, make('span', { class: 'left' }), make('span', { class: 'spent' }), make('span', { class: 'outlook' })))
}

function fill (item: HTMLLIElement, row: Quota, now: number): void {
  const one = (selector: string): HTMLElement => item.querySelector(selector)!
  const limit = Math.max(1, row.limit)
  const here = Math.min(row.spent_by_this_node, row.used)
  const others = Math.max(0, row.used - here)
  item.dataset.low = String(row.remaining <= row.limit / 5)
  setText(one('strong'), row.resource)
  setText(one('code'), row.token)
  setText(one('.reset'), row.reset > now ? `resets in ${span(row.reset - now)}` : 'reset')
  one('.here').style.width = `${100 * here / limit}%`
  one('.others').style.width = `${100 * others / limit}%`
  const meter = one('.meter')
  setAttribute(meter, 'aria-label', `${row.resource}, token ${row.token}: used`)
  setAttribute(meter, 'aria-valuemax', String(row.limit))
  setAttribute(meter, 'aria-valuenow', String(Math.min(row.used, row.limit)))
  setText(one('.left'), `${count(row.remaining)} of ${count(row.limit)} left`)
  const members = Math.min(row.spent_by_members, others)
  setText(one('.spent'), `spent: ${count(here)} by this node, ${members > 0 ? `${count(members)} by other members, ` : ''}${count(others - members)} by others`)
  setText(one('.outlook'), outlook(row, now))
}

export function showQuota (stats: Stats): void {
  const now = Date.now() / 1000
  const list = byId('quota')
  const rows = stats.quota.filter(row => row.limit > 0)
    .sort((a, b) => a.remaining / a.limit - b.remaining / b.limit || a.resource.localeCompare(b.resource) || a.token.localeCompare(b.token))
  const shown = rows.slice(0, SHOWN)
  while (list.children.length > shown.length) list.lastElementChild!.remove()
  shown.forEach((row, at) => {
    const item = (list.children[at] ?? list.appendChild(build())) as HTMLLIElement
    fill(item, row, now)
  })
  show('quota-empty', rows.length === 0 || rows.length > SHOWN)
  if (rows.length > SHOWN) setText('quota-empty', `And ${count(rows.length - SHOWN)} more, all with more left: /api/quota has them.`)
  else setText('quota-empty', 'No answer of GitHub has told of a quota yet. The first one through this node does.')
}

// Who spent it, of the members that tell.
export function showSpenders (mesh: Mesh, stats: Stats): void {
  const rows = mesh.peers.filter(peer => peer.charged_calls !== null).map(peer => ({ name: peerName(peer.peer_id), charged: peer.charged_calls! }))
  show('spenders-box', mesh.mesh && rows.length > 0)
  rows.push({ name: 'this node', charged: stats.charged_calls })
  rows.sort((a, b) => b.charged - a.charged)
  const all = rows.reduce((sum, row) => sum + row.charged, 0)
  fillTable(byId<HTMLTableElement>('spenders'), rows.map(row => [
    { text: row.name, className: row.name === 'this node' ? 'here' : 'id' },
    { text: count(row.charged), className: 'n' },
    { text: share(row.charged, all), bar: all ? row.charged / all : 0, className: 'wide' }
  ]))
}
