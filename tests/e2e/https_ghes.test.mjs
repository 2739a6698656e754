// SPDX-License-Identifier: Apache-2.0
//
// HTTPS_PROXY and an Enterprise Server: its API is answered here as api.github.com's is, and what else lives on the same
// host (git, pages, uploads, WebSocket) passes to it untouched. And a tenant of ghe.com, whose API has its host alone.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ProxyAgent } from 'undici'
import { startEnterprise } from './lib/ghes.mjs'
import { Scratch, newToken, startNode, startStandin } from './lib/processes.mjs'
import { converse } from './lib/websocket.mjs'

const CLIENTS = fileURLToPath(new URL('clients', import.meta.url))
const HOST = 'ghes.test'
const ISSUE = '/repos/octo-org/repo-1/issues/2'

async function enterprise (t, { args = [], policy = ['--ca-out', 'ca'] } = {}) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { args: ['--api-base', `https://${HOST}/api/v3`], tokens: { [token]: { login: 'octocat', everything: true } } })
  const ghes = await startEnterprise(t, scratch, HOST, standin)
  const node = await startNode(scratch, `https://${HOST}/api/v3`, { args: [...policy, '--upstream-ca', ghes.ca, '--resolve', `${HOST}:443:${ghes.at}`, ...args] })
  const bundle = scratch.file('ca/ca-bundle.pem')
  const env = {
    TOKEN: token, HTTPS_PROXY: node.url, https_proxy: node.url, SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: bundle, GIT_SSL_CAINFO: bundle,
    NODE_EXTRA_CA_CERTS: scratch.file('ca/ghmesh-ca.pem'), GITHUB_API_URL: `https://${HOST}/api/v3`, GITHUB_SERVER_URL: `https://${HOST}`, GITHUB_GRAPHQL_URL: `https://${HOST}/api/graphql`
  }
  const run = async (command, words, more = {}) => {
    const got = await scratch.run(command, words, { env: { ...env, ...more.env }, cwd: more.cwd ?? CLIENTS, input: more.input, timeout: 60_000 })
    assert.equal(got.code, more.code ?? 0, got.stderr)
    return got
  }
  const curl = (...words) => run('curl', ['-sS', '-H', `Authorization: Bearer ${token}`, ...words])
  return { scratch, token, standin, ghes, node, run, curl, env }
}

test('https, Enterprise Server: curl, gh and Octokit get the API for one charge each, whatever the protocol', async t => {
  const w = await enterprise(t)
  const direct = await w.scratch.run('curl', ['-sS', '-H', `Authorization: Bearer ${w.token}`, `${w.standin.http}/api/v3${ISSUE}`])
  const cost = await w.standin.cost(async () => {
    for (const version of ['--http1.1', '--http2']) {
      const got = await w.curl(version, '-w', '\\n%{http_version} %{http_code}', `https://${HOST}/api/v3${ISSUE}`)
      assert.equal(got.text, `${direct.text}\n${version === '--http2' ? '2' : '1.1'} 200`)
    }
    for (let round = 0; round < 2; ++round) {
      const gh = await w.run('gh', ['api', ISSUE.slice(1)], { env: { GH_HOST: HOST, GH_ENTERPRISE_TOKEN: w.token } })
      assert.deepEqual(JSON.parse(gh.text), JSON.parse(direct.text))
    }
    const seen = JSON.parse((await w.run(process.execPath, ['octokit.mjs'])).text)
    assert.equal(seen.url, `https://${HOST}/api/v3${ISSUE}`)
    assert.equal(seen.pages, 35)
    assert.deepEqual(seen.two, JSON.parse(direct.text))
    assert.match(seen.status, /^ghmesh; hit/)
  })
  // An entry for each Accept: curl's, gh's, Octokit's; and Octokit's four pages.
  assert.equal(cost.charged, 7, JSON.stringify(await w.standin.log()))
  assert.ok(w.ghes.seen.every(one => one.url.startsWith('/api/')))
})

test('https, Enterprise Server: the CA may speak for that host and for the API\'s, and for nobody else', async t => {
  const w = await enterprise(t)
  const text = (await w.scratch.run('openssl', ['x509', '-in', w.scratch.file('ca/ghmesh-ca.pem'), '-noout', '-text'])).text
  assert.match(text, /Name Constraints: critical\s+Permitted:\s+DNS:api\.github\.com\s+DNS:ghes\.test\s+Excluded:/)
  const other = await w.curl('--http1.1', '-H', 'Host: github.com', '-w', '\\n%{http_code}', `https://${HOST}/api/v3/meta`)
  assert.match(other.text, /421$/)
})

