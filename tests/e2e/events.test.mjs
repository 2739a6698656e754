// SPDX-License-Identifier: Apache-2.0
//
// /api/events and /api/activity of a running node, read as a dashboard reads them (doc/formats/events.md).

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import test from 'node:test'
import { request } from './lib/http.mjs'
import { EventReader } from './lib/sse.mjs'
import { newToken, startNode, world } from './lib/processes.mjs'

const admin = (node, path) => `http://${node.ready.admin}${path}`
const ask = (node, path) => fetch(admin(node, path))

test('every request is told with what it cost', async t => {
  const { node, token } = await world(t)
  const reader = new EventReader(admin(node, '/api/events'))
  t.after(() => reader.close())
  assert.equal((await reader.opened).headers['content-type'], 'text/event-stream')
  const hello = await reader.until(event => event.event === 'hello')
  assert.equal(hello.json.resumed, false)
  const path = '/repos/octo-org/repo-1'
  for (const target of [`${path}?access_token=${token}`, `${path}?access_token=${token}`, `${path}/actions/runs`, '/rate_limit'])
    await request(node.url, target, { token })
  await reader.until(event => event.event === 'request' && event.json.path.endsWith('/rate_limit'), 'the last request')
  const told = reader.events.filter(event => event.event === 'request').map(event => event.json)
  assert.deepEqual(told.map(one => one.answer), ['miss', 'memory', 'miss', 'bypass'])
  assert.deepEqual(told.map(one => one.charged), [1, 0, 1, 0])
  assert.deepEqual(told.map(one => one.upstream_calls), [1, 0, 1, 1])
  assert.deepEqual(told.map(one => one.class).slice(0, 3), ['default', 'default', 'volatile'])
  for (const one of told) {
    assert.equal(one.status, 200)
    assert.equal(one.method, 'GET')
    assert.ok(one.seconds >= 0 && Math.abs(one.at - Date.now()) < 60_000)
    assert.ok(!JSON.stringify(one).includes('canary') && !one.path.includes('?'), 'a query is not told')
  }
  const stats = await reader.until(event => event.event === 'stats' && event.json.requests === 4, 'statistics')
  assert.equal(stats.json.charged_calls, 2)
  assert.equal(stats.id, undefined)
})

test('a reader that comes back continues where it was; a new run starts anew', async t => {
  const { scratch, standin, node, token } = await world(t)
  const first = new EventReader(admin(node, '/api/events'))
  await request(node.url, '/repos/octo-org/repo-1', { token })
  await first.until(event => event.event === 'request')
  first.close()
  await request(node.url, '/repos/octo-org/repo-1/issues', { token })
  const again = new EventReader(admin(node, '/api/events'), { headers: { 'last-event-id': first.lastId } })
  t.after(() => again.close())
  assert.deepEqual((await again.until(event => event.event === 'hello')).json.resumed, true)
  const missed = await again.until(event => event.event === 'request')
  assert.ok(missed.json.path.endsWith('/issues'))
  assert.notEqual(missed.id, first.lastId)

  // The node ends: streams end whole, and at once.
  await node.stop()
  assert.equal(await again.ended, true)
  const other = await startNode(scratch, standin.http)
  const fresh = new EventReader(admin(other, '/api/events'), { headers: { 'last-event-id': first.lastId } })
  t.after(() => fresh.close())
  const hello = await fresh.until(event => event.event === 'hello')
  assert.equal(hello.json.resumed, false)
})

