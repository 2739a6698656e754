// SPDX-License-Identifier: Apache-2.0
//
// The stand-in's control API (src/standin/control.cpp).

export class Standin {
  constructor (child, { http, https, storage, ca_file: caFile }) {
    Object.assign(this, { child, http, https, storage, caFile })
  }

  async order (name, body = {}) {
    const response = await fetch(`${this.http}/_model/${name}`, { method: 'POST', body: JSON.stringify(body) })
    if (response.status !== 200) throw new Error(`stand-in: ${name} ${JSON.stringify(body)}: ${await response.text()}`)
    return response.json()
  }

  async ask (name) { return (await fetch(`${this.http}/_model/${name}`)).json() }

  token (value, rights) { return this.order('token', { value, ...rights }) }
  // A node asks an origin that is not api.github.com as an Enterprise Server, below /api/v3.
  fault (rule) { return this.order('fault', { ...rule, path: `*${rule.path ?? ''}` }) }
  clearFaults () { return this.order('faults/clear') }
  reset () { return this.order('reset') }
  set (path, body) { return this.order('set', { path, body }) }
  quota (rules) { return this.order('quota', rules) }

  // Sums over all tokens: total, charged, free_304, …
  async counters () { return (await this.ask('counters')).total }
  async log () { return (await this.ask('log')).entries }
  // What a piece of work cost.
  async cost (work) {
    const before = await this.counters()
    const result = await work()
    const after = await this.counters()
    return { result, ...Object.fromEntries(Object.keys(after).map(key => [key, after[key] - before[key]])) }
  }
}
