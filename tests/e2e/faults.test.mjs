// SPDX-License-Identifier: Apache-2.0
//
// The upstream misbehaves: every answer that a client gets is whole and right or visibly an error, nothing broken is kept,
// and service is normal as soon as the fault is gone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stop, startNode, startStandin, world } from './lib/processes.mjs'
import { cacheStatus, raw, request } from './lib/http.mjs'

const SMALL = '/repos/octo-org/repo-1/issues/5'
const LARGE = '/repos/octo-org/repo-1/contents/data/file-9.txt' // 200 KiB

// After the fault: the right bytes, kept, and held from then on.
async function assertNormal (w, path) {
  const direct = await request(w.standin.http, path, { token: w.token })
  const first = await request(w.node.url, path, { token: w.token })
  assert.equal(first.status, 200)
  assert.ok(first.body.equals(direct.body))
  const second = await request(w.node.url, path, { token: w.token })
  assert.match(cacheStatus(second), /hit/)
  assert.ok(second.body.equals(direct.body))
}

test('reset: 502 with a reason, then normal', async t => {
  const w = await world(t)
  for (const path of [SMALL, LARGE]) {
    await w.standin.fault({ path, reset: true, count: 2 }) // one retry is allowed on a kept connection
    const got = await request(w.node.url, path, { token: w.token })
    assert.equal(got.status, 502)
    assert.match(got.json().message, /upstream/)
    assert.equal(got.headers['x-from-cache'], undefined)
    await w.standin.clearFaults()
    await assertNormal(w, path)
  }
})

test('truncated: never passed off as whole, never kept', async t => {
  const w = await world(t)
  for (const [path, cut] of [[SMALL, 100], [LARGE, 20_000], [LARGE, 0]]) {
    await w.standin.fault({ path, cut_after: cut })
    const got = await request(w.node.url, path, { token: w.token }).catch(error => ({ status: error.code }))
    assert.ok(got.status === 502 || got.status === 'ECONNRESET', `${path} cut at ${cut}: ${got.status}`)
  }
  await assertNormal(w, SMALL)
  await assertNormal(w, LARGE)
})

test('truncated downloads break visibly', async t => {
  const w = await world(t)
  await w.standin.fault({ path: LARGE, cut_after: 80_000 })
  await assert.rejects(request(w.node.url, LARGE, { token: w.token, headers: { accept: 'application/vnd.github.raw' } }), /aborted|ECONNRESET|hang up/)
})

test('wrong gzip: 502, not garbage', async t => {
  const w = await world(t)
  for (const path of [SMALL, LARGE]) {
    await w.standin.fault({ path, wrong_gzip: true })
    const got = await request(w.node.url, path, { token: w.token })
    assert.equal(got.status, 502)
    assert.match(got.json().message, /decode/)
    await assertNormal(w, path)
  }
})

test('5xx and 429 pass through and are not kept', async t => {
  const w = await world(t)
  for (const status of [500, 502, 503, 504]) {
    await w.standin.fault({ path: SMALL, status })
    const got = await request(w.node.url, SMALL, { token: w.token })
    assert.equal(got.status, status)
    assert.match(cacheStatus(got), new RegExp(`fwd-status=${status}`))
    assert.doesNotMatch(cacheStatus(got), /stored/)
  }
  await assertNormal(w, SMALL)
})

test('A20: a flood of interim answers ends in an error or in the answer, never in a hang', async t => {
  const w = await world(t)
  for (const informational of [3, 100_000]) {
    await w.standin.fault({ path: SMALL, informational })
    const got = await request(w.node.url, SMALL, { token: w.token })
    assert.ok([200, 502].includes(got.status), String(got.status))
    await w.standin.clearFaults()
    await assertNormal(w, SMALL)
  }
})

