// SPDX-License-Identifier: Apache-2.0
//
// GitHub's own libraries: @octokit/rest and @actions/github, as a script or an action would use them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Octokit } from '@octokit/rest'
import { Agent, fetch as undiciFetch } from 'undici'
import { Scratch, freePort, newToken, startNode, startStandin, world } from './lib/processes.mjs'
import { assertSameAnswer, request } from './lib/http.mjs'

const REPO = { owner: 'octo-org', repo: 'repo-1' }

// Octokit follows absolute Link URLs, so the stand-in must name the node in them, as it would name api.github.com.
async function reverse (t) {
  const scratch = new Scratch(t)
  const port = await freePort()
  const token = newToken()
  const base = `http://127.0.0.1:${port}`
  const standin = await startStandin(scratch, { args: ['--api-base', base], tokens: { [token]: { everything: true } } })
  const node = await startNode(scratch, standin.http, { listen: `127.0.0.1:${port}` })
  return { scratch, token, standin, node, base }
}

test('octokit: answers equal those of a direct call, one charge per resource', async t => {
  const { token, standin, base } = await reverse(t)
  const direct = new Octokit({ auth: token, baseUrl: standin.http })
  const through = new Octokit({ auth: token, baseUrl: base })
  const calls = [
    octokit => octokit.rest.repos.get(REPO),
    octokit => octokit.rest.issues.get({ ...REPO, issue_number: 3 }),
    octokit => octokit.rest.issues.listLabelsForRepo(REPO),
    octokit => octokit.rest.repos.listBranches(REPO),
    octokit => octokit.rest.actions.listWorkflowRunsForRepo(REPO),
    octokit => octokit.rest.repos.getContent({ ...REPO, path: 'README.md' })
  ]
  for (const call of calls) {
    const expected = await call(direct)
    const { charged } = await standin.cost(async () => {
      for (let round = 0; round < 3; ++round) {
        const got = await call(through)
        assert.deepEqual(got.data, expected.data)
        assert.equal(got.status, expected.status)
      }
    })
    assert.equal(charged, 1, call.toString())
  }
})

test('octokit: paginate walks all pages, and the second walk is free', async t => {
  const { token, standin, base } = await reverse(t)
  const straight = new Octokit({ auth: token, baseUrl: standin.http })
  const direct = []
  for (let page = 1; page <= 4; ++page) direct.push(...(await straight.rest.issues.listForRepo({ ...REPO, per_page: 10, page })).data)
  const octokit = new Octokit({ auth: token, baseUrl: base })
  const walk = () => octokit.paginate(octokit.rest.issues.listForRepo, { ...REPO, per_page: 10 })
  await standin.reset()
  const first = await standin.cost(walk)
  assert.equal(first.result.length, 35)
  assert.deepEqual(first.result, direct)
  assert.equal(first.charged, 4)
  const second = await standin.cost(walk)
  assert.deepEqual(second.result, first.result)
  assert.equal(second.charged, 0)
})

test('octokit: errors are GitHub\'s errors', async t => {
  const { token, base } = await reverse(t)
  const octokit = new Octokit({ auth: token, baseUrl: base, log: { debug () {}, info () {}, warn () {}, error () {} } })
  await assert.rejects(octokit.rest.repos.get({ owner: 'octo-org', repo: 'none' }), error => error.status === 404 && /Not Found/.test(error.message))
  await assert.rejects(new Octokit({ auth: `${token}-unknown`, baseUrl: base, log: octokit.log }).rest.repos.get(REPO), error => error.status === 401)
})

test('octokit: a write is seen at once', async t => {
  const { token, standin, base } = await reverse(t)
  const octokit = new Octokit({ auth: token, baseUrl: base })
  const issue = { ...REPO, issue_number: 2 }
  const before = await octokit.rest.issues.listComments(issue)
  await octokit.rest.issues.createComment({ ...issue, body: 'through the node' })
  const after = await octokit.rest.issues.listComments(issue)
  assert.equal(after.data.length, before.data.length + 1)
  await octokit.rest.issues.update({ ...issue, title: 'renamed' })
  assert.equal((await octokit.rest.issues.get(issue)).data.title, 'renamed')
  assert.equal((await new Octokit({ auth: token, baseUrl: standin.http }).rest.issues.get(issue)).data.title, 'renamed')
})

