// SPDX-License-Identifier: Apache-2.0
//
// /metrics as monitors read it: promtool takes it, doc/operating.md lists exactly what is there, the alert rules do what
// their tests say, and the dashboard asks for nothing that does not exist.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { newToken, Scratch, startNode, world } from './lib/processes.mjs'
import { request } from './lib/http.mjs'

const root = path => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const REPO = '/repos/octo-org/repo-1'

// A node in a mesh of its own, after requests of most kinds.
async function busy (t) {
  const w = await world(t, { node: { args: ['--p2p', 'on', '--p2p-listen', '/ip4/127.0.0.1/tcp/0'], env: { GHMESH_SECRET: randomBytes(32).toString('hex') } } })
  for (let i = 0; i < 3; ++i) await request(w.node.url, REPO, { token: w.token })
  await request(w.node.url, `${REPO}/actions/runs`, { token: w.token })
  await request(w.node.url, '/repos/octo-org/nothing', { token: w.token })
  await request(w.node.url, `${REPO}/issues`, { method: 'POST', token: w.token, headers: { 'content-type': 'application/json' }, body: '{"title":"x"}' })
  const get = async accept => {
    const answer = await fetch(`http://${w.node.ready.admin}/metrics`, { headers: { accept } })
    return { type: answer.headers.get('content-type'), text: await answer.text() }
  }
  return { ...w, get }
}

const families = text => [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name, type })).sort((a, b) => a.name < b.name ? -1 : 1)

