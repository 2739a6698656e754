// SPDX-License-Identifier: Apache-2.0
//
// The official client against the real binary, over both transports: everything that a server may be asked, every output
// held against its schema, and the figures against what the stand-in for GitHub counted.

import assert from 'node:assert/strict'
import test from 'node:test'
import Ajv2020 from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { LoggingMessageNotificationSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { request } from '../e2e/lib/http.mjs'
import { BIN, CANARY, newToken, startNode, world } from '../e2e/lib/processes.mjs'

const TOOLS = ['quota_report', 'cache_stats', 'fleet_stats', 'list_peers', 'explain_request', 'verify_mesh', 'github_get', 'purge']
const REPO = '/repos/octo-org/repo-1'
const TRANSPORTS = ['http', 'stdio']

async function connect (t, kind, node, token) {
  const client = new Client({ name: 'ghmesh-test', version: '1.0.0' })
  const transport = kind === 'http'
    ? new StreamableHTTPClientTransport(new URL(`http://${node.ready.admin}/mcp`), { requestInit: { headers: token ? { authorization: `Bearer ${token}` } : {} } })
    : new StdioClientTransport({
      command: BIN, args: ['mcp', '--ready-file', node.readyFile], env: { PATH: process.env.PATH, ...(token ? { GH_TOKEN: token } : {}) }, stderr: 'inherit'
    })
  client.seen = { updated: [], logged: [] }
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => { client.seen.updated.push(params); client.seen.wake?.() })
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => { client.seen.logged.push(params); client.seen.wake?.() })
  await client.connect(transport)
  t.after(() => client.close())
  return client
}

// Resolves once what has been notified fits.
function notified (client, fits, what, timeout = 20_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), timeout)
    client.seen.wake = () => { if (fits()) { clearTimeout(timer); resolve() } }
    client.seen.wake()
  })
}

const ajv = addFormats(new Ajv2020({ strict: false }))
async function caller (client) {
  const { tools } = await client.listTools()
  const valid = new Map(tools.map(tool => [tool.name, ajv.compile(tool.outputSchema)]))
  return async (name, args = {}, options = {}) => {
    const result = await client.callTool({ name, arguments: args }, undefined, options)
    if (result.structuredContent !== undefined) {
      assert.ok(valid.get(name)(result.structuredContent), `${name}: ${ajv.errorsText(valid.get(name).errors)}`)
      assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent)
    } else {
      assert.equal(result.isError, true, `${name} has neither structured content nor an error`)
    }
    assert.ok(!JSON.stringify(result).includes(CANARY), `${name} shows a token`)
    return result
  }
}

