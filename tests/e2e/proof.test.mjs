// SPDX-License-Identifier: Apache-2.0
//
// GitHub's 304 as a proof, through the real binary: tokens share what each may see, at one charge.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ghmesh, newJobToken, newToken, startNode, world } from './lib/processes.mjs'
import { cacheStatus, request } from './lib/http.mjs'

const ISSUES = Array.from({ length: 24 }, (_, i) => `/repos/octo-org/repo-1/issues/${i + 1}`)

// So many plain answers that the formula counts as proven for the class.
const learn = async w => { for (const path of ISSUES) await request(w.node.url, path, { token: w.token }) }

test('another token: the same bytes, proved by a free 304', async t => {
  const other = newToken()
  const job = newJobToken()
  const w = await world(t, { standin: { tokens: { [other]: { login: 'other', everything: true }, [job]: { job: 'octo-org/repo-1' } } } })
  await learn(w)
  for (const token of [other, job]) {
    const { charged, free_304: free, result } = await w.standin.cost(async () => {
      const answers = []
      for (const path of ISSUES) answers.push(await request(w.node.url, path, { token }))
      return answers
    })
    // A random tag takes the place of a peer's bytes only; these are the node's own.
    assert.equal(charged, 0)
    assert.equal(free, ISSUES.length)
    for (const [i, answer] of result.entries()) {
      assert.equal(answer.status, 200)
      assert.ok(answer.body.equals((await request(w.standin.http, ISSUES[i], { token: w.token })).body))
    }
    assert.match(cacheStatus(result.at(-1)), /hit; .*detail=proof/)
  }
})

// What a time would tell is whether GitHub was asked. It is asked once for a token's first look at anything, held for
// others or not; that the proved answer says so in Cache-Status is for its own client, who has the right to the bytes.
test('A12: what others have asked for costs a stranger the same call to GitHub as what nobody has', async t => {
  const stranger = newToken()
  const w = await world(t, { standin: { args: ['--repositories', '2', '--private', '1'], tokens: { [stranger]: { login: 'stranger' } } } })
  await learn(w)
  const secret = ISSUES.map(path => path.replace('repo-1', 'repo-2'))
  for (const path of secret.slice(0, 12)) assert.equal((await request(w.node.url, path, { token: w.token })).status, 200)
  const look = async paths => {
    const seen = []
    for (const path of paths) {
      const { total, result } = await w.standin.cost(() => request(w.node.url, path, { token: stranger }))
      seen.push([total, result.status, result.headers['cache-status'], result.text].join(' '))
    }
    return [...new Set(seen)]
  }
  const held = await look(secret.slice(0, 12))
  assert.deepEqual(held, await look(secret.slice(12)))
  assert.match(held[0], /^1 404 /)
  // Where the stranger may read, held or not: one call each.
  for (const path of ISSUES) {
    const { total } = await w.standin.cost(() => request(w.node.url, path, { token: stranger }))
    assert.equal(total, 1, path)
  }
})

test('a token without access gets 404 and no octet, whatever is held', async t => {
  const reader = newToken()
  const w = await world(t, { standin: { args: ['--repositories', '2', '--private', '1'], tokens: { [reader]: { login: 'reader' } } } })
  await learn(w)
  const secret = ISSUES.map(path => path.replace('repo-1', 'repo-2'))
  for (const path of secret) assert.equal((await request(w.node.url, path, { token: w.token })).status, 200)
  for (const path of secret) {
    const denied = await request(w.node.url, path, { token: reader })
    assert.equal(denied.status, 404)
    assert.ok(denied.body.equals((await request(w.standin.http, path, { token: reader })).body))
  }
})

test('a right taken back is gone with the next proof', async t => {
  const guest = newToken()
  const w = await world(t, { standin: { tokens: { [guest]: { login: 'guest', repositories: ['octo-org/repo-2'] } } }, node: { args: ['--freshness', 'strict'] } })
  const path = '/repos/octo-org/repo-2/issues/3'
  assert.equal((await request(w.node.url, path, { token: guest })).status, 200)
  assert.match(cacheStatus(await request(w.node.url, path, { token: guest })), /proof/)
  await w.standin.token(guest, { login: 'guest' })
  assert.equal((await request(w.node.url, path, { token: guest })).status, 404)
  await w.standin.token(guest, { revoke: true })
  assert.equal((await request(w.node.url, path, { token: guest })).status, 401)
})

test('a formula that changes costs fetches, never wrong octets', async t => {
  const other = newToken()
  for (const name of ['salted', 'truncated', 'anything']) {
    const w = await world(t, { standin: { tokens: { [other]: { login: 'other', everything: true } } } })
    await learn(w)
    await w.standin.order('formula', { name })
    for (const path of ISSUES) {
      await w.standin.set(path, { ...(await request(w.standin.http, path, { token: w.token })).json(), title: `now ${name}` })
      const got = await request(w.node.url, path, { token: other })
      assert.equal(got.status, 200)
      // Something that answers 304 to anything makes no difference to bytes of another token.
      if (name !== 'anything') assert.equal(got.json().title, `now ${name}`)
    }
  }
})

