// SPDX-License-Identifier: Apache-2.0
//
// A token leaves the node towards the configured origin and nowhere else: not in logs, statistics, metrics, errors, the
// cache directory, nor to another host. Every test of this folder also searches what its programs wrote.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { test } from 'node:test'
import { CANARY, filesUnder, ghmesh, newToken, startNode, stop, world } from './lib/processes.mjs'
import { raw, request } from './lib/http.mjs'
import { newSecret } from './lib/mesh.mjs'

const PATH = '/repos/octo-org/repo-2/issues/1'

const hidden = (text, what) => assert.ok(!text.includes(CANARY), `${what} shows a token: ${text.slice(0, 500)}`)

// Whatever makes a node speak about a request.
async function provoke (w) {
  const { node, token } = w
  const texts = []
  const keep = async promise => { const got = await promise.catch(error => ({ text: String(error), headers: {} })); texts.push(got.text, JSON.stringify(got.headers ?? {})) }
  await keep(request(node.url, PATH, { token }))
  await keep(request(node.url, PATH, { token }))
  await keep(request(node.url, PATH, { token: newToken() }))
  for (const authorization of [`token ${token}`, `bearer  ${token}`, `Basic ${token}`, `Digest ${token}`, token, `Bearer ${token} ${token}`, `Bearer\t${token}`]) {
    await keep(request(node.url, PATH, { headers: { authorization } }))
  }
  await keep(request(node.url, `/repos/octo-org/none?access_token=${token}`, {}))
  await keep(request(node.url, PATH, { method: 'POST', token, body: '{}' }))
  await keep(request(node.url, '/graphql', { method: 'POST', token, body: JSON.stringify({ query: `query { viewer { login } } # ${token}` }) }))
  const fields = `Host: api.github.com\r\nAuthorization: Bearer ${token}\r\n`
  for (const bytes of [
    `GET ${PATH} HTTP/1.1\r\n${fields}Content-Length: x\r\n\r\n`,
    `GET ${PATH} HTTP/1.1\r\n${fields}Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`,
    `GET ${PATH} HTTP/1.1\r\n${fields}Connection: authorization\r\n\r\n`,
    `GET http://x:${token}@api.github.com/ HTTP/1.1\r\n${fields}\r\n`,
    `CONNECT ${token}.example:443 HTTP/1.1\r\nHost: x\r\nProxy-Authorization: Bearer ${token}\r\nConnection: close\r\n\r\n`
  ]) {
    const answer = await raw(node.port, bytes)
    // A refused authority is named in its refusal; that one is the client's own host name.
    if (!bytes.startsWith('CONNECT')) texts.push(answer.text)
  }
  return texts
}

test('A36: no token in answers, logs, statistics, metrics, explanations', async t => {
  const w = await world(t, { node: { cacheDir: 'cache' } })
  for (const text of await provoke(w)) hidden(text, 'an answer')
  const admin = `http://${w.node.ready.admin}`
  for (const page of ['/api/stats', '/api/quota', '/metrics', '/healthz', '/readyz']) {
    const answer = await fetch(admin + page)
    assert.equal(answer.status, 200, page)
    hidden(await answer.text(), page)
  }
  await stop(w.standin.child)
  for (const text of await provoke(w)) hidden(text, 'an answer without an upstream')
  hidden(w.node.log(), 'the log')
  await w.node.stop()
  w.scratch.assertNoToken()
})

test('commands show no token, by whatever variable it came', async t => {
  const w = await world(t)
  await request(w.node.url, PATH, { token: w.token })
  for (const name of ['GH_TOKEN', 'GITHUB_TOKEN']) {
    for (const args of [['get', '-i', PATH], ['explain', PATH], ['explain', '--json', PATH], ['stats'], ['stats', '--json'], ['quota'], ['get', '/repos/octo-org/none'], ['purge', '*']]) {
      const got = await ghmesh(w.scratch, [...args.slice(0, 1), '--ready-file', w.node.readyFile, ...args.slice(1)], { env: { [name]: w.token } })
      assert.ok([0, 1].includes(got.code), `${args}: ${got.stderr}`)
      hidden(got.text, args.join(' '))
      hidden(got.stderr, args.join(' '))
    }
    const absent = await ghmesh(w.scratch, ['get', '--listen', '127.0.0.1:1', '--admin', '127.0.0.1:1', PATH], { env: { [name]: w.token } })
    assert.equal(absent.code, 3)
    hidden(absent.stderr, 'a missing node')
  }
})