for (const kind of TRANSPORTS) {
  test(`${kind}: everything is listed and every tool answers as its schema says`, async t => {
    const { node, token } = await world(t)
    const client = await connect(t, kind, node, token)
    assert.equal(client.getServerVersion().name, 'ghmesh')
    assert.deepEqual(client.getServerCapabilities(), { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {} })
    assert.ok(client.getInstructions().includes('github_get'))
    const { tools } = await client.listTools()
    assert.deepEqual(tools.map(tool => tool.name), TOOLS)
    for (const tool of tools) {
      assert.equal(tool.annotations.destructiveHint, tool.name === 'purge')
      assert.equal(tool.annotations.readOnlyHint, tool.name !== 'purge')
      assert.equal(tool.inputSchema.type, 'object')
      assert.equal(tool.outputSchema.type, 'object')
    }
    const call = await caller(client)
    const got = await call('github_get', { path: '/repos/{owner}/{repo}', parameters: { owner: 'octo-org', repo: 'repo-1' } })
    assert.equal(got.isError, false)
    assert.equal(got.structuredContent.body.full_name, 'octo-org/repo-1')
    assert.match(got.structuredContent.cache[0], /fwd=miss/)
    assert.match((await call('github_get', { path: REPO })).structuredContent.cache[0], /hit; detail=memory/)
    const explained = await call('explain_request', { path: `${REPO}/issues` })
    assert.equal(explained.structuredContent.class, 'default')
    const asked = async (accept) => (await call('explain_request', { path: REPO, accept })).structuredContent
    const [held, other] = [await asked('application/vnd.github+json'), await asked('application/vnd.github.raw+json')]
    assert.notEqual(held.key, other.key)
    assert.notEqual(held.would_be, other.would_be)
    assert.equal((await call('explain_request', { path: REPO, accept: 'a\u0000b' })).isError, true)
    const quota = (await call('quota_report')).structuredContent
    assert.deepEqual([quota.requests, quota.charged_calls, quota.calls_saved], [2, 1, 1])
    assert.equal(quota.tokens[0].used, 1)
    assert.equal((await call('cache_stats')).structuredContent.hit_rate, 0.5)
    assert.equal((await call('fleet_stats')).structuredContent.mesh, false)
    assert.equal((await call('list_peers')).structuredContent.mesh, false)
    assert.equal((await call('verify_mesh')).structuredContent.ok, false)
    assert.ok((await call('purge', { pattern: REPO })).structuredContent.purged >= 1)
    assert.match((await call('github_get', { path: REPO })).structuredContent.cache[0], /fwd=miss/)
  })

  test(`${kind}: pages are joined, told of and can be cancelled`, async t => {
    const { node, token, standin } = await world(t, { standin: { args: ['--latency-ms', '20'] } })
    const client = await connect(t, kind, node, token)
    const call = await caller(client)
    const told = []
    const all = await call('github_get', { path: `${REPO}/issues`, parameters: { per_page: 3, state: 'all' }, paginate: true, max_pages: 4 },
      { onprogress: progress => told.push(progress) })
    assert.equal(all.structuredContent.pages, 4)
    assert.equal(all.structuredContent.items, 12)
    assert.equal(new Set(all.structuredContent.body.map(issue => issue.number)).size, 12)
    assert.match(all.structuredContent.next, /[?&]page=5/)
    // The client forgets a request with its answer; what it reads together with that is not handed on any more.
    assert.deepEqual(told.map(one => one.progress).slice(0, 3), [1, 2, 3])
    assert.ok(told[0].total >= 4)
    const direct = await request(standin.http, `${REPO}/issues?per_page=12&state=all`, { token })
    assert.deepEqual(all.structuredContent.body.map(issue => issue.number), direct.json().map(issue => issue.number))

    const stop = new AbortController()
    const calls = (await standin.counters()).total
    await assert.rejects(call('github_get', { path: `${REPO}/commits`, parameters: { per_page: 1 }, paginate: true, max_pages: 100 },
      { signal: stop.signal, onprogress: ({ progress }) => { if (progress === 2) stop.abort('enough') } }))
    // Cancelled is cancelled: the session goes on, the pages do not.
    await client.ping()
    const after = (await standin.counters()).total
    await client.ping()
    assert.ok(after - calls < 20, `${after - calls} calls after two pages`)
  })

  test(`${kind}: bad arguments are told, and nothing breaks`, async t => {
    const { node, token } = await world(t)
    const client = await connect(t, kind, node, token)
    const call = await caller(client)
    for (const [name, args] of [['github_get', {}], ['github_get', { path: 7 }], ['github_get', { path: '' }], ['github_get', { path: '/x', more: 1 }],
      ['github_get', { path: '/a b' }], ['github_get', { path: '/{x}' }], ['github_get', { path: 'https://evil.example/' }],
      ['github_get', { path: '/x', max_pages: 101 }], ['github_get', { path: '/x', accept: 'a\r\nb: c' }], ['purge', {}], ['purge', { pattern: '*', mesh: 'yes' }],
      ['purge', { pattern: 'x' }], ['explain_request', {}], ['explain_request', { path: 'no\u0000path' }], ['quota_report', { x: 1 }]]) {
      const result = await call(name, args)
      assert.equal(result.isError, true, `${name} ${JSON.stringify(args)}`)
      assert.ok(result.content[0].text.length > 5)
    }
    const missing = await call('github_get', { path: '/repos/octo-org/nothing-here' })
    assert.equal(missing.isError, true)
    assert.equal(missing.structuredContent.status, 404)
    await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), /-32602/)
    await assert.rejects(client.request({ method: 'no/such/method' }, z.any()), /-32601/)
    await assert.rejects(client.readResource({ uri: 'ghmesh://nothing' }), /-32002/)
    await assert.rejects(client.subscribeResource({ uri: 'file:///etc/passwd' }), /-32002/)
    await assert.rejects(client.getPrompt({ name: 'nothing' }), /-32602/)
    assert.equal((await call('cache_stats')).isError, false)
  })

  test(`${kind}: resources, subscriptions, log messages, prompts`, async t => {
    const { node, token, standin } = await world(t)
    const client = await connect(t, kind, node, token)
    const { resources } = await client.listResources()
    assert.deepEqual(resources.map(one => one.uri), ['ghmesh://stats', 'ghmesh://quota', 'ghmesh://peers'])
    for (const { uri } of resources) {
      const { contents: [content] } = await client.readResource({ uri })
      assert.equal(content.mimeType, 'application/json')
      assert.deepEqual(Object.keys(JSON.parse(content.text)).length > 0, true)
    }
    await client.subscribeResource({ uri: 'ghmesh://stats' })
    await client.setLoggingLevel('info')
    await standin.quota({ user_core: 4 })
    for (let i = 1; i <= 3; ++i) await request(node.url, `${REPO}/issues/${i}`, { token })
    await notified(client, () => client.seen.updated.some(one => one.uri === 'ghmesh://stats'), 'the update')
    await notified(client, () => client.seen.logged.some(one => one.logger === 'quota'), 'the quota')
    const logged = client.seen.logged.find(one => one.logger === 'quota')
    assert.equal(logged.data.limit, 4)
    assert.ok(!JSON.stringify(client.seen).includes(CANARY))
    assert.equal(JSON.parse((await client.readResource({ uri: 'ghmesh://stats' })).contents[0].text).requests, 3)
    await client.unsubscribeResource({ uri: 'ghmesh://stats' })

    const { prompts } = await client.listPrompts()
    assert.deepEqual(prompts.map(one => one.title), ['Why is my quota going?', 'Is sharing working?'])
    for (const { name } of prompts) {
      const { messages } = await client.getPrompt({ name })
      assert.equal(messages[0].content.type, 'text')
      assert.ok(messages.slice(1).every(message => JSON.parse(message.content.resource.text)))
    }
  })

  test(`${kind}: a thousand calls in a row`, async t => {
    const { node, token } = await world(t)
    const client = await connect(t, kind, node, token)
    const call = await caller(client)
    for (let i = 0; i < 1000; ++i) {
      const name = ['quota_report', 'cache_stats', 'github_get', 'explain_request'][i % 4]
      const args = name === 'github_get' || name === 'explain_request' ? { path: `${REPO}/issues/${1 + i % 20}` } : {}
      assert.equal((await call(name, args)).isError, false)
    }
    assert.equal((await call('cache_stats')).structuredContent.requests, 250)
  })
}

