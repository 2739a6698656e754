// SPDX-License-Identifier: Apache-2.0
//
// Two tokens that see different things, asking for the same paths through one node, interleaved and at once: every
// answer is the one that its own token would have got.

import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { newToken, world } from './lib/processes.mjs'
import { request } from './lib/http.mjs'

const REQUESTS = 10_000
const AT_ONCE = 48

// Same seed, same order.
function numbers (seed) {
  let state = seed
  return bound => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 0x1_0000_0000 * bound)
  }
}

const PATHS = [
  '/user', // a body of its own for each
  ...['repo-1', 'repo-2', 'repo-3', 'repo-4'].flatMap(name => [
    `/repos/octo-org/${name}`, `/repos/octo-org/${name}/issues/1`, `/repos/octo-org/${name}/labels`, `/repos/octo-org/${name}/issues?per_page=7&page=2`,
    `/repos/octo-org/${name}/contents/data/file-4.txt`, `/repos/octo-org/${name}/branches`
  ])
]
const FORMS = [
  {},
  { 'accept-encoding': 'gzip' },
  { 'user-agent': 'curl/8' },
  { 'user-agent': 'curl/8', 'accept-encoding': 'gzip' }
]
// A node asks GitHub at most twelve times a second for one token, so most answers have to come from what it holds.
const PROVED_EVERY = 100

test('A10: who brings no token is asked for as nobody, in every mode and whatever the node was started with', async t => {
  const token = newToken()
  for (const freshness of ['strict', 'github', 'relaxed', 'http']) {
    const w = await world(t, {
      standin: { args: ['--repositories', '2', '--private', '1'], tokens: { [token]: { login: 'alice', everything: true } } },
      node: { args: ['--freshness', freshness], env: { GH_TOKEN: token, GITHUB_TOKEN: token } }
    })
    const paths = ['/user', '/repos/octo-org/repo-2', '/repos/octo-org/repo-2/issues/1', '/repos/octo-org/repo-1/labels']
    for (const path of paths) assert.equal((await request(w.node.url, path, { token })).status, 200)
    for (const path of paths) {
      const through = await request(w.node.url, path)
      const direct = await request(w.standin.http, path)
      assert.equal(through.status, direct.status, `${freshness} ${path}`)
      assert.ok(through.body.equals(direct.body), `${freshness} ${path}`)
    }
    // A write, too.
    assert.equal((await request(w.node.url, '/repos/octo-org/repo-1/issues', { method: 'POST', body: '{"title":"x"}' })).status, (await request(w.standin.http, '/repos/octo-org/repo-1/issues', { method: 'POST', body: '{"title":"x"}' })).status)
    await w.node.stop()
  }
})

test('A11: two tokens, 10,000 interleaved requests: nobody gets a byte of the other\'s', async t => {
  const alice = newToken()
  const bob = newToken()
  const w = await world(t, {
    standin: {
      args: ['--repositories', '4', '--private', '2'],
      tokens: { [alice]: { login: 'alice', repositories: ['octo-org/repo-3'] }, [bob]: { login: 'bob', repositories: ['octo-org/repo-4'] } }
    },
    // Little memory, so that entries also leave it and come back from the disk.
    node: { cacheDir: 'cache', args: ['--memory-max', '256KiB', '--freshness', 'relaxed'] }
  })
  await w.standin.quota({ user_core: 1_000_000, secondary: false })
  const who = [alice, bob]
  const pretty = form => form['user-agent'] ?? ''
  const expected = new Map()
  for (const token of [...who, undefined]) {
    for (const path of PATHS) {
      for (const agent of ['', 'curl/8']) {
        const answer = await request(w.standin.http, path, { token, headers: agent ? { 'user-agent': agent } : {} })
        expected.set(`${token} ${path} ${agent}`, answer)
      }
    }
  }
  assert.equal(expected.get(`${alice} /repos/octo-org/repo-3 `).status, 200)
  assert.equal(expected.get(`${alice} /repos/octo-org/repo-4 `).status, 404)
  assert.notEqual(expected.get(`${alice} /user `).text, expected.get(`${bob} /user `).text)

  const pick = numbers(7)
  const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE })
  t.after(() => agent.destroy())
  let left = REQUESTS
  const statuses = new Map()
  const worker = async () => {
    while (left-- > 0) {
      // One in sixty asks for nobody; anonymous requests have a small budget of their own.
      const token = pick(60) === 0 ? undefined : who[pick(2)]
      const path = PATHS[pick(PATHS.length)]
      const form = token ? { ...FORMS[pick(FORMS.length)], ...(pick(PROVED_EVERY) === 0 ? { 'cache-control': 'no-cache' } : {}) } : {}
      const want = expected.get(`${token} ${path} ${pretty(form)}`)
      const got = await request(w.node.url, path, { token, headers: form, agent })
      statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1)
      if (token === undefined && got.status === 403) continue // GitHub's answer to a spent anonymous budget
      assert.equal(got.status, want.status, path)
      assert.ok(got.body.equals(want.body), `${path}: not this token's answer`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  assert.ok(statuses.get(200) > REQUESTS / 2, JSON.stringify([...statuses]))
  assert.ok(statuses.get(404) > REQUESTS / 20, JSON.stringify([...statuses]))
})