test('quota that runs low and proofs that stop are told, to late readers, too', async t => {
  const { standin, node, token } = await world(t)
  await standin.quota({ user_core: 60 })
  // So many plain answers that the formula counts as proven; then it changes.
  const issues = Array.from({ length: 24 }, (_, i) => `/repos/octo-org/repo-1/issues/${i + 1}`)
  for (const path of issues) await request(node.url, path, { token })
  const early = new EventReader(admin(node, '/api/events?kinds=quota,breaker'))
  t.after(() => early.close())
  await early.until(event => event.event === 'breaker' && event.json.state === 'proven', 'the proof')
  await standin.order('formula', { name: 'salted' })
  for (const what of ['', '/issues/1', '/labels', '/issues/2', '/branches', '/milestones', '/commits', '/pulls/1'])
    await request(node.url, `/repos/octo-org/repo-2${what}`, { token })
  const late = new EventReader(admin(node, '/api/events?kinds=quota,breaker'))
  t.after(() => late.close())
  for (const reader of [early, late]) {
    const breaker = await reader.until(event => event.event === 'breaker' && event.json.state === 'tripped', 'the trip')
    assert.ok(breaker.json.mismatches > 0)
    assert.equal(breaker.json.class, 'default')
    const quota = await reader.until(event => event.event === 'quota', 'the quota')
    assert.equal(quota.json.resource, 'core')
    assert.ok(quota.json.limit === 60 && quota.json.remaining <= 30, quota.data)
    assert.ok(reader.events.every(event => ['hello', 'quota', 'breaker'].includes(event.event) && !event.data.includes('canary')))
  }
})

test('activity: classes add up to the statistics; paths stay on this machine', async t => {
  const { node, token } = await world(t, { node: { args: ['--admin', '0.0.0.0:0'] } })
  for (const path of ['/repos/octo-org/repo-1', '/repos/octo-org/repo-1', '/repos/octo-org/repo-1/actions/runs', '/user'])
    await request(node.url, path, { token })
  const port = node.ready.admin.split(':').at(-1)
  const local = await (await fetch(`http://127.0.0.1:${port}/api/activity`)).json()
  const stats = await (await fetch(`http://127.0.0.1:${port}/api/stats`)).json()
  const sum = name => local.classes.reduce((all, row) => all + row[name], 0)
  for (const name of ['requests', 'upstream_calls', 'charged_calls', 'calls_saved']) assert.equal(sum(name), stats[name], name)
  assert.ok(local.slowest.some(one => one.path.endsWith('/user')))
  assert.ok(local.costliest.every(one => one.charged_calls > 0 && !one.path.includes('?')))
  for (const row of local.classes) {
    assert.equal(row.latency.counts.length, local.latency_bounds.length + 1)
    assert.equal(row.latency.counts.reduce((a, b) => a + b), row.requests)
  }
  // Through another address of this machine the node cannot tell who asks.
  const outside = Object.values(os.networkInterfaces()).flat().find(one => one.family === 'IPv4' && !one.internal)
  if (!outside) return t.diagnostic('no other address here')
  const foreign = await (await fetch(`http://${outside.address}:${port}/api/activity`)).json()
  assert.deepEqual(foreign.classes.map(row => row.class), local.classes.map(row => row.class))
  assert.equal(foreign.slowest, undefined)
  const reader = new EventReader(`http://${outside.address}:${port}/api/events`)
  t.after(() => reader.close())
  await reader.until(event => event.event === 'hello')
  await request(node.url, '/repos/octo-org/repo-1', { token })
  const told = await reader.until(event => event.event === 'request')
  assert.equal(told.json.path, undefined)
})

test('nothing that reads is free to stay for ever: files and connections go with the reader', async t => {
  const { node } = await world(t)
  const descriptors = () => fs.readdirSync(`/proc/${node.child.pid}/fd`).length
  await ask(node, '/healthz')
  const readers = []
  for (let i = 0; i < 32; ++i) readers.push(new EventReader(admin(node, '/api/events')))
  for (const reader of readers) await reader.until(event => event.event === 'hello')
  assert.equal((await ask(node, '/api/events')).status, 503)
  const open = descriptors()
  for (const reader of readers) reader.close()
  const until = Date.now() + 20_000
  while ((await (await ask(node, '/metrics')).text()).includes('\nghmesh_event_listeners 0\n') === false) {
    assert.ok(Date.now() < until, 'readers that went are still counted')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.ok(descriptors() <= open - 30, `${open} descriptors before, ${descriptors()} after`)
})
