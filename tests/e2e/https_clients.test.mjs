// SPDX-License-Identifier: Apache-2.0
//
// Real clients and the local CA: each accepts the API's leaf, and none but Java accepts a CA like ours when it signs for
// a name beyond its constraints. The other host is reached through a tunnel, so every client also shows that it tunnels.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import process from 'node:process'
import tls from 'node:tls'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { world } from './lib/processes.mjs'

const CLIENTS = fileURLToPath(new URL('clients', import.meta.url))
const PATH = '/repos/octo-org/repo-1/issues/2'
const API = `https://api.github.com${PATH}`
const GOOD = 'good.test'
const EVIL = 'evil.test' // not among the CA's permitted names
const OTHER = 'other.test' // is shown GOOD's certificate
const BODY = '{"from":"the other host"}'

// A node whose CA is trusted, and another host whose CA is trusted, too, but may not sign for EVIL.
async function clientsWorld (t) {
  const scratchCa = fs.mkdtempSync('/tmp/ghmesh-e2e-ca-')
  t.after(() => fs.rmSync(scratchCa, { recursive: true, force: true }))
  const server = https.createServer({ SNICallback: (name, done) => done(null, contexts[name] ?? contexts[GOOD]) }, (request, response) => response.end(BODY))
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const at = `127.0.0.1:${server.address().port}`
  const w = await world(t, { node: { args: ['--ca-out', 'ca', '--resolve', `${GOOD}:443:${at}`, '--resolve', `${EVIL}:443:${at}`, '--resolve', `${OTHER}:443:${at}`] } })
  const made = await w.scratch.run(process.env.GHMESH_TEST_CA, [scratchCa, GOOD, GOOD, EVIL])
  assert.equal(made.code, 0, made.stderr)
  const read = name => fs.readFileSync(path.join(scratchCa, name))
  const contexts = Object.fromEntries([GOOD, EVIL].map(name => [name, tls.createSecureContext({ cert: read(`${name}.pem`), key: read(`${name}.key`) })]))
  // Both CAs, each in the form its clients want.
  const ca = w.scratch.write('trust/ca.pem', fs.readFileSync(w.scratch.file('ca/ghmesh-ca.pem'), 'utf8') + read('ca.pem'))
  const bundle = w.scratch.write('trust/bundle.pem', fs.readFileSync(w.scratch.file('ca/ca-bundle.pem'), 'utf8') + read('ca.pem'))
  const env = {
    TOKEN: w.token, HTTPS_PROXY: w.node.url, https_proxy: w.node.url, NO_PROXY: 'localhost',
    SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: bundle, REQUESTS_CA_BUNDLE: bundle, GIT_SSL_CAINFO: bundle, NODE_EXTRA_CA_CERTS: ca
  }
  const expected = (await w.scratch.run('curl', ['-sS', '-A', 'e2e', '-H', `Authorization: Bearer ${w.token}`, w.standin.http + PATH])).text
  const run = (command, args, more = {}) => w.scratch.run(command, args, { env: { ...env, ...more }, cwd: CLIENTS, timeout: 60_000 })
  return { ...w, ca, bundle, env, run, expected: JSON.parse(expected), scratchCa }
}

// get(url) runs the client.
async function judge (w, get, refusal) {
  await accepts(w, get)
  const evil = await get(`https://${EVIL}/`)
  assert.notEqual(evil.code, 0, evil.text)
  assert.match(evil.stderr + evil.text, refusal)
  assert.doesNotMatch(evil.text, /the other host/)
}

async function accepts (w, get) {
  const api = await get(API)
  assert.equal(api.code, 0, api.stderr)
  assert.deepEqual(JSON.parse(api.text), w.expected)
  const good = await get(`https://${GOOD}/`)
  assert.equal(good.code, 0, good.stderr)
  assert.equal(good.text.trim(), BODY)
}

const has = async (w, command, args = ['--version']) => {
  try { return (await w.scratch.run(command, args)).code === 0 } catch { return false }
}

test('A23: https clients: curl, HTTP/2 and HTTP/1.1', async t => {
  const w = await clientsWorld(t)
  for (const version of ['--http2', '--http1.1'])
    await judge(w, url => w.run('curl', ['-sS', version, '-H', `Authorization: Bearer ${w.token}`, url]), /permitted subtree|certificate/)
})

test('https clients: gh (Go)', async t => {
  const w = await clientsWorld(t)
  const get = url => {
    const { hostname, pathname } = new URL(url)
    return hostname === 'api.github.com'
      ? w.run('gh', ['api', pathname], { GH_TOKEN: w.token })
      : w.run('gh', ['api', '--hostname', hostname, '/'], { GH_ENTERPRISE_TOKEN: 'x' })
  }
  await judge(w, get, /not permitted|x509/)
})

test('https clients: Node, undici\'s proxy agent', async t => {
  const w = await clientsWorld(t)
  await judge(w, url => w.run(process.execPath, ['fetch.mjs', url]), /permitted subtree|CERT|certificate/i)
})

