// SPDX-License-Identifier: Apache-2.0
//
// An Enterprise Server: REST below /api/v3, GraphQL at /api/graphql, uploads below /api/uploads, TLS by a CA of its own.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { Octokit } from '@octokit/rest'
import { Scratch, freePort, ghmesh, newJobToken, newToken, startNode, startStandin } from './lib/processes.mjs'
import { cacheStatus, request } from './lib/http.mjs'

const REPO = { owner: 'octo-org', repo: 'repo-1' }
const ISSUES = Array.from({ length: 24 }, (_, i) => `/api/v3/repos/octo-org/repo-1/issues/${i + 1}`)

async function enterprise (t, { jobs = [], cacheDir } = {}) {
  const scratch = new Scratch(t)
  const port = await freePort()
  const token = newToken()
  const base = `http://127.0.0.1:${port}/api/v3`
  const tokens = { [token]: { everything: true }, ...Object.fromEntries(jobs.map(job => [job, { job: 'octo-org/repo-1' }])) }
  // Octokit follows absolute Link URLs, so they name the node, as an Enterprise Server's would name itself.
  const standin = await startStandin(scratch, { args: ['--api-base', base], tokens })
  const node = await startNode(scratch, `${standin.https}/api/v3`, { listen: `127.0.0.1:${port}`, cacheDir, args: ['--upstream-ca', standin.caFile] })
  return { scratch, token, standin, node, base }
}

const targets = async standin => (await standin.log()).map(entry => entry.target)

test('octokit with a baseUrl: REST, pages, GraphQL and writes go to the paths of an Enterprise Server', async t => {
  const { standin, token, base } = await enterprise(t)
  const octokit = new Octokit({ auth: token, baseUrl: base })
  for (let round = 0; round < 2; ++round) {
    assert.equal((await octokit.rest.repos.get(REPO)).data.full_name, 'octo-org/repo-1')
    assert.equal((await octokit.paginate(octokit.rest.issues.listForRepo, { ...REPO, per_page: 10 })).length, 35)
    assert.equal((await octokit.graphql('query { viewer { login } }')).viewer.login, 'octocat')
  }
  const counted = await standin.counters()
  assert.equal(counted.charged, 6) // the repository, four pages, one query
  const seen = await targets(standin)
  assert.ok(seen.includes('/api/graphql'))
  for (const target of seen) assert.match(target, /^\/api\/(v3\/|graphql$)/)
  const created = await octokit.rest.issues.createComment({ ...REPO, issue_number: 4, body: 'from below /api/v3' })
  assert.equal(created.status, 201)
  const comments = (await octokit.rest.issues.listComments({ ...REPO, issue_number: 4 })).data
  assert.equal(comments.at(-1).body, 'from below /api/v3')
})

test('job tokens share by proofs, and each host learns for itself', async t => {
  const jobs = Array.from({ length: 5 }, newJobToken)
  const { scratch, standin, token, node } = await enterprise(t, { jobs, cacheDir: 'cache' })
  const state = async of => {
    const told = await ghmesh(scratch, ['explain', '--json', '--ready-file', of.readyFile, '/repos/octo-org/repo-1/issues/1'], { env: { GH_TOKEN: token } })
    assert.equal(told.code, 0, told.stderr)
    return JSON.parse(told.text).proof_state
  }
  assert.equal(await state(node), 'learning')
  for (const path of ISSUES) assert.equal((await request(node.url, path, { token })).status, 200)
  assert.equal(await state(node), 'proven')
  const { charged, free_304: free } = await standin.cost(async () => {
    for (const job of jobs) {
      for (const path of ISSUES) {
        const got = await request(node.url, path, { token: job })
        assert.match(cacheStatus(got), /hit; .*detail=proof/)
      }
    }
  })
  assert.equal(charged, 0)
  assert.equal(free, 5 * 24)
  await node.stop()
  // The same directory before another name of the server: what one host has shown says nothing about another.
  const args = ['--upstream-ca', standin.caFile]
  const other = await startNode(scratch, `${standin.https.replace('127.0.0.1', 'localhost')}/api/v3`, { cacheDir: 'cache', args })
  assert.equal((await request(other.url, ISSUES[0], { token })).status, 200)
  assert.equal(await state(other), 'learning')
  await other.stop()
  const again = await startNode(scratch, `${standin.https}/api/v3`, { cacheDir: 'cache', args })
  assert.equal((await request(again.url, ISSUES[0], { token })).status, 200)
  assert.equal(await state(again), 'proven')
})