test('octokit: a file in a folder, whose slash it escapes, is written and seen at once', async t => {
  const { token, base } = await reverse(t)
  const path = '/repos/octo-org/repo-1/contents/data/file-1.txt'
  const octokit = new Octokit({ auth: token, baseUrl: base })
  const file = { ...REPO, path: 'data/file-1.txt' }
  const before = await request(base, path, { token })
  assert.deepEqual((await octokit.rest.repos.getContent(file)).data, before.json())
  const content = Buffer.from('another').toString('base64')
  await octokit.rest.repos.createOrUpdateFileContents({ ...file, message: 'm', content, sha: before.json().sha })
  const after = (await request(base, path, { token })).json()
  assert.notEqual(after.sha, before.json().sha)
  assert.deepEqual((await octokit.rest.repos.getContent(file)).data, after)
})

test('octokit: over the unix socket, links to api.github.com stay inside', async t => {
  const { token, standin, node } = await world(t)
  // Plain HTTP whatever the scheme says, as gh's http_unix_socket does.
  const dispatcher = new Agent({ connect: { socketPath: node.socket } })
  t.after(() => dispatcher.close())
  const overSocket = (url, options) => undiciFetch(url.replace(/^https:/, 'http:'), { ...options, dispatcher })
  const octokit = new Octokit({ auth: token, request: { fetch: overSocket } })
  const walk = () => octokit.paginate(octokit.rest.issues.listForRepo, { ...REPO, per_page: 20 })
  const first = await standin.cost(walk)
  assert.equal(first.result.length, 35)
  assert.equal(first.charged, 2)
  assert.equal((await standin.cost(walk)).charged, 0)
})

test('@actions/github: getOctokit with the node as its base', async t => {
  const { token, standin, base } = await reverse(t)
  process.env.GITHUB_REPOSITORY = 'octo-org/repo-1'
  const { getOctokit } = await import('@actions/github')
  const octokit = getOctokit(token, { baseUrl: base })
  const { charged, result } = await standin.cost(async () => {
    await octokit.rest.repos.get(REPO)
    return octokit.rest.repos.get(REPO)
  })
  assert.equal(result.data.full_name, 'octo-org/repo-1')
  assert.equal(charged, 1)
  assert.equal(result.headers['x-from-cache'], '1')
  const all = await octokit.paginate(octokit.rest.issues.listForRepo, { ...REPO })
  assert.equal(all.length, 35)
})

test('what is local says so: Cache-Status, Age, X-From-Cache, rate limits', async t => {
  const { token, standin, node } = await world(t)
  const path = '/repos/octo-org/repo-1/labels'
  const direct = await request(standin.http, path, { token })
  const miss = await request(node.url, path, { token })
  assertSameAnswer(miss, direct)
  assert.match(miss.headers['cache-status'], /^ghmesh; fwd=miss; fwd-status=200; stored/)
  assert.equal(miss.headers['x-from-cache'], undefined)
  assert.equal(miss.headers['x-ratelimit-used'], '2')
  const hit = await request(node.url, path, { token })
  assertSameAnswer(hit, direct, { held: true })
  assert.match(hit.headers['cache-status'], /^ghmesh; hit; .*detail=memory/)
  assert.match(hit.headers.age, /^\d+$/)
  assert.equal(hit.headers['x-from-cache'], '1')
  for (const name of ['limit', 'remaining', 'used', 'reset', 'resource']) {
    assert.equal(hit.headers[`x-ratelimit-${name}`], miss.headers[`x-ratelimit-${name}`], name)
  }
  const tag = hit.headers.etag
  const unchanged = await request(node.url, path, { token, headers: { 'if-none-match': tag } })
  assert.equal(unchanged.status, 304)
  assert.equal(unchanged.raw.length, 0)
})

test('octokit: a slash inside a branch or label is kept and proved like any other name', async t => {
  const { token, standin, base } = await reverse(t)
  const octokit = new Octokit({ auth: token, baseUrl: base })
  await standin.set('/repos/octo-org/repo-1/branches/feature/x', { name: 'feature/x' })
  await standin.set('/repos/octo-org/repo-1/labels/area/ci', { name: 'area/ci' })
  for (const call of [() => octokit.rest.repos.getBranch({ ...REPO, branch: 'feature/x' }), () => octokit.rest.issues.getLabel({ ...REPO, name: 'area/ci' })]) {
    const { charged, result } = await standin.cost(async () => {
      for (let round = 0; round < 2; ++round) await call()
      return call()
    })
    assert.match(result.data.name, /\//)
    assert.equal(charged, 1)
  }
})