test('https, Enterprise Server: git clones and pushes', async t => {
  const w = await enterprise(t)
  const credentials = Buffer.from('octocat:passw0rd').toString('base64')
  const git = (...words) => w.run('git', ['-c', 'user.name=e', '-c', 'user.email=e@e', '-c', 'protocol.version=2', '-c', `http.extraHeader=Authorization: Basic ${credentials}`, ...words], { cwd: w.scratch.dir })
  await w.ghes.makeRepository('octo-org/git-1')
  await git('clone', '-q', `https://${HOST}/octo-org/git-1.git`, 'work')
  // Over git's own buffer of 1 MiB, so that it is sent in chunks of no known length.
  fs.writeFileSync(w.scratch.file('work/big.bin'), Buffer.from(Array.from({ length: 3 << 20 }, () => Math.floor(Math.random() * 256))))
  await git('-C', 'work', 'add', 'big.bin')
  await git('-C', 'work', 'commit', '-q', '-m', 'big')
  await git('-C', 'work', 'push', '-q', 'origin', 'main')
  await git('clone', '-q', `https://${HOST}/octo-org/git-1.git`, 'again')
  assert.ok(fs.readFileSync(w.scratch.file('again/big.bin')).equals(fs.readFileSync(w.scratch.file('work/big.bin'))))
  assert.ok(w.ghes.seen.length > 6)
  for (const one of w.ghes.seen) assert.equal(one.headers.authorization, `Basic ${credentials}`)
  assert.ok(w.ghes.seen.some(one => one.headers['transfer-encoding'] === 'chunked'))
  const stats = await w.node.stats()
  assert.equal(stats.entries, 0)
  assert.equal(stats.upstream_calls, 0)
})

test('https, Enterprise Server: pages pass with their cookies, every time anew, also where they look like an API', async t => {
  const w = await enterprise(t)
  for (const page of ['/octo-org/repo-1', '/repos/octo-org/repo-1', '/api', '/login?return_to=%2Fapi%2Fv3']) {
    for (let round = 1; round <= 2; ++round) {
      const got = await w.curl('-i', '-H', 'Cookie: user_session=one', `https://${HOST}${page}`)
      assert.match(got.text, /\r\nset-cookie: seen=1\r\n/i)
      assert.doesNotMatch(got.text, /cache-status|x-from-cache/i)
      assert.match(got.text, new RegExp(`page ${round} of ${page.replace('?', '\\?')} for user_session=one$`))
    }
  }
  const counted = await w.standin.counters()
  assert.equal(counted.charged, 0)
})

test('https, Enterprise Server: WebSocket passes, on the API\'s paths and beside them', async t => {
  const w = await enterprise(t)
  const dispatcher = new ProxyAgent({ uri: w.node.url, requestTls: { ca: fs.readFileSync(w.env.NODE_EXTRA_CA_CERTS) } })
  for (const where of ['/api/v3/live', '/_live'])
    assert.deepEqual(await converse(`wss://${HOST}${where}`, dispatcher, ['one', 'two', 'three']), ['one', 'two', 'three'])
  await dispatcher.close()
  assert.deepEqual(w.ghes.upgrades, ['/api/v3/live', '/_live'])
})

test('https, Enterprise Server: --connect-policy tunnel leaves its connections to it', async t => {
  const w = await enterprise(t, { policy: ['--connect-policy', 'tunnel'] })
  const got = await w.scratch.run('curl', ['-sS', '-x', w.node.url, '--cacert', w.ghes.ca, '-H', `Authorization: Bearer ${w.token}`, `https://${HOST}/api/v3${ISSUE}`])
  assert.equal(JSON.parse(got.text).number, 2)
  assert.equal((await w.node.stats()).requests, 0)
})

test('https, a tenant of ghe.com: its API is answered, its other hosts are tunnelled', async t => {
  const scratch = new Scratch(t)
  const token = newToken()
  const api = 'api.octo.ghe.com'
  const standin = await startStandin(scratch, { args: ['--api-base', `https://${api}`], tokens: { [token]: { login: 'octocat', everything: true } } })
  const ghes = await startEnterprise(t, scratch, 'octo.ghe.com', standin)
  const node = await startNode(scratch, `https://${api}`, { args: ['--ca-out', 'ca', '--upstream-ca', standin.caFile, '--resolve', `${api}:443:${new URL(standin.https).host}`, '--resolve', `octo.ghe.com:443:${ghes.at}`] })
  const bundle = scratch.write('bundle.pem', fs.readFileSync(scratch.file('ca/ca-bundle.pem'), 'utf8') + fs.readFileSync(ghes.ca, 'utf8'))
  const env = { TOKEN: token, HTTPS_PROXY: node.url, https_proxy: node.url, CURL_CA_BUNDLE: bundle, NODE_EXTRA_CA_CERTS: path.join(scratch.dir, 'ca/ghmesh-ca.pem'), GITHUB_API_URL: `https://${api}`, GITHUB_GRAPHQL_URL: `https://${api}/graphql` }
  const cost = await standin.cost(async () => {
    const seen = await scratch.run(process.execPath, ['octokit.mjs'], { env, cwd: CLIENTS })
    assert.equal(seen.code, 0, seen.stderr)
    assert.equal(JSON.parse(seen.text).url, `https://${api}${ISSUE}`)
  })
  assert.equal(cost.charged, 5)
  const page = await scratch.run('curl', ['-sS', 'https://octo.ghe.com/octo-org'], { env })
  assert.equal(page.text, 'page 1 of /octo-org for nobody', page.stderr)
})
