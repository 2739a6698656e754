// SPDX-License-Identifier: Apache-2.0
//
// Answers by kind over time, stacked, from differences of the statistics: exact, whatever the stream of single requests
// leaves out. One point a second, an hour of them. The table beside it says the same in numbers; arrow keys move the second
// that it shows.

import uPlot from 'uplot'
import type { Stats } from './api'
import { byId, fillTable, setAttribute, setText, show } from './dom'
import { count, share, time } from './format'
import { KINDS } from './kinds'

const KEPT = 3600
const HEIGHT = 240

export class AnswersChart {
  private readonly box = byId('chart')
  private readonly times: number[] = []
  private readonly rates: (number | null)[][] = KINDS.map(() => [])
  private last: Stats | undefined
  private lastAt = 0
  private span = 120
  private plot: uPlot | undefined
  private chosen = -1 // index of the second shown; none: the latest

  constructor () {
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', () => this.build())
    new ResizeObserver(() => this.plot?.setSize({ width: this.box.clientWidth, height: HEIGHT })).observe(this.box)
    for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-span]'))
      button.addEventListener('click', () => {
        this.span = Number(button.dataset.span)
        for (const other of document.querySelectorAll('button[data-span]')) setAttribute(other, 'aria-pressed', String(other === button))
        this.draw()
      })
    this.box.addEventListener('keydown', event => this.key(event))
    this.box.addEventListener('blur', () => this.choose(-1))
    this.build()
    this.table()
  }

  // Differences across a gap would be a lie.
  interrupt (): void {
    if (this.last) this.push(Date.now() / 1000, KINDS.map(() => null))
    this.last = undefined
  }

  add (stats: Stats): void {
    const now = Date.now() / 1000
    const before = this.last
    // Two in one batch after a pause of the browser: one point for both.
    if (before && now - this.lastAt < 0.5) return
    if (before) {
      const seconds = now - this.lastAt
      this.push(now, KINDS.map(kind => Math.max(0, kind.of(stats) - kind.of(before)) / seconds))
    }
    this.last = stats
    this.lastAt = now
    this.draw()
    this.table()
    show('answers-empty', stats.requests === 0)
    if (stats.requests === 0) setText('answers-empty', `Nobody has asked this node yet. Try: curl http://${stats.listen_addrs[0] ?? '127.0.0.1:8418'}/rate_limit`)
  }

  private push (at: number, values: (number | null)[]): void {
    this.times.push(at)
    values.forEach((value, i) => this.rates[i]!.push(value))
    if (this.times.length > KEPT) {
      this.times.shift()
      for (const row of this.rates) row.shift()
      if (this.chosen >= 0) --this.chosen
    }
  }

  // Each layer is drawn from the ground up to its top, the highest first.
  private stacked (): uPlot.AlignedData {
    const tops: (number | null)[][] = []
    let below: (number | null)[] = this.times.map(() => 0)
    for (const row of this.rates) {
      below = row.map((value, i) => value === null ? null : value + (below[i] ?? 0))
      tops.push(below)
    }
    return [this.times, ...tops.reverse()] as uPlot.AlignedData
  }

  private build (): void {
    this.plot?.destroy()
    const style = getComputedStyle(document.documentElement)
    const colour = (name: string): string => style.getPropertyValue(name).trim()
    const font = `12px ${style.fontFamily}`
    const axis = { stroke: colour('--muted'), font, ticks: { show: false }, grid: { stroke: colour('--line'), width: 1 } }
    const steps = uPlot.paths.stepped!({ align: -1 })
    const options: uPlot.Options = {
      width: this.box.clientWidth || 600,
      height: HEIGHT,
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { setScale: false, x: false, y: false } },
      scales: {
        x: { time: true, range: () => { const now = this.lastAt || Date.now() / 1000; return [now - this.span, now] } },
        y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.1 : 5] }
      },
      axes: [
        { ...axis, size: 30, space: 90, values: (_plot, at) => at.map(second => time(second * 1000)) },
        { ...axis, size: 48, values: (_plot, at) => at.map(value => count(value)), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000] }
      ],
      series: [{}, ...KINDS.map((kind): uPlot.Series => {
        const fill = colour(`--kind-${kind.id}`)
        return { fill, stroke: fill, width: 0, paths: steps, points: { show: false } }
      }).reverse()],
      hooks: { setCursor: [plot => { if (!this.byKeys) this.choose(plot.cursor.idx ?? -1, true) }] }
    }
    this.plot = new uPlot(options, this.stacked(), this.box)
  }

  private draw (): void {
    this.plot?.setData(this.stacked())
  }

  private byKeys = false

  private key (event: KeyboardEvent): void {
    const end = this.times.length - 1
    const at = this.chosen < 0 ? end : this.chosen
    const first = this.times.findIndex(second => second >= this.lastAt - this.span)
    const to: Record<string, number> = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageUp: at + 10, PageDown: at - 10, Home: first, End: end, Escape: -1 }
    const next = to[event.key]
    if (next === undefined || end < 0) return
    event.preventDefault()
    this.choose(event.key === 'Escape' ? -1 : Math.max(Math.max(first, 0), Math.min(end, next)))
    this.byKeys = true
    const left = this.chosen < 0 ? -10 : this.plot!.valToPos(this.times[this.chosen]!, 'x')
    this.plot!.setCursor({ left, top: this.chosen < 0 ? -10 : 10 }, false)
    this.byKeys = false
  }

  private choose (index: number, byMouse = false): void {
    if (index === this.chosen) return
    // The pointer rests while time goes on: uPlot says so with every redraw.
    if (byMouse && index < 0 && document.activeElement === this.box) return
    this.chosen = index
    this.table()
  }

  private table (): void {
    const at = this.chosen >= 0 ? this.chosen : this.times.length - 1
    const rate = (i: number): number | null | undefined => this.rates[i]![at]
    const total = this.last ? KINDS.reduce((sum, kind) => sum + kind.of(this.last!), 0) : 0
    setText('kinds-at', this.chosen >= 0 ? `at ${time(this.times[at]! * 1000)}` : 'per second')
    fillTable(byId<HTMLTableElement>('kinds'), KINDS.map((kind, i) => {
      const all = this.last ? kind.of(this.last) : undefined
      return [
        { text: kind.label, mark: kind.id, title: kind.note },
        { text: rate(i) == null ? '–' : count(rate(i)), className: 'n' },
        { text: all ? `${count(all)} · ${share(all, total)}` : count(all), className: 'n' }
      ]
    }))
    setAttribute(this.box, 'aria-valuemax', String(Math.max(0, this.times.length - 1)))
    setAttribute(this.box, 'aria-valuenow', String(Math.max(0, at)))
    if (this.chosen >= 0) {
      const said = KINDS.map((kind, i) => [kind.label, Math.round(rate(i) ?? 0)] as const).filter(([, n]) => n > 0).map(([label, n]) => `${n} ${label}`)
      setAttribute(this.box, 'aria-valuetext', `${time(this.times[at]! * 1000)}: ${said.join(', ') || 'nothing asked'}`)
    } else {
      setAttribute(this.box, 'aria-valuetext', 'the latest second')
    }
  }
}
