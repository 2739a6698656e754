// SPDX-License-Identifier: Apache-2.0
//
// The stream of events, and what happens when it breaks: it is opened again, first soon, then less and less often. Rare
// events that a new stream repeats are told once.

import type { NodeEvent, Stats } from './api'

const RARE = ['peer', 'breaker', 'store', 'quota']
// Statistics come once a second; a connection that says nothing so long is dead, whatever the browser believes.
const SILENCE = 5000
const FIRST_WAIT = 500
const LONGEST_WAIT = 15000

export interface Listener {
  stats: (stats: Stats) => void
  event: (kind: string, event: NodeEvent) => void
  connected: (restarted: boolean) => void
  // Nothing is known any more; the next attempt is at that time (of Date.now()).
  lost: (next: number) => void
  attempt: () => void
}

export class Live {
  private source: EventSource | undefined
  private boot = ''
  private lastId = 0
  private wait = FIRST_WAIT
  private silence = 0
  private retry = 0

  constructor (private readonly listener: Listener) {
    // A machine that wakes up, or finds its network again, need not wait.
    window.addEventListener('online', () => this.now())
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.now() })
    // Leaving the page is no loss.
    window.addEventListener('pagehide', () => this.source?.close())
    window.addEventListener('pageshow', shown => { if (shown.persisted) this.open() })
    this.open()
  }

  // Tries at once, if it is not connected.
  now (): void {
    if (this.retry) this.open()
  }

  private open (): void {
    clearTimeout(this.retry)
    this.retry = 0
    this.source?.close()
    this.listener.attempt()
    const source = new EventSource(`/api/events?kinds=stats,${RARE.join(',')}`)
    this.source = source
    source.onerror = () => this.broken()
    this.heard()
    source.addEventListener('hello', message => {
      const { boot } = JSON.parse(message.data) as { boot: string }
      const restarted = this.boot !== '' && this.boot !== boot
      if (this.boot !== boot) this.lastId = 0
      this.boot = boot
      this.listener.connected(restarted)
    })
    source.addEventListener('stats', message => {
      this.wait = FIRST_WAIT
      this.heard()
      this.listener.stats(JSON.parse(message.data) as Stats)
    })
    for (const kind of RARE) source.addEventListener(kind, message => {
      this.heard()
      const id = Number(message.lastEventId.slice(message.lastEventId.lastIndexOf('-') + 1))
      if (id <= this.lastId) return
      this.lastId = id
      this.listener.event(kind, JSON.parse(message.data) as NodeEvent)
    })
  }

  private heard (): void {
    clearTimeout(this.silence)
    this.silence = window.setTimeout(() => this.broken(), SILENCE)
  }

  private broken (): void {
    clearTimeout(this.silence)
    clearTimeout(this.retry)
    this.source?.close()
    // Many pages that lost the same node come back one after another.
    const wait = this.wait * (0.8 + 0.4 * Math.random())
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT)
    this.retry = window.setTimeout(() => this.open(), wait)
    this.listener.lost(Date.now() + wait)
  }
}
