// SPDX-License-Identifier: Apache-2.0
//
// What happened, as sentences, the latest first.

import type { NodeEvent } from './api'
import { byId, make, setAttribute, show } from './dom'
import { count, peerName, time } from './format'

const KEPT = 200

type Weight = 'info' | 'bad' | 'good'

function say (kind: string, event: NodeEvent): [Weight, string] {
  const text = (name: string): string => String(event[name] ?? '')
  const number = (name: string): number => Number(event[name] ?? 0)
  switch (kind) {
    case 'peer': return text('state') === 'joined'
      ? ['good', `${peerName(text('peer'))} joined the mesh`]
      : text('state') === 'left' ? ['info', `${peerName(text('peer'))} left the mesh`] : ['bad', `${peerName(text('peer'))} does not answer any more`]
    case 'breaker': return text('state') === 'tripped'
      ? ['bad', `Breaker tripped: proofs of ${text('class')} resources stopped after ${count(number('mismatches'))} mismatches; again in ${count(number('retry_in_seconds'))} s`]
      : ['good', `Proofs of ${text('class')} resources hold: ${count(number('matches'))} matches`]
    case 'store': return text('state') === 'degraded'
      ? ['bad', 'The disk takes no more writes: full, or failing. The node goes on from memory']
      : [number('io_errors') > 0 ? 'bad' : 'good', `The disk takes writes; ${count(number('io_errors'))} errors so far`]
    case 'quota': return number('remaining') * 2 > number('limit')
      ? ['good', `A new window of ${text('resource')} began: ${count(number('remaining'))} of ${count(number('limit'))} left for ${text('token')}`]
      : [number('remaining') * 5 > number('limit') ? 'info' : 'bad', `Quota ${text('resource')}: ${count(number('remaining'))} of ${count(number('limit'))} left for ${text('token')}, until ${time(number('reset') * 1000)}`]
    case 'node': return [text('state') === 'restarted' ? 'info' : text('state') === 'lost' ? 'bad' : 'good', text('text')]
    default: return ['info', `${kind}: ${JSON.stringify(event)}`]
  }
}

const WORDS: Record<Weight, string> = { info: 'Note', bad: 'Warning', good: 'Good' }

export function showEvent (kind: string, event: NodeEvent): void {
  const list = byId('events')
  const [weight, text] = say(kind, event)
  list.prepend(make('li', { 'data-weight': weight, 'data-kind': kind },
    make('time', { datetime: new Date(event.at).toISOString() }, time(event.at)),
    make('span', { class: 'weight' }, WORDS[weight]), make('span', {}, text)))
  while (list.children.length > KEPT) list.lastElementChild!.remove()
  show('events-empty', false)
}

// What a new page reads at once is not news.
export function announceEvents (): void {
  setAttribute(byId('log'), 'aria-live', 'polite')
}