test('promtool takes both forms, and the figures are those of /api/stats', async t => {
  const { scratch, node, get, token } = await busy(t)
  const plain = await get('text/plain')
  assert.match(plain.type, /^text\/plain; version=0\.0\.4/)
  const checked = await scratch.run('promtool', ['check', 'metrics'], { input: plain.text })
  assert.equal(checked.code, 0, checked.stderr)
  assert.equal(checked.stderr + checked.text, '', 'promtool has nothing to remark')
  const open = await get('application/openmetrics-text; version=1.0.0, text/plain;q=0.5')
  assert.match(open.type, /^application\/openmetrics-text; version=1\.0\.0/)
  assert.ok(open.text.endsWith('\n# EOF\n'))
  assert.ok(!plain.text.includes('canary') && !plain.text.includes(token))
  const stats = await node.stats()
  const sum = name => [...plain.text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((all, [, value]) => all + Number(value), 0)
  assert.equal(sum('ghmesh_requests_total'), stats.requests)
  assert.equal(sum('ghmesh_upstream_requests_total'), stats.upstream_calls)
  assert.equal(sum('ghmesh_upstream_responses_total'), stats.upstream_calls)
  assert.equal(sum('ghmesh_upstream_charged_total'), stats.charged_calls)
  assert.equal(sum('ghmesh_request_seconds_count'), stats.requests)
  assert.equal(sum('ghmesh_quota_used'), stats.quota.reduce((all, row) => all + row.used, 0))
  assert.equal(sum('ghmesh_store_entries'), stats.entries)
  assert.equal(sum('ghmesh_mesh_up'), 1)
  assert.equal(sum('ghmesh_build_info'), 1)
  assert.match(plain.text, /^ghmesh_requests_total\{answer="memory",class="default"\} 2$/m)
  assert.match(plain.text, /^ghmesh_requests_total\{answer="bypass",class="write"\} 1$/m)
  assert.match(plain.text, /^ghmesh_upstream_responses_total\{code="404"\} 1$/m)
})

test('the table in doc/operating.md is what is exported', async t => {
  const { get } = await busy(t)
  const exported = families((await get('text/plain')).text)
  const table = [...fs.readFileSync(root('doc/operating.md'), 'utf8').matchAll(/^\| `([a-z_0-9]+)(?:\{([a-z,]*)\})?` \| (counter|gauge|histogram) \|/gm)]
    .map(([, name,, type]) => ({ name, type })).sort((a, b) => a.name < b.name ? -1 : 1)
  assert.deepEqual(table, exported)
})

test('alert rules and dashboard', async t => {
  const { scratch, get } = await busy(t)
  for (const args of [['check', 'rules', root('packaging/prometheus/alerts.yml')], ['test', 'rules', root('packaging/prometheus/alerts_test.yml')]]) {
    const { code, text, stderr } = await scratch.run('promtool', args, { timeout: 60_000 })
    assert.equal(code, 0, text + stderr)
  }
  const known = new Set(families((await get('text/plain')).text).flatMap(({ name, type }) => type === 'histogram' ? ['_bucket', '_sum', '_count'].map(end => name + end) : [name]))
  const rules = fs.readFileSync(root('packaging/prometheus/alerts.yml'), 'utf8')
  const dashboard = JSON.parse(fs.readFileSync(root('packaging/grafana/ghmesh.json'), 'utf8'))
  const asked = dashboard.panels.flatMap(panel => panel.targets.map(target => target.expr)).join('\n') + [...rules.matchAll(/expr: (.*(?:\n {10}.*)*)/g)].map(([, expr]) => expr).join('\n')
  const names = new Set(asked.match(/\b(?:ghmesh|process)_[a-z_0-9]+/g))
  assert.ok(names.size > 20)
  for (const name of names) assert.ok(known.has(name), `${name} is not exported`)
  assert.equal(new Set(dashboard.panels.map(panel => panel.id)).size, dashboard.panels.length)
})

test('requests are logged once, as JSON, within the client\'s trace; a hostile trace is dropped', async t => {
  const scratch = new Scratch(t)
  const got = []
  const origin = http.createServer((asked, answer) => {
    got.push(asked.headers)
    answer.setHeader('content-type', 'application/json').end('{}')
  }).listen(0, '127.0.0.1')
  t.after(() => origin.close())
  await once(origin, 'listening')
  const node = await startNode(scratch, `http://127.0.0.1:${origin.address().port}`, { args: ['--log-format', 'json'] })
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const span = '00f067aa0ba902b7'
  const good = `00-${trace}-${span}-01`
  const bad = `00-${'0'.repeat(32)}-${span}-01"},{"x":"`
  const token = newToken()
  await request(node.url, `${REPO}?secret=1`, { token, headers: { traceparent: good } })
  await request(node.url, REPO, { token, headers: { traceparent: bad, tracestate: 'a=b' } })
  await request(node.url, REPO, { method: 'POST', body: '{}', token, headers: { traceparent: good } })
  await request(node.url, REPO, { method: 'POST', body: '{}', token, headers: { traceparent: bad, tracestate: 'a=b' } })
  const sent = got.map(headers => headers.traceparent?.split('-'))
  assert.deepEqual(sent.map(parts => parts && [parts[0], parts[1], parts[3]]),
    [['00', trace, '01'], undefined, ['00', trace, '01'], undefined])
  assert.ok(got.every(headers => headers.tracestate === undefined))
  await node.stop()
  const lines = node.log().split('\n').filter(line => line.includes('"event":"request"')).map(line => JSON.parse(line))
  assert.deepEqual(lines.map(line => line.trace_id), [trace, '', trace, ''])
  // The span that GitHub is told of is the node's own, one for each request, and a child of the client's.
  assert.deepEqual(lines.map(line => line.span_id), sent.map(parts => parts?.[2] ?? ''))
  assert.deepEqual(lines.map(line => line.parent_span_id), [span, '', span, ''])
  assert.equal(new Set([span, sent[0][2], sent[2][2]]).size, 3)
  const { method, status, answer, class: cls, upstream_calls: calls, parent_span_id: parent } = lines[0]
  assert.deepEqual({ method, status, answer, cls, calls, parent }, { method: 'GET', status: 200, answer: 'miss', cls: 'default', calls: 1, parent: span })
  assert.ok(lines[0].path.endsWith(REPO), 'without its query')
})

test('one in so many request lines is written, by trace where there is one; failures always', async t => {
  const scratch = new Scratch(t)
  const origin = http.createServer((asked, answer) => {
    answer.statusCode = asked.url.includes('broken') ? 500 : 200
    answer.setHeader('content-type', 'application/json').end('{}')
  }).listen(0, '127.0.0.1')
  t.after(() => origin.close())
  await once(origin, 'listening')
  const args = ['--log-format', 'json', '--log-sample', '10']
  const nodes = [await startNode(scratch, `http://127.0.0.1:${origin.address().port}`, { args }),
    await startNode(scratch, `http://127.0.0.1:${origin.address().port}`, { args })]
  const token = newToken()
  const traces = Array.from({ length: 200 }, () => randomBytes(16).toString('hex'))
  for (const node of nodes) {
    for (const trace of traces) await request(node.url, REPO, { token, headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } })
    for (let i = 0; i < 20; ++i) await request(node.url, REPO, { token })
    for (let i = 0; i < 2; ++i) await request(node.url, '/repos/some/broken', { token, method: 'POST', body: '{}' })
    await node.stop()
  }
  const wanted = traces.filter(trace => BigInt(`0x${trace.slice(18)}`) >= 2n ** 56n - 2n ** 56n / 10n)
  for (const node of nodes) {
    const lines = node.log().split('\n').filter(line => line.includes('"event":"request"')).map(line => JSON.parse(line))
    assert.deepEqual(lines.filter(line => line.trace_id !== '').map(line => line.trace_id), wanted)
    assert.equal(lines.filter(line => line.trace_id === '' && line.status === 200).length, 2)
    assert.equal(lines.filter(line => line.status === 500).length, 2)
  }
})