test('https clients: Python, urllib and requests', async t => {
  const w = await clientsWorld(t)
  await judge(w, url => w.run('python3', ['fetch.py', 'urllib', url]), /permitted subtree|CERTIFICATE_VERIFY_FAILED/)
  if ((await w.run('python3', ['fetch.py', 'requests', API])).code === 77) return t.diagnostic('requests is not installed')
  await judge(w, url => w.run('python3', ['fetch.py', 'requests', url]), /permitted subtree|CERTIFICATE_VERIFY_FAILED/)
})

test('https clients: Java, with a store made by keytool', async t => {
  const w = await clientsWorld(t)
  if (!await has(w, 'keytool', ['-help']) || !await has(w, 'javac')) return t.skip('no JDK here')
  const store = w.scratch.file('trust/store.p12')
  for (const [alias, file] of [['ghmesh', w.scratch.file('ca/ghmesh-ca.pem')], ['other', path.join(w.scratchCa, 'ca.pem')]]) {
    const made = await w.scratch.run('keytool', ['-importcert', '-noprompt', '-alias', alias, '-file', file, '-keystore', store, '-storetype', 'PKCS12', '-storepass', 'changeit'])
    assert.equal(made.code, 0, made.stderr + made.text)
  }
  const built = await w.scratch.run('javac', ['-d', w.scratch.file('java'), path.join(CLIENTS, 'Fetch.java')], { timeout: 60_000 })
  assert.equal(built.code, 0, built.stderr)
  const versions = []
  const get = async url => {
    const got = await w.run('java', [`-Djavax.net.ssl.trustStore=${store}`, '-Djavax.net.ssl.trustStorePassword=changeit', '-cp', w.scratch.file('java'), 'Fetch', url, String(w.node.port)])
    const cut = got.text.indexOf('\n')
    versions.push(got.text.slice(0, cut))
    return { ...got, text: got.text.slice(cut + 1) }
  }
  await accepts(w, get)
  assert.equal(versions[0], 'HTTP_2')
  // Java holds no trusted root to the root's own constraints: that the CA's key is gone protects it (doc/security.md).
  assert.equal((await get(`https://${EVIL}/`)).text, BODY)
  const mismatch = await get(`https://${OTHER}/`)
  assert.notEqual(mismatch.code, 0)
  assert.match(mismatch.stderr, /No subject alternative DNS name/)
})

test('https clients: git goes through a tunnel', async t => {
  const w = await clientsWorld(t)
  // A repository served as files; what is asked for besides is not found.
  const root = w.scratch.file('repositories')
  const bare = path.join(root, 'r.git')
  const git = async (...args) => {
    const got = await w.run('git', ['-c', 'user.name=e', '-c', 'user.email=e@e', ...args])
    assert.equal(got.code, 0, got.stderr)
    return got.text
  }
  await git('init', '-q', '-b', 'main', w.scratch.file('work'))
  await git('-C', w.scratch.file('work'), 'commit', '-q', '--allow-empty', '-m', 'one')
  await git('clone', '-q', '--bare', w.scratch.file('work'), bare)
  await git('-C', bare, 'update-server-info')
  const head = (await git('-C', bare, 'rev-parse', 'HEAD')).trim()
  const files = https.createServer({ cert: fs.readFileSync(path.join(w.scratchCa, `${GOOD}.pem`)), key: fs.readFileSync(path.join(w.scratchCa, `${GOOD}.key`)) }, (request, response) => {
    const file = path.join(root, path.normalize(new URL(request.url, 'https://x').pathname))
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) { response.statusCode = 404; return response.end() }
    fs.createReadStream(file).pipe(response)
  })
  await new Promise(resolve => files.listen(0, '127.0.0.1', resolve))
  t.after(() => files.close())
  t.after(() => files.closeAllConnections())
  const { startNode } = await import('./lib/processes.mjs')
  const node = await startNode(w.scratch, w.standin.http, { args: ['--ca-out', 'ca2', '--resolve', `${GOOD}:443:127.0.0.1:${files.address().port}`] })
  const listed = await w.run('git', ['ls-remote', `https://${GOOD}/r.git`], { HTTPS_PROXY: node.url, https_proxy: node.url })
  assert.equal(listed.code, 0, listed.stderr)
  assert.match(listed.text, new RegExp(`^${head}\tHEAD\n${head}\trefs/heads/main\n$`))
  const evil = await w.run('git', ['ls-remote', `https://${EVIL}/r.git`])
  assert.notEqual(evil.code, 0)
  assert.match(evil.stderr, /certificate/)
})

test('https clients: Octokit with undici\'s proxy agent, and @actions/github by the proxy variable', async t => {
  const w = await clientsWorld(t)
  const cost = await w.standin.cost(() => w.run(process.execPath, ['octokit.mjs']))
  const got = cost.result
  assert.equal(got.code, 0, got.stderr)
  const seen = JSON.parse(got.text)
  assert.deepEqual(seen.one, seen.two)
  assert.equal(seen.one.number, w.expected.number)
  assert.equal(seen.pages, 35)
  assert.equal(seen.url, API)
  assert.match(seen.status, /^ghmesh; hit/)
  assert.equal(cost.charged, 5, 'one issue and four pages, whoever asks')
})
