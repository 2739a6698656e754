// SPDX-License-Identifier: Apache-2.0
//
// The figures that matter: asked, charged, saved. In a mesh those of the whole fleet, with this node's below them.

import type { Stats } from './api'
import { setText } from './dom'
import { bytes, count, peerName, share, span } from './format'

export function showHeadline (stats: Stats): void {
  const fleet = stats.fleet && stats.fleet.members > 1 ? stats.fleet : null
  const shown = fleet ?? stats
  setText('scope', fleet ? `of the fleet, ${fleet.members} nodes` : 'at this node')
  // What clients that ask GitHub themselves would have been charged.
  setText('percent', share(shown.calls_saved, shown.calls_saved + shown.charged_calls))
  setText('asked', count(shown.requests))
  setText('charged', count(shown.charged_calls))
  setText('saved', count(shown.calls_saved))
  const here = (value: number): string => fleet ? `${count(value)} at this node` : '\u00a0'
  setText('asked-here', here(stats.requests))
  setText('charged-here', here(stats.charged_calls))
  setText('saved-here', here(stats.calls_saved))
  setText('node', stats.peer_id ? `node ${peerName(stats.peer_id)}` : `node at ${stats.listen_addrs[0] ?? 'no address'}`)
  setText('uptime', ` · up ${span(stats.uptime_seconds)}`)
  setText('held', `Holds ${count(stats.entries)} answers: ${bytes(stats.memory_bytes)} in memory, ${bytes(stats.disk_bytes)} on disk.`)
  document.title = shown.requests > 0 ? `${share(shown.calls_saved, shown.calls_saved + shown.charged_calls)} saved · ghmesh` : 'ghmesh'
}