test('a fault while an answer is held: the next client still gets right bytes', async t => {
  const w = await world(t, { node: { args: ['--freshness', 'strict'] } })
  await assertNormal(w, SMALL)
  for (const fault of [{ reset: true, count: 2 }, { cut_after: 10 }, { wrong_gzip: true }, { status: 500 }]) {
    await w.standin.set(SMALL, { ...(await request(w.standin.http, SMALL, { token: w.token })).json(), title: JSON.stringify(fault) })
    await w.standin.fault({ path: SMALL, ...fault })
    const got = await request(w.node.url, SMALL, { token: w.token })
    assert.ok([500, 502].includes(got.status), JSON.stringify([fault, got.status]))
    await w.standin.clearFaults()
    await assertNormal(w, SMALL)
  }
})

test('A35: --stale-if-error: an own old answer instead of the error, and it says so', async t => {
  const w = await world(t, { node: { args: ['--stale-if-error', '600', '--freshness', 'strict'] } })
  const held = await request(w.node.url, SMALL, { token: w.token })
  await w.standin.fault({ path: SMALL, status: 500 })
  const stale = await request(w.node.url, SMALL, { token: w.token })
  assert.equal(stale.status, 200)
  assert.ok(stale.body.equals(held.body))
  assert.match(cacheStatus(stale), /hit; .*fwd=stale|hit; .*detail=stale/)
  await stop(w.standin.child)
  const gone = await request(w.node.url, SMALL, { token: w.token })
  assert.equal(gone.status, 200)
  assert.match(cacheStatus(gone), /stale/)
  // Volatile classes never.
  assert.equal((await request(w.node.url, '/repos/octo-org/repo-1/actions/runs', { token: w.token })).status, 502)
})

test('a hung upstream holds up nobody else', async t => {
  const w = await world(t)
  await w.standin.fault({ path: SMALL, hang: true })
  const hung = request(w.node.url, SMALL, { token: w.token, timeout: 60_000 }).then(answer => answer.status, () => 'left')
  const began = Date.now()
  // The same question, once the first is on its way: follows it, and goes alone when that takes too long.
  while ((await w.standin.counters()).total === 0);
  const follower = await request(w.node.url, SMALL, { token: w.token })
  assert.equal(follower.status, 200)
  assert.ok(Date.now() - began < 20_000)
  assert.equal((await request(w.node.url, LARGE, { token: w.token })).status, 200)
  await stop(w.node.child, 'SIGKILL')
  assert.equal(await hung, 'left')
})

test('no upstream: a quick 502; back again without a restart', async t => {
  const w = await world(t)
  const port = new URL(w.standin.http).port
  await stop(w.standin.child)
  const began = Date.now()
  const got = await request(w.node.url, SMALL, { token: w.token })
  assert.equal(got.status, 502)
  assert.ok(Date.now() - began < 4_000)
  const again = await startStandin(w.scratch, { args: ['--port', port], tokens: { [w.token]: { everything: true } } })
  assert.equal((await request(w.node.url, SMALL, { token: w.token })).status, 200)
  assert.equal((await again.counters()).charged, 1)
})

test('slow and idle clients: others are served meanwhile', async t => {
  const w = await world(t)
  const slow = Array.from({ length: 50 }, () => raw(w.node.port, 'GET /repos/octo-org/repo-1 HTTP/1.1\r\nHost: api.g', { timeout: 60_000 }))
  for (let i = 0; i < 20; ++i) assert.equal((await request(w.node.url, SMALL, { token: w.token })).status, 200)
  // Half a head is not waited for longer than 10 s.
  for (const { text, closed } of await Promise.all(slow)) {
    assert.ok(closed)
    assert.ok(text === '' || /^HTTP\/1\.1 408 /.test(text), text)
  }
})

test('one upstream request for many clients that ask at once', async t => {
  const w = await world(t, { standin: { args: ['--latency-ms', '150'] } })
  const node = await startNode(w.scratch, w.standin.http)
  const { result, charged, total } = await w.standin.cost(() => Promise.all(Array.from({ length: 60 }, () => request(node.url, SMALL, { token: w.token }))))
  assert.deepEqual([charged, total], [1, 1])
  assert.equal(new Set(result.map(answer => answer.text)).size, 1)
  assert.ok(result.every(answer => answer.status === 200))
  assert.ok(result.filter(answer => /collapsed/.test(cacheStatus(answer))).length > 50)
})
