// SPDX-License-Identifier: Apache-2.0
//
// A node's life: ready, drained, restarted with a warm disk, killed in the middle of writing, one per cache directory.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { test } from 'node:test'
import { filesUnder, runNode, startNode, stop, world } from './lib/processes.mjs'
import { assertSameAnswer, cacheStatus, raw, request } from './lib/http.mjs'

const CYCLES = Number(process.env.GHMESH_CYCLES ?? 20)
const FILE = '/repos/octo-org/repo-1/contents/data/file-8.txt'

// A download whose first octets have come; done resolves with the whole body.
function begin (base, target, token) {
  return new Promise((resolve, reject) => {
    const { port } = new URL(base)
    http.get({ port, host: '127.0.0.1', path: target, agent: false, headers: { 'user-agent': 'e2e', authorization: `Bearer ${token}`, accept: 'application/vnd.github.raw' } }, answer => {
      const pieces = []
      const done = new Promise((resolve, reject) => {
        answer.on('end', () => resolve(Buffer.concat(pieces)))
        answer.on('error', reject)
        answer.on('aborted', () => reject(new Error('broken off')))
      })
      done.catch(() => {})
      answer.once('data', () => resolve({ done, answer }))
      answer.on('data', piece => pieces.push(piece))
    }).on('error', reject)
  })
}

test('SIGTERM: what is in flight is finished, nothing new is taken, exit status 0', async t => {
  const w = await world(t)
  const whole = await request(w.standin.http, FILE, { token: w.token, headers: { accept: 'application/vnd.github.raw' } })
  await w.standin.fault({ path: FILE, slow_chunk: 8192, slow_gap_ms: 50 })
  const download = await begin(w.node.url, FILE, w.token)
  const idle = new http.Agent({ keepAlive: true })
  t.after(() => idle.destroy())
  await request(w.node.url, '/repos/octo-org/repo-1', { token: w.token, agent: idle })
  w.node.child.kill('SIGTERM')
  assert.ok((await download.done).equals(whole.body))
  const { code } = await w.node.child.exited
  assert.equal(code, 0)
  assert.ok(!fs.existsSync(w.node.readyFile), 'the ready file of a node that has gone')
  await assert.rejects(request(w.node.url, '/repos/octo-org/repo-1', { token: w.token }), /ECONNREFUSED/)
})

// A tool call that fetches `path`, on a session of its own; resolves with its outcome.
async function callTool (node, path, token) {
  const base = `http://${node.admin}`
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const order = (id, method, params) => JSON.stringify({ jsonrpc: '2.0', id, method, params })
  const begun = await request(base, '/mcp', { method: 'POST', headers, body: order(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'e2e', version: '1' } }) })
  headers['mcp-session-id'] = begun.headers['mcp-session-id']
  return request(base, '/mcp', { method: 'POST', headers, token, timeout: 60_000, body: order(2, 'tools/call', { name: 'github_get', arguments: { path } }) })
}