// What clients of all sorts do to a node, and what GitHub counted meanwhile.
test('figures are the stand-in\'s own after 500 mixed calls', async t => {
  const { node, token, standin } = await world(t)
  const second = newToken()
  await standin.token(second, { login: 'second', everything: true })
  const client = await connect(t, 'http', node, token)
  const call = await caller(client)
  const tokens = [token, second]
  const before = await standin.counters()
  await standin.fault({ path: `${REPO}/labels`, status: 502, count: 3 })
  for (let i = 0; i < 500; ++i) {
    const as = tokens[i % 2]
    const ask = (path, options) => request(node.url, path, { token: as, ...options })
    switch (i % 10) {
      case 0: case 1: case 2: await ask(`${REPO}/issues/${1 + i % 40}`); break
      case 3: await ask(`${REPO}/issues?per_page=5&page=${1 + i % 4}`); break
      case 4: await ask(`${REPO}/actions/runs`); break // always proved
      case 5: await ask('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: `query { repository(owner: "octo-org", name: "repo-1") { name } } # ${i}` }) }); break
      case 6: await ask(`/repos/octo-org/nothing-${i % 3}`); break // 404
      case 7: await ask(`${REPO}/labels`); break // fails at first
      case 8: await ask(`${REPO}/issues`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ title: `t${i}` }) }); break
      case 9: await call('github_get', { path: `${REPO}/commits`, parameters: { per_page: 2 }, paginate: true, max_pages: 2 }); break
    }
  }
  const after = await standin.counters()
  const counted = Object.fromEntries(Object.keys(after).map(key => [key, after[key] - before[key]]))
  const quota = (await call('quota_report')).structuredContent
  const cache = (await call('cache_stats')).structuredContent
  t.diagnostic(`requests ${cache.requests}, upstream ${cache.upstream_calls}, charged ${cache.charged_calls}, free ${cache.free_304s}; GitHub: ${JSON.stringify(counted)}`)
  assert.equal(cache.upstream_calls, counted.total)
  assert.equal(cache.charged_calls, counted.charged)
  assert.equal(cache.free_304s, counted.free_304)
  assert.equal(quota.charged_calls, counted.charged)
  assert.equal(quota.tokens.reduce((sum, row) => sum + row.used, 0), counted.charged, 'used, summed over tokens and resources')
  assert.equal(quota.tokens.reduce((sum, row) => sum + row.spent_by_this_node, 0), counted.charged)
  assert.deepEqual(quota.by_node.map(row => [row.this_node, row.charged_calls]), [[true, quota.charged_calls]])
  assert.ok(quota.tokens.every(row => row.spent_by_others === 0))
  for (const name of ['requests', 'charged_calls', 'calls_saved']) assert.equal(quota.by_class.reduce((sum, row) => sum + row[name], 0), quota[name], name)
  assert.ok(cache.requests >= 500)
})