test('uploads and paths of either spelling arrive where an Enterprise Server has them', async t => {
  const { standin, token, node } = await enterprise(t)
  await request(node.url, '/api/uploads/repos/octo-org/repo-1/releases/1/assets?name=x.bin', { method: 'POST', token, body: 'x'.repeat(70_000), headers: { 'content-type': 'application/octet-stream' } })
  await request(node.url, '/repos/octo-org/repo-1', { token })
  await request(node.url, '/api/v3/repos/octo-org/repo-1', { token })
  await request(node.url, '/graphql', { method: 'POST', token, body: JSON.stringify({ query: '{ viewer { login } }' }) })
  const seen = await targets(standin)
  assert.deepEqual(seen, ['/api/uploads/repos/octo-org/repo-1/releases/1/assets?name=x.bin', '/api/v3/repos/octo-org/repo-1', '/api/graphql'])
})

test('gh with GH_HOST and GH_ENTERPRISE_TOKEN over the socket', async t => {
  const { scratch, standin, token, node } = await enterprise(t)
  scratch.write('client-gh/config.yml', `http_unix_socket: ${node.socket}\n`)
  const home = scratch.file('client-gh')
  const host = new URL(standin.https).host
  const gh = args => scratch.run('gh', args, { env: { GH_CONFIG_DIR: home, GH_HOST: host, GH_ENTERPRISE_TOKEN: token, TMPDIR: home } })
  for (let round = 0; round < 2; ++round) {
    const got = await gh(['api', 'repos/octo-org/repo-1'])
    assert.equal(got.code, 0, got.stderr)
    assert.equal(JSON.parse(got.text).full_name, 'octo-org/repo-1')
  }
  const view = await gh(['api', 'graphql', '-f', 'query={ viewer { login } }'])
  assert.equal(view.code, 0, view.stderr)
  assert.equal(JSON.parse(view.text).data.viewer.login, 'octocat')
  assert.deepEqual(await targets(standin), ['/api/v3/repos/octo-org/repo-1', '/api/graphql'])
})

test('an upstream whose CA nobody vouches for is refused, and says how to be trusted', async t => {
  const { scratch, standin, token } = await enterprise(t)
  assert.ok(fs.existsSync(standin.caFile))
  const node = await startNode(scratch, `${standin.https}/api/v3`)
  const got = await request(node.url, '/repos/octo-org/repo-1', { token })
  assert.equal(got.status, 502)
  assert.match(got.text + node.log(), /certificate/)
})

test('a tenant of ghe.com is found by its own name and asked at the root, as the cloud is', async t => {
  const scratch = new Scratch(t)
  const [token, job] = [newToken(), newJobToken()]
  const standin = await startStandin(scratch, { tokens: { [token]: { everything: true }, [job]: { job: 'octo-org/repo-1' } } })
  const args = ['--upstream-ca', standin.caFile, '--resolve', `api.octo.ghe.com:443:${new URL(standin.https).host}`]
  const node = await startNode(scratch, 'https://api.octo.ghe.com', { args })
  const paths = ISSUES.map(path => path.slice('/api/v3'.length))
  for (const path of paths) assert.equal((await request(node.url, path, { token })).status, 200)
  const { charged, result } = await standin.cost(() => Promise.all(paths.map(path => request(node.url, path, { token: job }))))
  assert.equal(charged, 0)
  for (const answer of result) assert.match(cacheStatus(answer), /hit; .*detail=proof/)
  // Clients that take it for an Enterprise Server are understood, and their questions are the same ones.
  assert.match(cacheStatus(await request(node.url, ISSUES[0], { token })), /hit/)
  assert.equal((await request(node.url, '/api/graphql', { method: 'POST', token, body: '{"query":"query { viewer { login } }"}' })).json().data.viewer.login, 'octocat')
  assert.ok((await targets(standin)).every(target => !target.startsWith('/api/')))
})