// Each of these would keep a node for 30 s or for ever; none of them may keep it longer than the others do.
test('SIGTERM with an upstream that hangs: what can finish within ten seconds does, the rest is broken off', { timeout: 60_000 }, async t => {
  const w = await world(t, { node: { args: ['--ca-out', 'ca'] } })
  const whole = await request(w.standin.http, FILE, { token: w.token, headers: { accept: 'application/vnd.github.raw' } })
  // Seven seconds of a download, which finishes.
  await w.standin.fault({ path: FILE, slow_chunk: Math.ceil(whole.body.length / 14), slow_gap_ms: 500 })
  const hung = ['/repos/octo-org/repo-1', '/repos/octo-org/repo-2', '/repos/octo-org/repo-1/issues/1', '/repos/octo-org/repo-1/issues/2']
  for (const path of hung) await w.standin.fault({ path, hang: true })
  const left = promise => promise.then(answer => `answered: ${answer.status ?? answer.code}`, () => 'broken off')
  const env = { HTTPS_PROXY: w.node.url, SSL_CERT_FILE: w.scratch.file('ca/ca-bundle.pem') }
  const curl = (version, path) => w.scratch.run('curl', ['-sS', version, '-H', `Authorization: Bearer ${w.token}`, `https://api.github.com${path}`], { env })
    .then(({ code }) => code === 0 ? 'answered' : 'broken off')
  const waiting = [left(request(w.node.url, hung[0], { token: w.token, timeout: 60_000 })), curl('--http2', hung[1]), curl('--http1.1', hung[2])]
  const tool = callTool(w.node, hung[3], w.token).then(answer => answer.text, () => 'broken off')
  // A reader of events, half a head, half a body, and a client that takes nothing of a large answer.
  const events = left(request(`http://${w.node.admin}`, '/api/events', { timeout: 60_000 }))
  const halves = [
    [w.node.port, 'GET /zen HTTP/1.1\r\nHost: api.git'],
    [w.node.admin.split(':').at(-1), `POST /mcp HTTP/1.1\r\nHost: ${w.node.admin}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`]
  ].map(([port, bytes]) => raw(Number(port), bytes, { timeout: 60_000 }))
  const paused = await begin(w.node.url, '/repos/octo-org/repo-1/contents/data/file-9.txt', w.token)
  paused.answer.pause()
  const download = await begin(w.node.url, FILE, w.token)
  const asked = new Set()
  while (asked.size < hung.length) for (const { target } of await w.standin.log()) for (const one of hung) if (target.endsWith(one)) asked.add(one)
  const began = Date.now()
  w.node.child.kill('SIGTERM')
  assert.ok((await download.done).equals(whole.body))
  const { code } = await w.node.child.exited
  const took = Date.now() - began
  assert.equal(code, 0)
  assert.ok(took < 13_000, `ended after ${took} ms`)
  assert.deepEqual(await Promise.all(waiting), waiting.map(() => 'broken off'))
  // The call's stream may end without a word; what it must not do is to pass for an answer.
  assert.doesNotMatch(await tool, /"result":(?!.*"isError":true)/)
  paused.answer.destroy()
  await Promise.allSettled([events, ...halves])
  // Broken off by the bound, not before it.
  assert.match(w.node.log(), /breaking connections that did not end in time/)
})

test('a second signal does not wait', async t => {
  const w = await world(t)
  await w.standin.fault({ path: FILE, slow_chunk: 1024, slow_gap_ms: 1000 })
  const download = await begin(w.node.url, FILE, w.token)
  w.node.child.kill('SIGTERM')
  // It has stopped listening once it has taken the first.
  while (await request(w.node.url, '/zen', { token: w.token }).then(() => true, () => false));
  w.node.child.kill('SIGTERM')
  const { code } = await w.node.child.exited
  assert.equal(code, 0)
  await assert.rejects(download.done)
})

test('a restarted node answers from its disk', async t => {
  const w = await world(t)
  const dir = w.scratch.file('cache')
  const paths = ['/repos/octo-org/repo-1', '/repos/octo-org/repo-1/issues', '/repos/octo-org/repo-1/contents/data/file-9.txt', '/repos/octo-org/repo-2/labels']
  const first = await startNode(w.scratch, w.standin.http, { cacheDir: dir })
  const held = []
  for (const path of paths) held.push(await request(first.url, path, { token: w.token }))
  assert.equal((await first.stop()).code, 0)
  const second = await startNode(w.scratch, w.standin.http, { cacheDir: dir })
  const cost = await w.standin.cost(async () => {
    for (const [i, path] of paths.entries()) {
      const again = await request(second.url, path, { token: w.token })
      assertSameAnswer(again, held[i], { held: true })
      assert.match(cacheStatus(again), /hit; .*detail=disk/)
    }
  })
  assert.equal(cost.total, 0)
  for (const file of filesUnder(dir)) {
    assert.equal(fs.statSync(file).mode & 0o077, 0, `${file} is open to others`)
    // Bodies of private repositories lie there.
    assert.ok(!fs.readFileSync(file).includes('full_name'), `${file} is readable`)
  }
})

