// SPDX-License-Identifier: Apache-2.0
//
// The node as HTTPS proxy: the API's hosts are answered with a leaf of the local CA, everything else is tunnelled
// untouched, and what is not public is refused.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { newToken, world } from './lib/processes.mjs'
import { raw } from './lib/http.mjs'

const PATH = '/repos/octo-org/repo-1/issues/2'
const API = `https://api.github.com${PATH}`

async function httpsWorld (t, { args = [], ...rest } = {}) {
  const w = await world(t, { ...rest, node: { ...rest.node, args: ['--ca-out', 'ca', ...args] } })
  w.ca = w.scratch.file('ca/ghmesh-ca.pem')
  w.bundle = w.scratch.file('ca/ca-bundle.pem')
  w.env = { HTTPS_PROXY: w.node.url, https_proxy: w.node.url, SSL_CERT_FILE: w.bundle, CURL_CA_BUNDLE: w.bundle, GIT_SSL_CAINFO: w.bundle, NODE_EXTRA_CA_CERTS: w.ca }
  return w
}

const curl = async (w, args, { env = w.env, code = 0, input } = {}) => {
  const got = await w.scratch.run('curl', ['-sS', '--max-time', '20', '-H', `Authorization: Bearer ${w.token}`, ...args], { env, input })
  assert.equal(got.code, code, got.stderr)
  return got
}

test('https: curl over HTTP/1.1 gets the same bytes, for one charge', async t => {
  const w = await httpsWorld(t)
  const direct = await curl(w, [w.standin.http + PATH], { env: {} })
  const cost = await w.standin.cost(async () => {
    for (let round = 0; round < 3; ++round) {
      const got = await curl(w, ['--http1.1', '-w', '\\n%{http_version} %{http_code}', API])
      assert.equal(got.text, direct.text + '\n1.1 200')
    }
    // The same entry for a client without TLS.
    assert.ok((await curl(w, [w.node.url + PATH], { env: {} })).stdout.equals(direct.stdout))
  })
  assert.equal(cost.charged, 1)
})

test('https: curl over HTTP/2 gets the same bytes; HEAD, conditions, a body, many at once', async t => {
  const w = await httpsWorld(t)
  const direct = await curl(w, [w.standin.http + PATH], { env: {} })
  const got = await curl(w, ['-w', '\\n%{http_version} %{http_code}', API])
  assert.equal(got.text, direct.text + '\n2 200')
  const head = await curl(w, ['-I', API])
  assert.match(head.text, new RegExp(`^HTTP/2 200[^]*^content-length: ${direct.stdout.length}\r`, 'm'))
  const tag = /^etag: (.*)\r/im.exec(head.text)[1]
  assert.equal((await curl(w, ['-o', '/dev/null', '-w', '%{http_code} %{size_download}', '-H', `If-None-Match: ${tag}`, API])).text, '304 0')
  const body = JSON.stringify({ body: 'x'.repeat(200_000) })
  const posted = await curl(w, ['-w', '\\n%{http_version} %{http_code}', '--data-binary', '@-', `https://api.github.com/repos/octo-org/repo-1/issues/2/comments`], { input: body })
  assert.match(posted.text, /\n2 201$/)
  assert.equal(JSON.parse(posted.text.slice(0, posted.text.lastIndexOf('\n'))).body.length, 200_000)
  // Sixty requests on one connection, most of them at once.
  const urls = Array.from({ length: 60 }, (_, i) => `https://api.github.com/repos/octo-org/repo-1/issues/${1 + i % 3}`)
  const many = await curl(w, ['--parallel', '--parallel-max', '60', '-w', '%{http_version} %{http_code}\\n', ...urls.flatMap(url => ['-o', '/dev/null', url])])
  assert.equal(many.text, '2 200\n'.repeat(60))
})

