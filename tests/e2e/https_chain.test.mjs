// SPDX-License-Identifier: Apache-2.0
//
// A node in a network that lets nothing out but through a proxy: it reaches its origin and its tunnels' hosts through
// that one, with its credentials, and never itself. The names exist behind that proxy only.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { startConnectProxy } from './lib/connect_proxy.mjs'
import { request } from './lib/http.mjs'
import { BIN, Scratch, freePort, ghmesh, newToken, startNode, startStandin } from './lib/processes.mjs'

const API = 'api.github.com'
const OTHER = 'downloads.test'
const ISSUE = '/repos/octo-org/repo-1/issues/2'

async function corporate (t, { credentials } = {}) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { tokens: { [token]: { login: 'octocat', everything: true } } })
  const made = await scratch.run(process.env.GHMESH_TEST_CA, [scratch.file('far'), OTHER, OTHER])
  assert.equal(made.code, 0, made.stderr)
  const read = name => fs.readFileSync(scratch.file(path.join('far', name)))
  const far = https.createServer({ cert: read(`${OTHER}.pem`), key: read(`${OTHER}.key`) }, (request, response) => response.end(`from ${OTHER}`))
  await new Promise(resolve => far.listen(0, '127.0.0.1', resolve))
  t.after(() => far.close())
  t.after(() => far.closeAllConnections())
  const proxy = await startConnectProxy(t, { [`${API}:443`]: new URL(standin.https).host, [`${OTHER}:443`]: `127.0.0.1:${far.address().port}` }, { credentials })
  const start = (env, args = []) => startNode(scratch, `https://${API}`, { args: ['--ca-out', 'ca', '--upstream-ca', standin.caFile, ...args], env })
  return { scratch, token, standin, proxy, start, farCa: scratch.file('far/ca.pem') }
}

const other = (w, node) => w.scratch.run('curl', ['-sS', '--max-time', '20', '--cacert', w.farCa, '-x', node.url, `https://${OTHER}/`])

test('chain: the origin and tunnels are reached through the proxy of the environment, with its credentials', async t => {
  const w = await corporate(t, { credentials: `${newToken()}:${newToken()}/x` })
  const node = await w.start({ https_proxy: w.proxy.url })
  const cost = await w.standin.cost(async () => {
    for (let round = 0; round < 3; ++round) assert.equal((await request(node.url, ISSUE, { token: w.token })).status, 200)
  })
  assert.equal(cost.charged, 1)
  assert.equal(w.proxy.count(`${API}:443`), 1)
  assert.equal((await other(w, node)).text, `from ${OTHER}`)
  assert.deepEqual(w.proxy.asked, [`${API}:443`, `${OTHER}:443`])
  for (const via of w.proxy.via) assert.match(via, /^1\.1 ghmesh-[0-9a-f]{8}$/)
  const told = JSON.parse((await ghmesh(w.scratch, ['verify', '--json', '--ready-file', node.readyFile])).text)
  assert.deepEqual(told.checks.find(check => check.name === 'way out'), { name: 'way out', ok: true, detail: `through http://${w.proxy.at}, connections: 2` })
})

test('chain: --upstream-proxy wins over the environment, none means none', async t => {
  const w = await corporate(t)
  const wrong = await startConnectProxy(t, {})
  const node = await w.start({ HTTPS_PROXY: wrong.url }, ['--upstream-proxy', w.proxy.url])
  assert.equal((await request(node.url, ISSUE, { token: w.token })).status, 200)
  const direct = await startNode(w.scratch, w.standin.https, { args: ['--upstream-ca', w.standin.caFile, '--upstream-proxy', 'none'], env: { HTTPS_PROXY: wrong.url } })
  assert.equal((await request(direct.url, ISSUE, { token: w.token })).status, 200)
  // An origin on this machine is nobody else's to reach.
  const near = await startNode(w.scratch, w.standin.https, { args: ['--upstream-ca', w.standin.caFile], env: { HTTPS_PROXY: wrong.url } })
  assert.equal((await request(near.url, ISSUE, { token: w.token })).status, 200)
  assert.deepEqual(wrong.asked, [])
})

test('chain: what the proxy does not let pass is said, and addresses that are not public stay refused', async t => {
  const w = await corporate(t, { credentials: `me:${newToken()}` })
  const node = await w.start({ https_proxy: `http://me:${newToken()}@${w.proxy.at}` })
  const got = await request(node.url, ISSUE, { token: w.token })
  assert.equal(got.status, 502)
  assert.match(got.text, new RegExp(`the proxy ${w.proxy.at}: wants a name and a password, or others \\(407\\)`))
  const told = JSON.parse((await ghmesh(w.scratch, ['verify', '--json', '--ready-file', node.readyFile])).text)
  assert.equal(told.checks.find(check => check.name === 'way out').ok, false)
  const before = w.proxy.asked.length
  for (const target of ['10.0.0.1:443', '169.254.169.254:80', '127.0.0.1:22']) {
    const refused = await w.scratch.run('curl', ['-sS', '-x', node.url, '-p', `http://${target}/`])
    assert.match(refused.stderr, /403/, target)
  }
  assert.equal(w.proxy.asked.length, before)
})