// A tag is a function of the token, and an unsalted hash of a token is what audit logs call hashed_token: who has either
// can link a token's requests and test guesses of a weak one.
test('a token\'s tags and hashes are shown to nobody but its own client', async t => {
  const other = newToken()
  const w = await world(t, { standin: { tokens: { [other]: { login: 'other', everything: true } } }, node: { cacheDir: 'cache' } })
  const admin = `http://${w.node.ready.admin}`
  const tagOf = answer => /[0-9a-f]{64}/.exec(answer.headers.etag)[0]
  const mine = []
  for (let i = 1; i <= 24; ++i) mine.push(await request(w.node.url, PATH.replace('/1', `/${i}`), { token: w.token }))
  const tags = mine.map(tagOf)
  assert.equal(new Set(tags).size, 24)
  const hashes = [w.token, `Bearer ${w.token}`].flatMap(text => ['hex', 'base64', 'base64url'].map(form => createHash('sha256').update(text).digest(form)))
  const absent = (text, what) => { for (const secret of [...tags, ...hashes]) assert.ok(!text.includes(secret), `${what} shows ${secret}`) }
  for (let i = 1; i <= 24; ++i) {
    const got = await request(w.node.url, PATH.replace('/1', `/${i}`), { token: other })
    assert.ok(got.body.equals(mine[i - 1].body))
    absent(JSON.stringify(got.headers) + got.text, 'another client\'s answer')
  }
  for (const page of ['/api/stats', '/api/quota', '/metrics']) absent(await (await fetch(admin + page)).text(), page)
  for (const token of [w.token, other, '']) {
    const told = await ghmesh(w.scratch, ['explain', '--json', '--ready-file', w.node.readyFile, PATH], { env: { GH_TOKEN: token } })
    assert.equal(told.code, 0, told.stderr)
    absent(told.text, 'explain')
  }
  absent(w.node.log(), 'the log')
  await w.node.stop()
  for (const file of filesUnder(w.scratch.file('cache'))) absent(fs.readFileSync(file, 'latin1'), file)
})

// What a later step of the same job could look at; the variables were given to the step that started the node.
test('A8: the mesh secret and the tokens a node was started with are shown nowhere', async t => {
  const w = await world(t)
  const secret = newSecret()
  const node = await startNode(w.scratch, w.standin.http, { cacheDir: 'cache', p2p: ['--p2p-listen', '/ip4/127.0.0.1/tcp/0'], env: { GHMESH_SECRET: secret, GH_TOKEN: w.token, SHOWN: 'this is seen' } })
  assert.equal((await request(node.url, PATH, { token: w.token })).status, 200)
  const shown = ['environ', 'cmdline', 'status'].map(name => fs.readFileSync(`/proc/${node.child.pid}/${name}`, 'latin1'))
  assert.match(shown[0], /this is seen/)
  for (const page of ['/api/stats', '/api/peers', '/metrics']) shown.push(await (await fetch(`http://${node.admin}${page}`)).text())
  for (const name of ['stats', 'peers']) shown.push((await ghmesh(w.scratch, [name, '--ready-file', node.readyFile])).text)
  assert.equal((await node.stop()).code, 0)
  for (const file of filesUnder(w.scratch.dir)) shown.push(fs.readFileSync(file, 'latin1'))
  for (const text of shown) for (const one of [secret, w.token]) assert.ok(!text.includes(one), text.slice(0, 500))
})

test('A25: the admin listener refuses pages of foreign sites', async t => {
  const w = await world(t)
  const admin = `http://${w.node.ready.admin}`
  const ask = headers => request(admin, '/api/stats', { headers })
  assert.equal((await ask({})).status, 200)
  assert.equal((await ask({ host: 'evil.example' })).status, 403)
  assert.equal((await ask({ origin: 'https://evil.example' })).status, 403)
  assert.equal((await ask({ 'sec-fetch-site': 'cross-site' })).status, 403)
  assert.equal((await request(admin, '/api/purge?pattern=*', { method: 'POST', headers: { origin: 'https://evil.example' } })).status, 403)
})

test('statistics add up to what the stand-in counted', async t => {
  const w = await world(t)
  for (let round = 0; round < 3; ++round) {
    for (const path of ['/repos/octo-org/repo-1', '/repos/octo-org/repo-1/labels', '/repos/octo-org/repo-1/actions/runs', '/search/issues?q=Issue']) await request(w.node.url, path, { token: w.token })
  }
  const stats = await w.node.stats()
  const counted = await w.standin.counters()
  assert.equal(stats.requests, 12)
  assert.equal(stats.upstream_calls, counted.total)
  assert.equal(stats.charged_calls, counted.charged)
  assert.equal(stats.free_304s, counted.free_304)
  assert.equal(stats.calls_saved, 12 - counted.charged)
  assert.equal(stats.local_hits + stats.proofs + stats.misses + stats.bypassed + stats.collapsed, 12)
})
