// SPDX-License-Identifier: Apache-2.0
//
// A reader of server-sent events as the HTML standard describes it: enough of it to see exactly what a node sends.

import http from 'node:http'

export class EventReader {
  constructor (url, { headers = {} } = {}) {
    this.events = []
    this.waiting = []
    this.lastId = ''
    this.ended = new Promise(resolve => { this.onEnd = resolve })
    this.opened = new Promise((resolve, reject) => {
      this.request = http.get(url, { headers: { accept: 'text/event-stream', ...headers } }, answer => {
        resolve(answer)
        answer.setEncoding('utf8')
        let rest = ''
        answer.on('data', piece => {
          rest += piece
          for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) this.#take(rest.slice(0, end))
        })
        answer.on('error', () => {})
        answer.on('close', () => this.onEnd(answer.complete))
      })
      this.request.on('error', reject)
    })
    this.opened.catch(() => {})
  }

  #take (block) {
    const event = { event: 'message', data: '' }
    for (const line of block.split('\n')) {
      const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line)
      if (name === 'id') event.id = this.lastId = value
      else if (name === 'event') event.event = value
      else if (name === 'data') event.data += value
    }
    if (event.data === '') return
    event.json = JSON.parse(event.data)
    this.events.push(event)
    this.waiting = this.waiting.filter(waiter => !waiter(event))
  }

  // The first event, past or to come, that fits.
  until (fits, what = 'an event', timeout = 20_000) {
    const known = this.events.find(fits)
    if (known) return known
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${what} did not come; came: ${JSON.stringify(this.events.slice(-20))}`)), timeout)
      this.waiting.push(event => fits(event) && (clearTimeout(timer), resolve(event), true))
    })
  }

  close () { this.request.destroy() }
}
