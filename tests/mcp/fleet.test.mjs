// SPDX-License-Identifier: Apache-2.0
//
// A fleet of five nodes after 500 mixed calls: what the MCP servers report is what the stand-in for GitHub counted, and
// the events tell who is there.

import assert from 'node:assert/strict'
import test from 'node:test'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { request } from '../e2e/lib/http.mjs'
import { eventually, startMesh } from '../e2e/lib/mesh.mjs'
import { newToken, Scratch, startStandin } from '../e2e/lib/processes.mjs'
import { EventReader } from '../e2e/lib/sse.mjs'

const REPO = '/repos/octo-org/repo-1'

test('a fleet of five: figures are the stand-in\'s own', async t => {
  const scratch = new Scratch(t)
  const tokens = Array.from({ length: 5 }, () => newToken())
  const standin = await startStandin(scratch, { tokens: Object.fromEntries(tokens.map((token, i) => [token, { login: `member-${i}`, everything: true }])) })
  const { nodes } = await startMesh(scratch, standin.http, 5)
  const clients = []
  for (const [i, node] of nodes.entries()) {
    const client = new Client({ name: 'fleet-test', version: '1' })
    await client.connect(new StreamableHTTPClientTransport(new URL(`http://${node.ready.admin}/mcp`), { requestInit: { headers: { authorization: `Bearer ${tokens[i]}` } } }))
    t.after(() => client.close())
    clients.push(client)
  }
  const call = async (i, name, args = {}) => (await clients[i].callTool({ name, arguments: args })).structuredContent
  const before = await standin.counters()
  await standin.fault({ path: `${REPO}/labels`, status: 502, count: 3 })
  const json = { 'content-type': 'application/json' }
  await Promise.all(nodes.map(async (node, n) => {
    for (let i = 0; i < 100; ++i) {
      const ask = (path, options) => request(node.url, path, { token: tokens[n], ...options })
      switch (i % 10) {
        case 0: case 1: case 2: case 3: await ask(`${REPO}/issues/${1 + i % 40}`); break
        case 4: await ask(`${REPO}/actions/runs`); break
        case 5: await ask('/graphql', { method: 'POST', headers: json, body: JSON.stringify({ query: `query { repository(owner: "octo-org", name: "repo-1") { name } } # ${i}` }) }); break
        case 6: await ask(`/repos/octo-org/nothing-${i % 3}`); break
        case 7: await ask(`${REPO}/labels`); break
        case 8: await ask(`${REPO}/issues?per_page=5&page=${1 + i % 4}`); break
        case 9: await call(n, 'github_get', { path: `${REPO}/commits`, parameters: { per_page: 2 }, paginate: true, max_pages: 2 }); break
      }
    }
  }))
  const after = await standin.counters()
  const counted = name => after[name] - before[name]
  const own = await Promise.all(nodes.map((_, n) => call(n, 'cache_stats')))
  const quota = await Promise.all(nodes.map((_, n) => call(n, 'quota_report')))
  const sum = (rows, name) => rows.reduce((all, row) => all + row[name], 0)
  assert.equal(sum(own, 'upstream_calls'), counted('total'))
  assert.equal(sum(own, 'charged_calls'), counted('charged'))
  assert.equal(sum(own, 'free_304s'), counted('free_304'))
  assert.equal(sum(quota.flatMap(report => report.tokens), 'used'), counted('charged'), 'used, over all tokens and resources')
  assert.equal(sum(quota.flatMap(report => report.tokens), 'spent_by_this_node'), counted('charged'))
  for (const row of quota.flatMap(report => report.tokens))
    assert.equal(Object.values(row.spent_by_class).reduce((all, n) => all + n, 0), row.spent_by_this_node, JSON.stringify(row))
  for (const report of quota) {
    const spent = {}
    for (const row of report.tokens) for (const [cls, n] of Object.entries(row.spent_by_class)) spent[cls] = (spent[cls] ?? 0) + n
    const charged = report.by_class.filter(row => row.charged_calls > 0).map(row => [row.class, row.charged_calls])
    assert.deepEqual(spent, Object.fromEntries(charged), 'one token a node: its classes are the node\'s')
  }
  assert.ok(sum(own, 'requests') >= 500)
  t.diagnostic(`requests ${sum(own, 'requests')}, upstream ${counted('total')}, charged ${counted('charged')}, free ${counted('free_304')}`)

  // Members tell each other what they counted every few seconds.
  await eventually(async () => {
    const { charged_calls: charged, requests } = (await call(0, 'fleet_stats')).fleet
    return charged === counted('charged') && requests === sum(own, 'requests') ? '' : `${charged} charged, ${requests} requests`
  }, 'the fleet\'s sum')
  const fleet = await call(0, 'fleet_stats')
  assert.equal(fleet.mesh, true)
  assert.equal(fleet.fleet.members, 5)
  assert.equal(fleet.fleet.requests, sum(own, 'requests'))
  assert.equal((await call(0, 'list_peers')).peers.filter(peer => peer.direction !== '').length, 4)

  const reader = new EventReader(`http://${nodes[0].ready.admin}/api/events?kinds=peer`)
  t.after(() => reader.close())
  const gone = nodes[4].ready.peer_id
  await reader.until(event => event.event === 'peer' && event.json.state === 'joined' && event.json.peer === gone, 'who joined')
  await nodes[4].stop()
  await reader.until(event => event.event === 'peer' && event.json.state === 'left' && event.json.peer === gone, 'who left')
})
