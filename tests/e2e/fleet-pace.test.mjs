// SPDX-License-Identifier: Apache-2.0
//
// Five processes on one token: GitHub's secondary limits are the token's, so they keep to them together, and each knows
// what the others spent.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askDirectly, chargedTwice, filePaths } from './lib/fleet.mjs'
import { request } from './lib/http.mjs'
import { eventually, startMesh } from './lib/mesh.mjs'
import { newToken, Scratch, startStandin } from './lib/processes.mjs'

const NODES = 5
const EACH = 50
const FILES = 40

test('five nodes burst on one token: no secondary limit is met, and all are answered', async t => {
  const scratch = new Scratch(t)
  const [token, elsewhere] = [newToken(), newToken()]
  const everything = { login: 'octocat', everything: true }
  const standin = await startStandin(scratch, { args: ['--files', `${FILES}`], tokens: { [token]: everything, [elsewhere]: { ...everything, login: 'hubot' } } })
  const paths = filePaths(FILES)
  const expected = await askDirectly(standin, paths, elsewhere)
  const { nodes } = await startMesh(scratch, standin.http, NODES)
  // Slow enough that each node's own sixty in flight would be three hundred.
  await standin.fault({ path: '/contents/*', delay_ms: 400, count: 0 })
  const cost = await standin.cost(() => Promise.all(nodes.map((node, n) => Promise.all(Array.from({ length: EACH }, async (_, i) => {
    const path = paths[i % FILES]
    const answer = await request(node.url, `${path}?n=${n * EACH + i}`, { token })
    assert.equal(answer.status, 200, answer.text)
    assert.ok(answer.body.equals(expected.get(path)), `${path} through ${node.url}`)
  })))))
  assert.equal(cost.secondary_limited, 0, JSON.stringify(cost))
  assert.deepEqual(await chargedTwice(standin), [])
  assert.equal(cost.charged, NODES * EACH)

  // Who spent it: this node, the others each by name, and nobody else.
  await eventually(async () => {
    for (const node of nodes) {
      const row = (await (await fetch(`http://${node.ready.admin}/api/quota`)).json()).quota.find(each => each.resource === 'core')
      if (row.used !== cost.charged) return `used ${row.used}`
      if (row.spent_by_this_node + row.spent_by_members !== row.used) return JSON.stringify(row)
      if (Object.keys(row.spent_by_member).length !== NODES - 1) return JSON.stringify(row.spent_by_member)
      assert.equal(row.spent_by_others, 0)
    }
    return ''
  }, 'the shared view')
})

test('what waits for its turn is fetched once, however many wait for it', async t => {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { args: ['--files', `${FILES}`], tokens: { [token]: { login: 'octocat', everything: true } } })
  const paths = filePaths(FILES)
  const { nodes } = await startMesh(scratch, standin.http, NODES)
  const ask = async (node, target) => {
    const answer = await request(node.url, target, { token })
    assert.equal(answer.status, 200, answer.text)
    return answer
  }
  const ahead = 250
  let answered = 0
  const cost = await standin.cost(async () => {
    // 160 may go at once; twelve a second of the others.
    const before = Array.from({ length: ahead }, async (_, i) => {
      await ask(nodes[i % NODES], `${paths[i % FILES]}?n=${i}`)
      answered++
    })
    await eventually(() => answered >= 150 ? '' : `${answered} answered`, 'the burst')
    const same = await Promise.all(nodes.map(node => ask(node, `${paths[0]}?all`)))
    for (const answer of same) assert.ok(answer.body.equals(same[0].body))
    await Promise.all(before)
  })
  assert.equal(cost.secondary_limited, 0, JSON.stringify(cost))
  assert.deepEqual(await chargedTwice(standin), [])
  assert.equal(cost.total, ahead + 1, JSON.stringify(cost))
  assert.equal(cost.charged, ahead + 1)
})