test('explain tells the state of the Accept that is asked about, which is another one for each', async t => {
  const w = await world(t)
  await learn(w)
  const state = async (...more) => JSON.parse((await ghmesh(w.scratch, ['explain', '--json', ...more, '--ready-file', w.node.readyFile, ISSUES[0]], { env: { GH_TOKEN: w.token } })).text)
  assert.equal((await state()).proof_state, 'proven')
  const other = await state('--accept', 'application/vnd.github.full+json')
  assert.equal(other.proof_state, 'learning')
  assert.equal(other.asked_with, 'Accept: application/vnd.github.full+json')
  assert.equal(other.cost, '1 charged request; nothing for a client whose own tag is current')
  const etag = (await request(w.standin.http, ISSUES[0], { token: w.token, headers: { accept: 'application/vnd.github.full+json' } })).headers.etag
  const { charged, result } = await w.standin.cost(() => request(w.node.url, ISSUES[0], { token: w.token, headers: { accept: 'application/vnd.github.full+json', 'if-none-match': etag } }))
  assert.equal(result.status, 304)
  assert.equal(charged, 0)
})

test('what is known of the formula outlives a restart, a trip above all', async t => {
  const [other, third] = [newToken(), newToken()]
  const everything = { login: 'other', everything: true }
  const w = await world(t, { standin: { tokens: { [other]: everything, [third]: everything } }, node: { cacheDir: 'cache' } })
  const state = async node => {
    const told = await ghmesh(w.scratch, ['explain', '--json', '--ready-file', node.readyFile, ISSUES[0]], { env: { GH_TOKEN: w.token } })
    return JSON.parse(told.text).proof_state
  }
  await learn(w)
  assert.equal(await state(w.node), 'proven')
  await w.node.stop()
  const second = await startNode(w.scratch, w.standin.http, { cacheDir: 'cache' })
  const { charged, result } = await w.standin.cost(() => request(second.url, ISSUES[0], { token: other }))
  assert.equal(charged, 0)
  assert.match(cacheStatus(result), /hit; .*detail=proof/)
  await w.standin.order('formula', { name: 'salted' })
  for (const path of ISSUES.slice(0, 8)) await request(second.url, path, { token: third })
  for (const rest of ['readme', 'labels']) for (const token of [other, third]) await request(second.url, `/repos/octo-org/repo-1/${rest}`, { token })
  assert.equal(await state(second), 'tripped')
  // Who empties the cache does not want to be fooled once more: the trip stays, and the count tells answers alone.
  const purge = async () => JSON.parse((await ghmesh(w.scratch, ['purge', '--json', '--ready-file', second.readyFile, '*'])).text).purged
  assert.ok(await purge() > 0)
  assert.equal(await purge(), 0)
  await second.stop()
  const after = await startNode(w.scratch, w.standin.http, { cacheDir: 'cache' })
  // What lies on disk is there a moment after the node is ready; any answer that waits for the disk comes after it.
  assert.equal((await request(after.url, ISSUES[20], { token: w.token })).status, 200)
  assert.equal(await state(after), 'tripped')
})

// What every one of them got is the same, and what it cost.
async function assertSharedBy (w, jobs, paths, most, ask) {
  const { result, charged } = await w.standin.cost(ask)
  for (const answers of result) for (const answer of answers) assert.equal(answer.status, 200)
  for (let i = 0; i < paths.length; ++i) assert.equal(new Set(result.map(answers => answers[i].text)).size, 1)
  assert.ok(charged <= most, `${charged} charged`)
}

async function fleet (t, size) {
  const jobs = Array.from({ length: size }, newJobToken)
  const w = await world(t, { standin: { args: ['--latency-ms', '5'], tokens: Object.fromEntries(jobs.map(token => [token, { job: 'octo-org/repo-1' }])) } })
  const paths = ISSUES.slice(0, 20)
  const ask = async token => {
    const answers = []
    for (const path of paths) answers.push(await request(w.node.url, path, { token }))
    return answers
  }
  return { w, jobs, paths, ask }
}

test('40 jobs that ask the same 20 questions, all at the same instant: 20 charges and what learning takes', async t => {
  const { w, jobs, paths, ask } = await fleet(t, 40)
  await assertSharedBy(w, jobs, paths, 23, () => Promise.all(jobs.map(ask)))
})

test('40 jobs after a first one: 20 charges', async t => {
  const { w, jobs, paths, ask } = await fleet(t, 41)
  await assertSharedBy(w, jobs, paths, 20, async () => [await ask(jobs[0]), ...await Promise.all(jobs.slice(1).map(ask))])
})

test('those who wait for another token\'s fetch get their own answer when it fails or is refused', async t => {
  const reader = newToken()
  const { w, jobs, paths } = await fleet(t, 10)
  await w.standin.token(reader, { login: 'reader' })
  const secret = paths[0].replace('repo-1', 'repo-2')
  const ask = (token, path) => request(w.node.url, path, { token })
  // The one who leads has no right; the others have one.
  const [denied, ...granted] = await Promise.all([ask(reader, secret), ...Array.from({ length: 5 }, () => ask(w.token, secret))])
  assert.equal(denied.status, 404)
  assert.deepEqual(granted.map(answer => answer.status), [200, 200, 200, 200, 200])
  await w.standin.fault({ path: paths[1], reset: true, count: 2 })
  const answers = await Promise.all(jobs.map(token => ask(token, paths[1])))
  assert.ok(answers.filter(answer => answer.status === 200).length >= 8, JSON.stringify(answers.map(answer => answer.status)))
})
