// SPDX-License-Identifier: Apache-2.0
//
// Where time and quota went: classes of resources, the slowest and costliest requests, and what can be proved.

import type { Activity, Stats } from './api'
import { byId, fillTable, setAttribute, setText, show } from './dom'
import { count, duration, share, time } from './format'

const ELSEWHERE = 'Shown only to a browser on the node’s own machine: paths may name private repositories.'

const CLASS_NOTES: Record<string, string> = {
  immutable: 'addressed by its content, kept for ever',
  volatile: 'runs, checks, refs: always proved',
  default: 'kept as long as GitHub allows'
}

const PROOF_NOTES: Record<string, string> = {
  off: 'Answers are not shared between tokens. --proof on lets GitHub prove them.',
  learning: 'The node is still learning GitHub’s tags; it proves answers once enough of them have matched.',
  proven: 'GitHub proves held answers with a 304 that costs no quota.',
  tripped: 'Some tags did not match, so answers of those kinds are fetched again, charged. The node tries again by itself.'
}

// The smallest bound that so much of all answers stayed within.
function within (activity: Activity, counts: number[], part: number): string {
  const all = counts.reduce((sum, n) => sum + n, 0)
  if (all === 0) return '–'
  let sum = 0
  for (let i = 0; i < counts.length; ++i) {
    sum += counts[i]!
    if (sum >= all * part) {
      const bound = activity.latency_bounds[i]
      return bound === undefined ? `> ${duration(activity.latency_bounds.at(-1))}` : duration(bound)
    }
  }
  return '–'
}

function showClasses (activity: Activity): void {
  const rows = [...activity.classes].sort((a, b) => b.requests - a.requests)
  show('classes-empty', rows.length === 0)
  setText('classes-empty', rows.length === 0 ? 'Nothing was asked yet.' : '')
  fillTable(byId<HTMLTableElement>('classes'), rows.map(row => [
    { text: row.class, title: CLASS_NOTES[row.class] ?? '' },
    { text: count(row.requests), className: 'n' },
    { text: share(row.hit_rate, 1), bar: row.hit_rate, className: 'wide' },
    { text: count(row.charged_calls), className: 'n' },
    { text: count(row.calls_saved), className: 'n' },
    { text: row.requests ? duration(row.latency.sum / row.requests) : '–', className: 'n' },
    { text: within(activity, row.latency.counts, 0.95), className: 'n' }
  ]))
}

function showRequests (activity: Activity): void {
  const { slowest, costliest } = activity
  show('slowest-empty', !slowest?.length)
  setText('slowest-empty', slowest ? 'Nothing was asked in the last hour.' : ELSEWHERE)
  fillTable(byId<HTMLTableElement>('slowest'), (slowest ?? []).map(row => [
    { text: duration(row.seconds), className: 'n' },
    { text: `${row.method} ${row.path}`, className: 'path' },
    { text: row.answer.replace('_', ' ') },
    { text: String(row.status), className: 'n' },
    { text: time(row.at), className: 'n' }
  ]))
  const charged = costliest?.filter(row => row.charged_calls > 0)
  show('costliest-empty', !charged?.length)
  setText('costliest-empty', costliest ? 'GitHub has charged nothing yet.' : ELSEWHERE)
  fillTable(byId<HTMLTableElement>('costliest'), (charged ?? []).map(row => [
    { text: row.charged_error > 0 ? `${count(row.charged_calls - row.charged_error)}–${count(row.charged_calls)}` : count(row.charged_calls), className: 'n' },
    { text: `${row.method} ${row.path}`, className: 'path' },
    { text: row.class },
    { text: count(row.upstream_requests), className: 'n' }
  ]))
  for (const [id, rows] of [['slowest', slowest], ['costliest', charged]] as const) byId<HTMLTableElement>(id).hidden = !rows?.length
  byId<HTMLTableElement>('classes').hidden = activity.classes.length === 0
}

export function showActivity (activity: Activity): void {
  showClasses(activity)
  showRequests(activity)
  show('proofs-box', activity.proofs.length > 0)
  fillTable(byId<HTMLTableElement>('proofs'), activity.proofs.map(row => [
    { text: row.class },
    { text: row.state === 'tripped' ? `tripped, again in ${duration(row.retry_in_seconds)}` : row.state, className: `state ${row.state === 'tripped' ? 'doubtful' : ''}` },
    { text: count(row.matches), className: 'n' },
    { text: count(row.mismatches), className: 'n' },
    { text: row.media_type, className: 'id' },
    { text: row.host, className: 'id' }
  ]))
}

export function showProofState (stats: Stats): void {
  setText('proof-word', stats.proof_state)
  setAttribute(byId('proof-word'), 'data-state', stats.proof_state)
  setText('proof-why', PROOF_NOTES[stats.proof_state] ?? '')
}
