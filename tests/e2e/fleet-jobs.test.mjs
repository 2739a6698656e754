// SPDX-License-Identifier: Apache-2.0
//
// Jobs of one repository, each with a token and a node of its own: GitHub counts them together, and each node knows what
// the others' have left.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from './lib/http.mjs'
import { eventually, formed, newSecret, startMember } from './lib/mesh.mjs'
import { ghmesh, newJobToken, newToken, Scratch, startStandin } from './lib/processes.mjs'

const REPOSITORY = 'octo-org/repo-1'
const ELSEWHERE = 'octo-org/repo-2'
const ASKED = 7

const quotaOf = async node => (await (await fetch(`http://${node.admin}/api/quota`)).json()).quota
const core = async node => (await quotaOf(node)).filter(row => row.resource === 'core')

test('a node knows what is left to its job before that one asked anything', async t => {
  const scratch = new Scratch(t)
  const [one, two, other, person] = [newJobToken(), newJobToken(), newJobToken(), newToken()]
  const standin = await startStandin(scratch, {
    tokens: { [one]: { job: REPOSITORY }, [two]: { job: REPOSITORY }, [other]: { job: ELSEWHERE }, [person]: { login: 'octocat', everything: true } }
  })
  const secret = newSecret()
  const jobOf = (token, repository) => ({ secret, env: { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: repository, GITHUB_TOKEN: token } })
  const first = await startMember(scratch, standin.http, jobOf(one, REPOSITORY))
  const contacts = [first.ready.p2p[0]]
  const second = await startMember(scratch, standin.http, { ...jobOf(two, REPOSITORY), contacts })
  const third = await startMember(scratch, standin.http, { ...jobOf(other, ELSEWHERE), contacts })
  await formed([first, second, third])
  for (let i = 0; i < ASKED; ++i) assert.equal((await request(first.url, `/repos/${REPOSITORY}/issues?page=${i + 1}`, { token: one })).status, 200)
  const spent = (await core(first))[0]
  assert.ok(spent.used >= ASKED)

  await eventually(async () => {
    const rows = await core(second)
    if (rows.length !== 1) return `${rows.length} rows`
    for (const field of ['limit', 'used', 'remaining', 'reset'])
      if (rows[0][field] !== spent[field]) return `${field}: ${rows[0][field]}, not ${spent[field]}`
    return ''
  }, 'the row of the repository\'s bucket')
  const [row] = await core(second)
  assert.equal(row.limit, 1000)
  assert.equal(row.spent_by_this_node, 0)
  assert.equal(row.spent_by_members, spent.used)
  assert.equal(row.spent_by_others, 0)
  assert.equal((await second.stats()).upstream_calls, 0)
  const shown = await ghmesh(scratch, ['quota', '--json', '--admin', second.admin])
  assert.equal(shown.code, 0, shown.stderr)
  assert.equal(JSON.parse(shown.text).quota.find(each => each.resource === 'core').remaining, spent.remaining)

  // Other repositories and people are told nothing, and lose nothing.
  assert.deepEqual(await core(third), [])
  assert.equal((await request(third.url, `/repos/${REPOSITORY}`, { token: person })).status, 200)
  const [personal] = await core(third)
  assert.equal(personal.used, 1)
  assert.doesNotMatch(second.log(), /octo-org/, 'what it heard of carries no names')
})

test('when nothing is left one node is told so, and all stop', async t => {
  const scratch = new Scratch(t)
  const tokens = Array.from({ length: 3 }, newJobToken)
  const person = newToken()
  const standin = await startStandin(scratch, {
    tokens: { ...Object.fromEntries(tokens.map(token => [token, { job: REPOSITORY }])), [person]: { login: 'octocat', everything: true } }
  })
  await standin.quota({ job_core: 20 })
  const secret = newSecret()
  const nodes = []
  for (const token of tokens) {
    const contacts = nodes.slice(0, 1).map(node => node.ready.p2p[0])
    nodes.push(await startMember(scratch, standin.http, { secret, contacts, env: { GITHUB_REPOSITORY: REPOSITORY, GITHUB_TOKEN: token } }))
  }
  await formed(nodes)
  for (let i = 0; i < 20; ++i) await request(nodes[0].url, `/repos/${REPOSITORY}/issues?page=${i + 1}`, { token: tokens[0] })
  await eventually(async () => {
    for (const node of nodes.slice(1)) {
      const [row] = await core(node)
      if (row?.remaining !== 0) return JSON.stringify(row)
    }
    return ''
  }, 'that nothing is left')
  const cost = await standin.cost(async () => {
    for (const [n, node] of nodes.entries()) {
      const answer = await request(node.url, `/repos/${REPOSITORY}/labels?n=${n}`, { token: tokens[n] })
      assert.equal(answer.status, 403, answer.text)
      assert.equal(answer.headers['x-ratelimit-remaining'], '0')
      assert.equal((await request(node.url, `/repos/${REPOSITORY}/labels?p=${n}`, { token: person })).status, 200)
    }
  })
  assert.equal(cost.primary_limited, 0, JSON.stringify(cost))
})
