// SPDX-License-Identifier: Apache-2.0
//
// Puts the page together: the stream of events sets the pace, and with each second of it the page asks for what is too
// large to be told to everybody.

import 'uplot/dist/uPlot.min.css'
import './style.css'
import { showActivity, showProofState } from './activity'
import { get, type Activity, type Mesh, type Stats } from './api'
import { AnswersChart } from './chart'
import { byId, setAttribute, setText, show } from './dom'
import { announceEvents, showEvent } from './events'
import { time } from './format'
import { showHeadline } from './headline'
import { Live } from './live'
import { showMesh } from './mesh'
import { showQuota, showSpenders } from './quota'

const chart = new AnswersChart()
let latest: Stats | undefined
let lastHeard = 0
let lostSince = 0
let nextAttempt = 0
let countdown = 0

// One question of a kind at a time, however slow the node is.
function asker<T> (path: string, use: (value: T, stats: Stats) => void): () => void {
  let asking = false
  return () => {
    if (asking || document.hidden) return
    asking = true
    get<T>(path).then(value => { if (latest) use(value, latest) }, () => {}).finally(() => { asking = false })
  }
}
const askMesh = asker<Mesh>('/api/peers', (mesh, stats) => {
  if (showMesh(mesh, stats)) setTimeout(askMesh, 250)
  showSpenders(mesh, stats)
})
const askActivity = asker<Activity>('/api/activity', showActivity)

function showLink (state: 'live' | 'lost' | 'waiting', text: string): void {
  setAttribute(byId('link'), 'data-state', state)
  setText('link-text', text)
}

function showCountdown (): void {
  const seconds = Math.max(0, Math.ceil((nextAttempt - Date.now()) / 1000))
  setText('banner-when', seconds > 0 ? `Trying again in ${seconds} s.` : 'Trying now.')
}

const live = new Live({
  stats: stats => {
    latest = stats
    lastHeard = Date.now()
    showHeadline(stats)
    showQuota(stats)
    showProofState(stats)
    chart.add(stats)
    askMesh()
    askActivity()
  },
  event: (kind, event) => {
    showEvent(kind, event)
    if (kind === 'peer') askMesh()
  },
  connected: restarted => {
    clearInterval(countdown)
    show('banner', false)
    showLink('live', 'live')
    setTimeout(announceEvents, 1000)
    if (restarted) showEvent('node', { at: Date.now(), state: 'restarted', text: 'The node was restarted; its counters began anew' })
    else if (lostSince) showEvent('node', { at: Date.now(), state: 'back', text: 'Connected to the node again' })
    lostSince = 0
  },
  lost: next => {
    nextAttempt = next
    showLink('lost', 'not connected')
    if (!lostSince) {
      lostSince = Date.now()
      chart.interrupt()
    }
    setText('banner-what', lastHeard ? `The node does not answer. What you see is from ${time(lastHeard)}.` : 'The node does not answer.')
    show('banner', true)
    showCountdown()
    clearInterval(countdown)
    countdown = window.setInterval(showCountdown, 500)
  },
  attempt: () => { if (!lostSince) showLink('waiting', 'connecting') }
})

byId('retry').addEventListener('click', () => live.now())