test('chain: a circle of two nodes ends', async t => {
  const w = await corporate(t)
  const [a, b] = [await freePort(), await freePort()]
  const start = (port, to) => startNode(w.scratch, `https://${API}`, { listen: `127.0.0.1:${port}`, args: ['--upstream-proxy', `http://127.0.0.1:${to}`] })
  const nodes = await Promise.all([start(a, b), start(b, a)])
  for (const node of nodes) assert.equal((await request(node.url, ISSUE, { token: w.token })).status, 502)
  assert.match((await request(nodes[0].url, ISSUE, { token: w.token })).text, /refuses \((508|502)\)/)
  // Each question went once around, and no further.
  for (const node of nodes) assert.ok((await node.stats()).errors < 20)
  const own = await ghmesh(w.scratch, ['serve', '--listen', `127.0.0.1:${a}`, '--upstream-proxy', `http://localhost:${a}`])
  assert.equal(own.code, 2)
  assert.match(own.stderr, /is this node's own --listen/)
})

test('chain: run takes the proxy over, for a node within a node, too', async t => {
  const w = await corporate(t, { credentials: `me:${newToken()}` })
  const env = { HTTPS_PROXY: w.proxy.url, https_proxy: w.proxy.url, GHMESH_UPSTREAM: `https://${API}`, GHMESH_UPSTREAM_CA: w.standin.caFile, GHMESH_P2P: 'off', TOKEN: w.token }
  const ask = `curl -sS -H "Authorization: Bearer $TOKEN" https://${API}${ISSUE}`
  const cost = await w.standin.cost(async () => {
    const got = await w.scratch.run(BIN, ['run', '--', 'sh', '-c', `test "$HTTPS_PROXY" = "$GHMESH_URL" && ${ask} && ${ask} && curl -sS --cacert ${w.farCa} https://${OTHER}/`], { env })
    assert.equal(got.code, 0, got.stderr)
    assert.ok(got.text.endsWith(`from ${OTHER}`))
  })
  assert.equal(cost.charged, 1)
  assert.deepEqual(w.proxy.asked, [`${API}:443`, `${OTHER}:443`])
  const nested = await w.scratch.run(BIN, ['run', '--', BIN, 'run', '--', 'sh', '-c', ask], { env })
  assert.equal(nested.code, 0, nested.stderr)
  assert.equal(JSON.parse(nested.text).number, 2)
  assert.deepEqual(w.proxy.asked.slice(2), [`${API}:443`])
})

test('chain: init takes the proxy over and stop gives it back; doctor tells', async t => {
  const w = await corporate(t, { credentials: `me:${newToken()}` })
  const env = { HTTPS_PROXY: w.proxy.url, https_proxy: w.proxy.url, NO_PROXY: '.corp.test', no_proxy: '.corp.test', GHMESH_UPSTREAM: `https://${API}`, GHMESH_UPSTREAM_CA: w.standin.caFile, GHMESH_P2P: 'off', GHMESH_CACHE_DIR: 'none', TOKEN: w.token, XDG_RUNTIME_DIR: w.scratch.dir, BIN }
  const got = await w.scratch.run('sh', ['-c', `
    eval "$("$BIN" init --wait 20 --listen 127.0.0.1:0 --admin 127.0.0.1:0)" || exit 9
    curl -sS -o one -H "Authorization: Bearer $TOKEN" https://${API}${ISSUE} || exit 8
    eval "$("$BIN" init --wait 20)" || exit 7
    "$BIN" doctor --json > doctor.json
    echo "$NO_PROXY"
    eval "$("$BIN" stop)" || exit 6
    test "$HTTPS_PROXY" = "$BEFORE" && test -z "$GHMESH_UPSTREAM_PROXY" || exit 5`], { env: { ...env, BEFORE: w.proxy.url } })
  assert.equal(got.code, 0, got.stderr)
  assert.match(got.text, /^\.corp\.test,localhost,/m)
  assert.equal(JSON.parse(fs.readFileSync(w.scratch.file('one'))).number, 2)
  const told = JSON.parse(fs.readFileSync(w.scratch.file('doctor.json')))
  assert.deepEqual(told.findings.find(one => one.name === 'way out'), { verdict: 'ok', name: 'way out', detail: `through http://${w.proxy.at}`, fix: null })
})