test('a second node on one cache directory is told so', async t => {
  const w = await world(t)
  const dir = w.scratch.file('cache')
  const node = await startNode(w.scratch, w.standin.http, { cacheDir: dir })
  const second = await runNode(w.scratch, ['serve', '--upstream', w.standin.http, '--listen', '127.0.0.1:0', '--admin', 'off', '--p2p', 'off', '--cache-dir', dir])
  assert.equal(second.code, 1)
  assert.equal(second.stderr.trim().split('\n').length, 1, second.stderr)
  assert.match(second.stderr, /cache-dir.*(in use|locked|another)/)
  assert.ok(second.stderr.includes(dir))
  assert.equal((await request(node.url, '/repos/octo-org/repo-1', { token: w.token })).status, 200)
  await stop(node.child, 'SIGKILL')
  // A lock does not outlive its holder.
  const third = await startNode(w.scratch, w.standin.http, { cacheDir: dir })
  assert.equal((await request(third.url, '/repos/octo-org/repo-1', { token: w.token })).status, 200)
})

test('a taken port, a bad flag, a bad directory: one line, the setting named', async t => {
  const w = await world(t)
  const serve = (...args) => runNode(w.scratch, ['serve', '--upstream', w.standin.http, '--p2p', 'off', '--cache-dir', 'none', '--listen', '127.0.0.1:0', '--admin', 'off', ...args])
  const cases = [
    [1, /--listen/, ['--listen', w.node.ready.listen]],
    [2, /--listen/, ['--listen', 'nonsense']],
    [2, /--upstream/, ['--upstream', 'http://api.github.com']],
    [2, /freshnes/, ['--freshnes', 'http']],
    [1, /--cache-dir/, ['--cache-dir', w.node.readyFile]],
    [1, /--upstream-ca/, ['--upstream', w.standin.https, '--upstream-ca', w.scratch.file('none.pem')]]
  ]
  for (const [code, what, args] of cases) {
    const got = await serve(...args)
    assert.equal(got.code, code, `${args.join(' ')}: ${got.stderr}`)
    assert.match(got.stderr.trim().split('\n').at(-1), what)
  }
})

test(`kill -9 under write load, ${CYCLES} cycles: no wrong octet comes back`, async t => {
  const w = await world(t, { standin: { args: ['--repositories', '3', '--private', '1'] } })
  await w.standin.quota({ user_core: 100_000_000, secondary: false })
  const dir = w.scratch.file('cache')
  const targets = []
  for (const repo of ['repo-1', 'repo-2', 'repo-3']) {
    for (let i = 0; i < 10; ++i) targets.push(`/repos/octo-org/${repo}/contents/data/file-${i}.txt`)
    for (let n = 1; n <= 30; ++n) targets.push(`/repos/octo-org/${repo}/issues/${n}`)
    for (let n = 1; n <= 35; ++n) targets.push(`/repos/octo-org/${repo}/issues?per_page=${n}&page=1`)
  }
  const agent = () => new http.Agent({ keepAlive: true, maxSockets: 8 })
  const direct = agent()
  const expected = new Map()
  for (const target of targets) expected.set(target, (await request(w.standin.http, target, { token: w.token, agent: direct })).body)
  direct.destroy()
  let answered = 0
  let fromDisk = 0
  for (let cycle = 0; cycle < CYCLES; ++cycle) {
    const node = await startNode(w.scratch, w.standin.http, { cacheDir: dir, args: ['--disk-max', '4MiB', '--log-level', 'info'] })
    const sockets = agent()
    // The kill falls after a number of answers that differs from cycle to cycle, while more are on their way.
    let until = 20 + (cycle * 37) % 200
    let at = cycle * 53
    const worker = async () => {
      while (!node.child.gone) {
        const target = targets[at++ % targets.length]
        const got = await request(node.url, target, { token: w.token, agent: sockets }).catch(() => null)
        if (got === null) return
        assert.equal(got.status, 200)
        assert.ok(got.body.equals(expected.get(target)), `${target}: wrong octets in cycle ${cycle}`)
        answered++
        if (/detail=disk/.test(cacheStatus(got))) fromDisk++
        if (--until === 0) node.child.kill('SIGKILL')
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    sockets.destroy()
    assert.equal((await node.child.exited).signal, 'SIGKILL', node.log())
  }
  assert.ok(answered > CYCLES * 20, `${answered} answers`)
  assert.ok(fromDisk > CYCLES / 2, `${fromDisk} of ${answered} answers came from the disk`)
})
