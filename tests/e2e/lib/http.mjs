// SPDX-License-Identifier: Apache-2.0
//
// A client that hides nothing: bytes as they came, a connection per request unless an agent is given.

import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import zlib from 'node:zlib'

export function request (base, target, { method = 'GET', token, headers = {}, body, agent = false, socket, timeout = 30_000 } = {}) {
  const { hostname, port, host } = new URL(base)
  const fields = { host, 'user-agent': 'ghmesh-e2e', accept: 'application/vnd.github+json', ...headers }
  if (token) fields.authorization = `Bearer ${token}`
  const at = socket ? { socketPath: socket } : { hostname, port }
  return new Promise((resolve, reject) => {
    const out = http.request({ ...at, method, path: target, headers: fields, agent, timeout }, answer => {
      const pieces = []
      answer.on('data', piece => pieces.push(piece))
      answer.on('error', reject)
      answer.on('end', () => {
        const raw = Buffer.concat(pieces)
        const plain = answer.headers['content-encoding'] === 'gzip' ? zlib.gunzipSync(raw) : raw
        resolve({ status: answer.statusCode, headers: answer.headers, raw, body: plain, text: plain.toString(), json: () => JSON.parse(plain.toString()) })
      })
    })
    out.on('timeout', () => out.destroy(new Error(`no answer to ${target} in ${timeout} ms`)))
    out.on('error', reject)
    out.end(body)
  })
}

// What must reach the client as the origin sent it; what the origin says about a token is never replayed.
const SAME = ['content-type', 'link', 'location', 'x-github-media-type', 'vary', 'cache-control', 'last-modified', 'etag']
const LIVE = ['x-oauth-scopes', 'x-accepted-oauth-scopes']

export function assertSameAnswer (through, direct, { held = false } = {}) {
  assert.equal(through.status, direct.status)
  assert.ok(through.body.equals(direct.body), `bodies differ: ${through.body.length} and ${direct.body.length} octets`)
  for (const name of held ? SAME : [...SAME, ...LIVE]) assert.equal(through.headers[name], direct.headers[name], name)
}

export const cacheStatus = answer => answer.headers['cache-status'] ?? ''

// Octets in, octets out until the other side closes (or `enough` says so).
export function raw (port, bytes, { enough = () => false, timeout = 15_000 } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    const pieces = []
    const timer = setTimeout(() => { socket.destroy(); reject(new Error(`the connection stayed open; got: ${Buffer.concat(pieces).toString('latin1').slice(0, 400)}`)) }, timeout)
    const done = closed => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text: Buffer.concat(pieces).toString('latin1'), closed })
    }
    socket.on('connect', () => socket.write(bytes, 'latin1'))
    socket.on('data', piece => {
      pieces.push(piece)
      if (enough(Buffer.concat(pieces).toString('latin1'))) done(false)
    })
    socket.on('error', error => { if (pieces.length > 0) done(true); else { clearTimeout(timer); reject(error) } })
    socket.on('close', () => done(true))
  })
}