test('a restarted node gets the stdio client\'s session back', async t => {
  const { scratch, node, token, standin } = await world(t)
  const client = await connect(t, 'stdio', node, token)
  await client.subscribeResource({ uri: 'ghmesh://stats' })
  await node.stop()
  await assert.rejects(client.callTool({ name: 'cache_stats', arguments: {} }), /no node answers/)
  const again = await startNode(scratch, standin.http, { args: ['--admin', node.ready.admin], listen: node.ready.listen })
  const call = await caller(client)
  assert.equal((await call('cache_stats')).structuredContent.requests, 0)
  await request(again.url, REPO, { token })
  await notified(client, () => client.seen.updated.length > 0, 'the update of the new node')
})

test('stdio without a node says so and how to get one', async t => {
  const { scratch, node } = await world(t)
  await node.stop()
  const { code, stderr, text } = await scratch.run(BIN, ['mcp', '--admin', node.ready.admin])
  assert.equal(code, 3)
  assert.equal(text, '')
  assert.match(stderr, /^ghmesh: mcp: no node answers at .*; start one with: ghmesh serve\n$/)
})

test('a page of another site can neither read nor act', async t => {
  const { node } = await world(t)
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'x', version: '1' } } })
  const base = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
  const port = node.ready.admin.split(':').at(-1)
  const post = headers => request(`http://${node.ready.admin}`, '/mcp', { method: 'POST', headers: { ...base, ...headers }, body })
  assert.equal((await post({})).status, 200)
  for (const headers of [{ host: `evil.example:${port}` }, { origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' },
    { origin: `http://localhost:${Number(port) + 1}`, host: `localhost:${port}` }]) assert.equal((await post(headers)).status, 403, JSON.stringify(headers))
  // What a form or a script without permission can send.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) assert.equal((await post({ 'content-type': type })).status, 415, type)
  for (const method of ['PUT', 'PATCH', 'OPTIONS']) assert.equal((await request(`http://${node.ready.admin}`, '/mcp', { method })).status, 405)
})
