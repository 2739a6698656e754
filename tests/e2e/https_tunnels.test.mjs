// SPDX-License-Identifier: Apache-2.0
//
// What passes through a tunnel or straight from one of GitHub's other hosts: long downloads, WebSocket, half-closed
// connections, assets over the unix socket. The far hosts are on this machine (--resolve).

import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import https from 'node:https'
import net from 'node:net'
import path from 'node:path'
import { test } from 'node:test'
import { ProxyAgent } from 'undici'
import { Scratch, newToken, startNode, startStandin } from './lib/processes.mjs'
import { request } from './lib/http.mjs'
import { converse, echo } from './lib/websocket.mjs'

const ASSETS = 'objects.githubusercontent.com' // on the allow-list, like all below that name
const OTHER = 'downloads.test'
const BIG = 48 * 1024 * 1024
const PIECE = crypto.randomBytes(1024 * 1024)
const digestOf = () => { const hash = crypto.createHash('sha256'); for (let i = 0; i < BIG / PIECE.length; ++i) hash.update(PIECE); return hash.digest('hex') }

async function tunnelWorld (t, { args = [] } = {}) {
  const scratch = new Scratch(t)
  const made = await scratch.run(process.env.GHMESH_TEST_CA, [scratch.file('far'), `${ASSETS},${OTHER}`, ASSETS, OTHER])
  assert.equal(made.code, 0, made.stderr)
  const read = name => fs.readFileSync(scratch.file(path.join('far', name)))
  const seen = []
  const far = async name => {
    const server = https.createServer({ cert: read(`${name}.pem`), key: read(`${name}.key`) }, async (req, res) => {
      seen.push({ name, url: req.url, headers: req.headers })
      if (req.url !== '/big') return res.end(`from ${name}`)
      res.setHeader('content-length', BIG)
      for (let i = 0; i < BIG / PIECE.length; ++i) if (!res.write(PIECE)) await new Promise(resolve => res.once('drain', resolve))
      res.end()
    })
    server.on('upgrade', echo)
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    t.after(() => server.closeAllConnections())
    return `${name}:443:127.0.0.1:${server.address().port}`
  }
  const resolve = [await far(ASSETS), await far(OTHER)]
  const token = newToken()
  const standin = await startStandin(scratch, { tokens: { [token]: { login: 'octocat', everything: true } } })
  const node = await startNode(scratch, standin.http, { args: ['--upstream-ca', scratch.file('far/ca.pem'), ...resolve.flatMap(one => ['--resolve', one]), ...args] })
  return { scratch, token, standin, node, seen, ca: scratch.file('far/ca.pem') }
}

const download = (w, url) => w.scratch.run('sh', ['-c', 'curl -sS --max-time 60 --cacert "$0" -x "$1" "$2" | sha256sum', w.ca, w.node.url, url], { timeout: 70_000 })

test('tunnels: long downloads pass whole, from any public host with --connect-policy tunnel', async t => {
  const w = await tunnelWorld(t, { args: ['--connect-policy', 'tunnel'] })
  const got = await Promise.all([ASSETS, OTHER].map(host => download(w, `https://${host}/big`)))
  for (const one of got) assert.equal(one.text, `${digestOf()}  -\n`, one.stderr)
})

test('tunnels: the default leads to GitHub\'s own hosts alone', async t => {
  const w = await tunnelWorld(t)
  assert.equal((await download(w, `https://${ASSETS}/big`)).text, `${digestOf()}  -\n`)
  const other = await w.scratch.run('curl', ['-sS', '--cacert', w.ca, '-x', w.node.url, `https://${OTHER}/`])
  assert.equal(other.code, 56)
  assert.match(other.stderr, /403/)
  assert.ok(w.seen.every(one => one.name === ASSETS))
})

test('tunnels: WebSocket', async t => {
  const w = await tunnelWorld(t, { args: ['--connect-policy', 'tunnel'] })
  const dispatcher = new ProxyAgent({ uri: w.node.url, requestTls: { ca: fs.readFileSync(w.ca) } })
  const got = await converse(`wss://${OTHER}/echo`, dispatcher, ['one', 'two'])
  assert.deepEqual(got, ['one', 'two'])
  await dispatcher.close()
})

test('tunnels: a half-closed end is passed on, and what came early is not lost', async t => {
  const w = await tunnelWorld(t, { args: ['--connect-policy', 'tunnel', '--tunnel-to', '127.0.0.1'] })
  const far = net.createServer({ allowHalfOpen: true }, socket => {
    const pieces = []
    socket.on('data', piece => pieces.push(piece))
    socket.on('end', () => socket.end(`got ${Buffer.concat(pieces)}`))
  })
  await new Promise(resolve => far.listen(0, '127.0.0.1', resolve))
  t.after(() => far.close())
  const at = `127.0.0.1:${far.address().port}`
  const text = await new Promise((resolve, reject) => {
    const socket = net.connect({ port: w.node.port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(`CONNECT ${at} HTTP/1.1\r\nHost: ${at}\r\n\r\nearly`))
    let all = ''
    socket.on('data', piece => { all += piece })
    socket.on('end', () => resolve(all))
    socket.on('error', reject)
  })
  assert.match(text, /^HTTP\/1\.1 200 [^]*\r\n\r\ngot early$/)
})

test('unix socket: an asset of an allow-listed host comes over TLS, without the API\'s credential', async t => {
  const w = await tunnelWorld(t)
  const got = await request(`https://${ASSETS}`, '/asset', { socket: w.node.socket, token: w.token })
  assert.equal(got.status, 200)
  assert.equal(got.text, `from ${ASSETS}`)
  assert.equal(w.seen.length, 1)
  assert.equal(w.seen[0].headers.authorization, undefined)
  const big = await w.scratch.run('sh', ['-c', `curl -sS --unix-socket "$0" http://${ASSETS}/big | sha256sum`, w.node.socket], { timeout: 60_000 })
  assert.equal(big.text, `${digestOf()}  -\n`)
})

test('unix socket: a host whose certificate is not trusted gives 502, not bytes', async t => {
  const w = await tunnelWorld(t)
  const server = https.createServer({ cert: fs.readFileSync(w.scratch.file(`far/${OTHER}.pem`)), key: fs.readFileSync(w.scratch.file(`far/${OTHER}.key`)) }, (req, res) => res.end('stolen'))
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const node = await startNode(w.scratch, w.standin.http, { args: ['--upstream-ca', w.ca, '--resolve', `${ASSETS}:443:127.0.0.1:${server.address().port}`] })
  const got = await request(`https://${ASSETS}`, '/asset', { socket: node.socket })
  assert.equal(got.status, 502)
  assert.match(got.text, /certificate refused: hostname mismatch/)
})