test('https: the files are public, whole and gone at the end', async t => {
  const w = await httpsWorld(t)
  for (const file of [w.ca, w.bundle]) assert.equal(fs.statSync(file).mode & 0o777, 0o644)
  const ca = fs.readFileSync(w.ca, 'utf8')
  assert.match(ca, /^-----BEGIN CERTIFICATE-----\n[^]+-----END CERTIFICATE-----\n$/)
  assert.ok(fs.readFileSync(w.bundle, 'utf8').endsWith(ca))
  assert.ok(fs.readFileSync(w.bundle, 'utf8').length > ca.length, 'the system\'s roots are missing')
  assert.doesNotMatch(fs.readFileSync(w.bundle, 'utf8'), /PRIVATE KEY/)
  const text = (await w.scratch.run('openssl', ['x509', '-in', w.ca, '-noout', '-text'])).text
  assert.match(text, /Name Constraints: critical\s+Permitted:\s+DNS:api\.github\.com\s+Excluded:/)
  assert.match(text, /CA:TRUE, pathlen:0/)
  assert.match(text, /prime256v1/)
  await w.node.stop()
  assert.ok(!fs.existsSync(path.dirname(w.ca)))
})

test('https: a client that was not told to trust the CA does not', async t => {
  const w = await httpsWorld(t)
  const got = await curl(w, [API], { env: { HTTPS_PROXY: w.node.url }, code: 60 })
  assert.match(got.stderr, /certificate/)
  assert.match(w.node.log(), /TLS handshake failed.*unknown ca.*ca-bundle\.pem/)
})

test('https: inside, no other host and no CONNECT', async t => {
  const w = await httpsWorld(t)
  const other = await curl(w, ['--http1.1', '-H', 'Host: github.com', '-w', '\\n%{http_code}', API])
  assert.match(other.text, /421$/)
  const nested = await curl(w, ['--http1.1', '-X', 'CONNECT', '--request-target', 'api.github.com:443', '-w', '\\n%{http_code}', '-H', 'Host: api.github.com:443', API])
  assert.match(nested.text, /405$/)
})

test('A22: what is not public is refused, unless it was named', async t => {
  const w = await httpsWorld(t, { args: ['--tunnel-to', '127.0.0.2'] })
  const connect = async target => (await raw(w.node.port, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`)).text.slice(9, 12)
  for (const target of ['127.0.0.1:22', 'localhost:443', '169.254.169.254:80', '2852039166:80', '0xa9fea9fe:80', '0251.0376.0251.0376:80', '[64:ff9b::a9fe:a9fe]:80', '0.0.0.0:443', '[::ffff:169.254.169.254]:443', '10.0.0.1:443', '192.168.1.1:443', '[::1]:443', '[fd00::1]:443', '100.64.0.1:443', `127.0.0.1:${w.node.port}`])
    assert.equal(await connect(target), '403', target)
  // Nothing listens there; that it was tried is the point.
  assert.equal(await connect('127.0.0.2:1'), '502')
})

test('https: --connect-policy refuse', async t => {
  const refusing = await httpsWorld(t, { args: ['--connect-policy', 'refuse'] })
  assert.ok(!fs.existsSync(refusing.ca))
  assert.match((await curl(refusing, [API], { env: { HTTPS_PROXY: refusing.node.url }, code: 56 })).stderr, /403/)
})

test('https: run leads curl, with its own node', async t => {
  const w = await httpsWorld(t)
  const direct = await curl(w, [w.standin.http + PATH], { env: {} })
  const bin = process.env.GHMESH_BIN
  const env = { GHMESH_UPSTREAM: w.standin.http, GHMESH_P2P: 'off', TOKEN: newToken() }
  await w.standin.token(env.TOKEN, { login: 'octocat', everything: true })
  const cost = await w.standin.cost(async () => {
    const got = await w.scratch.run(bin, ['run', '--', 'sh', '-c', `curl -sS -H "Authorization: Bearer $TOKEN" ${API}; curl -sS -H "Authorization: Bearer $TOKEN" ${API}; ls $(dirname $SSL_CERT_FILE) >&2`], { env })
    assert.equal(got.code, 0, got.stderr)
    assert.equal(got.text, direct.text + direct.text)
    assert.match(got.stderr, /ca-bundle\.pem\nghmesh-ca\.pem/)
  })
  assert.equal(cost.charged, 1)
})
