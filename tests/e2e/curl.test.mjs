// SPDX-License-Identifier: Apache-2.0
//
// curl and Python: pretty-printed bodies, the node as reverse proxy, as forward proxy and as a tunnel's door.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { newToken, world } from './lib/processes.mjs'
import { cacheStatus, raw, request } from './lib/http.mjs'

const PATH = '/repos/octo-org/repo-1/issues/2'

const curl = async (w, args) => {
  const got = await w.scratch.run('curl', ['-sS', '--max-time', '20', '-H', `Authorization: Bearer ${w.token}`, ...args])
  assert.equal(got.code, 0, got.stderr)
  return got
}

test('curl: reverse proxy; bodies are indented as GitHub indents them', async t => {
  const w = await world(t)
  const direct = await curl(w, [w.standin.http + PATH])
  assert.match(direct.text, /^\{\n {2}"/)
  const { charged } = await w.standin.cost(async () => {
    for (let round = 0; round < 3; ++round) {
      const through = await curl(w, [w.node.url + PATH])
      assert.ok(through.stdout.equals(direct.stdout))
    }
    // The same resource for a client that gets it compact.
    const compact = await request(w.node.url, PATH, { token: w.token, headers: { accept: '*/*' } })
    assert.deepEqual(compact.json(), JSON.parse(direct.text))
    assert.ok(compact.raw.length < direct.stdout.length)
  })
  assert.equal(charged, 1)
})

test('curl: HEAD, gzip, conditional requests', async t => {
  const w = await world(t)
  const gzip = ['--compressed', '-A', 'agent/1']
  const direct = await curl(w, [...gzip, w.standin.http + PATH])
  for (let round = 0; round < 2; ++round) assert.ok((await curl(w, [...gzip, w.node.url + PATH])).stdout.equals(direct.stdout))
  const head = await curl(w, ['-A', 'agent/1', '-I', w.node.url + PATH])
  assert.match(head.text, /^HTTP\/1.1 200/)
  assert.match(head.text, new RegExp(`content-length: ${direct.stdout.length}\r`, 'i'))
  const tag = /^etag: (.*)\r/im.exec(head.text)[1]
  const code = await curl(w, ['-o', '/dev/null', '-w', '%{http_code} %{size_download}', '-H', `If-None-Match: ${tag}`, '-A', 'agent/1', w.node.url + PATH])
  assert.equal(code.text, '304 0')
})

test('curl: forward proxy, absolute-form', async t => {
  const w = await world(t)
  const direct = await curl(w, [w.standin.http + PATH])
  const cost = await w.standin.cost(async () => {
    for (const url of [w.standin.http + PATH, `http://api.github.com${PATH}`]) {
      assert.ok((await curl(w, ['-x', w.node.url, url])).stdout.equals(direct.stdout), url)
    }
  })
  assert.equal(cost.charged, 1)
  const foreign = await curl(w, ['-x', w.node.url, '-w', '%{http_code}', 'http://example.org/'])
  assert.match(foreign.text, /does not forward to 'example.org'.*403$/s)
})

test('curl: --rewrite-links leads clients of the base URL back here, and only them', async t => {
  const w = await world(t, { standin: { args: ['--api-base', 'self'] }, node: { args: ['--rewrite-links', 'on'] } })
  const list = '/repos/octo-org/repo-1/issues?per_page=1'
  const linkOf = async (...args) => /^link: (.*)\r/im.exec((await curl(w, ['-o', '/dev/null', '-D', '-', ...args])).text)?.[1]
  for (let round = 0; round < 2; ++round) {
    const here = await linkOf(w.node.url + list)
    assert.ok(here.startsWith(`<${w.node.url}/`), here)
    assert.ok(!here.includes(w.standin.http))
    const proxied = await linkOf('-x', w.node.url, w.standin.http + list)
    assert.ok(proxied.startsWith(`<${w.standin.http}/`), proxied)
  }
})

test('curl: CONNECT to the upstream passes, to anything else it is 403', async t => {
  const w = await world(t)
  const tunnelled = await curl(w, ['-p', '-x', w.node.url, w.standin.http + PATH])
  assert.equal(JSON.parse(tunnelled.text).number, 2)
  for (const target of ['example.org:443', '127.0.0.1:22', '169.254.169.254:80', '10.0.0.1:443', 'localhost:443', 'codeload.github.com:22', 'github.com.example.org:443']) {
    const got = await raw(w.node.port, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`)
    assert.match(got.text, /^HTTP\/1.1 403 /, target)
  }
})

test('curl: private repositories are 404 to a reader, whatever is held for others', async t => {
  const reader = newToken()
  const w = await world(t, { standin: { tokens: { [reader]: { login: 'reader' } } } })
  const path = '/repos/octo-org/repo-2/issues/1'
  assert.equal((await request(w.node.url, path, { token: w.token })).status, 200)
  const denied = await request(w.node.url, path, { token: reader })
  assert.equal(denied.status, 404)
  assert.equal(denied.text, (await request(w.standin.http, path, { token: reader })).text)
  assert.equal((await request(w.node.url, path, {})).status, 404)
})

test('client bounds: no-cache proves, no-store forwards, only-if-cached never asks', async t => {
  const w = await world(t)
  const ask = (control, path = PATH) => request(w.node.url, path, { token: w.token, headers: { 'cache-control': control } })
  await request(w.node.url, PATH, { token: w.token })
  const proved = await w.standin.cost(() => ask('no-cache'))
  assert.match(cacheStatus(proved.result), /hit; .*detail=proof/)
  assert.deepEqual([proved.charged, proved.total], [0, 1])
  const cached = await w.standin.cost(() => ask('only-if-cached'))
  assert.deepEqual([cached.result.status, cached.total], [200, 0])
  const missing = await w.standin.cost(() => ask('only-if-cached', '/repos/octo-org/repo-1/readme'))
  assert.deepEqual([missing.result.status, missing.total], [504, 0])
  await w.standin.set(PATH, { ...proved.result.json(), title: 'another' })
  const changed = await ask('no-cache')
  assert.match(cacheStatus(changed), /fwd=(stale|request|miss); fwd-status=200/)
  assert.equal(changed.text, (await request(w.standin.http, PATH, { token: w.token })).text)
})

test('python: urllib, straight and through http_proxy', async t => {
  const w = await world(t)
  const script = `
import sys, urllib.request
for url in sys.argv[1:]:
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + sys.stdin.readline().strip(), "Accept": "application/vnd.github+json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        sys.stdout.write("%d %s\\n" % (answer.status, answer.headers.get("X-From-Cache")))
        sys.stdout.flush()
        sys.stdout.buffer.write(answer.read() + b"\\n")
`
  w.scratch.write('ask.py', script)
  const ask = async (urls, env = {}) => {
    const got = await w.scratch.run('python3', [w.scratch.file('ask.py'), ...urls], { input: urls.map(() => `${w.token}\n`).join(''), env })
    assert.equal(got.code, 0, got.stderr)
    return got.text.split('\n').filter(line => line)
  }
  const body = (await ask([w.standin.http + PATH]))[1]
  const { charged, result } = await w.standin.cost(() => ask([w.node.url + PATH, w.node.url + PATH]))
  assert.deepEqual(result, ['200 None', body, '200 1', body])
  assert.equal(charged, 1)
  const proxied = await w.standin.cost(() => ask([`http://api.github.com${PATH}`], { http_proxy: w.node.url }))
  assert.deepEqual(proxied.result, ['200 1', body])
  assert.equal(proxied.total, 0)
})

test('https upstream: trusted by --upstream-ca, and never without it', async t => {
  const w = await world(t, { https: true })
  const direct = await curl(w, ['--cacert', w.standin.caFile, w.standin.https + PATH])
  const cost = await w.standin.cost(async () => {
    for (let round = 0; round < 2; ++round) assert.ok((await curl(w, [w.node.url + PATH])).stdout.equals(direct.stdout))
  })
  assert.equal(cost.charged, 1)
  assert.ok(fs.existsSync(w.standin.caFile))
  const { startNode } = await import('./lib/processes.mjs')
  const distrustful = await startNode(w.scratch, w.standin.https)
  const refused = await w.standin.cost(() => request(distrustful.url, PATH, { token: w.token }))
  assert.equal(refused.result.status, 502)
  assert.match(refused.result.text, /certificate/)
  assert.equal(refused.total, 0)
})
