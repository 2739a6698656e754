// SPDX-License-Identifier: Apache-2.0
//
// ghmesh doctor is believed only where the client itself does as it says: each verdict is tried by running the client in
// the very environment that was judged, in a network that has loopback only, and by counting what reached the node.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BIN, ghmesh, newToken, world } from './lib/processes.mjs'

const PATH = '/repos/octo-org/repo-1'
const URL_ = `https://api.github.com${PATH}`

// How each client asks. The token goes along in its environment.
const CLIENTS = {
  gh: ['gh', 'api', PATH.slice(1)],
  curl: ['curl', '-sSf', '--max-time', '10', '-H', 'Authorization: Bearer @TOKEN@', URL_],
  python3: ['python3', '-c', `import os, urllib.request as r; r.urlopen(r.Request("${URL_}", headers={"Authorization": "Bearer " + os.environ["GH_TOKEN"]}), timeout=10).read()`],
  node: ['node', '-e', `fetch("${URL_}", {headers: {authorization: "Bearer " + process.env.GH_TOKEN}}).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))`],
  java: ['java', '-XX:TieredStopAtLevel=1', fileURLToPath(new URL('clients/Plain.java', import.meta.url)), URL_]
}

if (process.env.GHMESH_ALONE !== '1') {
  test('in a network of its own', () => {
    const { NODE_TEST_CONTEXT, ...env } = process.env
    const run = spawnSync('python3', [fileURLToPath(new URL('lib/alone.py', import.meta.url)), process.execPath, '--no-warnings', fileURLToPath(import.meta.url)], { env, encoding: 'utf8' })
    assert.equal(run.status, 0, run.stdout + run.stderr)
  })
} else {
  tests()
}

async function arrange (t) {
  const w = await world(t, { node: { args: ['--ca-out', 'ca'] } })
  const home = w.scratch.file('client-home')
  fs.mkdirSync(home)
  w.base = { HOME: home, GH_TOKEN: w.token, GHMESH_NODE: w.node.readyFile, GHMESH_CA_OUT: w.scratch.file('ca'), GHMESH_P2P: 'off' }
  const bundle = w.scratch.file('ca/ca-bundle.pem')
  w.pointed = {
    HTTPS_PROXY: w.node.url, https_proxy: w.node.url, SSL_CERT_FILE: bundle, CURL_CA_BUNDLE: bundle, REQUESTS_CA_BUNDLE: bundle,
    GIT_SSL_CAINFO: bundle, NODE_EXTRA_CA_CERTS: w.scratch.file('ca/ghmesh-ca.pem'), NODE_USE_ENV_PROXY: '1'
  }
  w.doctor = async (env, args = []) => {
    const got = await ghmesh(w.scratch, ['doctor', '--json', ...args], { env: { ...w.base, ...env } })
    assert.ok(!got.text.includes(w.token) && !got.stderr.includes(w.token))
    const report = JSON.parse(got.text)
    assert.equal(got.code === 0, report.ok, got.text)
    return { ...report, code: got.code, of: name => report.findings.filter(each => each.name === name) }
  }
  // Whether the client got its answer, and from the node.
  w.goesThrough = async (client, env) => {
    const before = (await w.node.stats()).requests
    const [command, ...args] = CLIENTS[client].map(word => word.replace('@TOKEN@', w.token))
    const got = await w.scratch.run(command, args, { env: { ...w.base, ...env } })
    const after = (await w.node.stats()).requests
    assert.equal(got.code === 0, after > before, `${client}: ${got.stderr}`)
    w.said = got.stderr
    return after > before
  }
  return w
}

// The verdict of each client, and the client.
async function compare (w, env, clients = ['gh', 'curl', 'python3', 'node']) {
  const report = await w.doctor(env)
  const verdicts = {}
  for (const client of clients) {
    const [finding] = report.of(client)
    assert.ok(finding, `${client} was not judged`)
    assert.equal(await w.goesThrough(client, env), finding.verdict === 'ok', `${client}: ${JSON.stringify(finding)}\n${w.said}`)
    assert.equal(finding.verdict === 'ok', finding.fix === null)
    verdicts[client] = finding.verdict
  }
  return { report, verdicts }
}

function tests () {
  test('all set: every client goes through, but a Node that heeds no proxy', async t => {
    const w = await arrange(t)
    const { report, verdicts } = await compare(w, w.pointed)
    assert.equal(report.code, 0, JSON.stringify(report))
    const { node, ...others } = verdicts
    assert.deepEqual(others, { gh: 'ok', curl: 'ok', python3: 'ok' })
    const [major, minor] = process.versions.node.split('.').map(Number)
    assert.equal(node, major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21) ? 'ok' : 'warning')
    assert.equal(report.of('clock')[0].verdict, 'ok')
  })

  test('nothing set: every client goes directly; the lines that doctor names mend it', async t => {
    const w = await arrange(t)
    const { report, verdicts } = await compare(w, {})
    assert.equal(report.code, 1)
    assert.deepEqual(verdicts, { gh: 'wrong', curl: 'wrong', python3: 'wrong', node: 'wrong' })
    // Line by line, as a user would: at most one for the proxy and a few for the roots.
    for (const client of ['gh', 'curl', 'python3']) {
      const lines = []
      let fix
      for (let round = 0; round < 6; ++round) {
        const script = w.scratch.write('client-fix.sh', [...lines, 'exec "$0" "$@"', ''].join('\n'))
        const got = await w.scratch.run('sh', ['-c', fs.readFileSync(script, 'utf8'), BIN, 'doctor', '--json'], { env: w.base })
        ;[{ fix }] = JSON.parse(got.text).findings.filter(each => each.name === client)
        if (fix === null) break
        lines.push(fix)
      }
      assert.equal(fix, null, `${client}: ${lines.join('\n')}`)
      const before = (await w.node.stats()).requests
      const [command, ...args] = CLIENTS[client].map(word => word.replace('@TOKEN@', w.token))
      const got = await w.scratch.run('sh', ['-c', [...lines, 'exec "$0" "$@"'].join('\n'), command, ...args], { env: w.base })
      assert.equal(got.code, 0, got.stderr)
      assert.ok((await w.node.stats()).requests > before, client)
    }
  })

  test('gh by its socket', async t => {
    const w = await arrange(t)
    w.scratch.write('client-gh/config.yml', `http_unix_socket: ${w.node.socket}\n`)
    const { verdicts } = await compare(w, { GH_CONFIG_DIR: w.scratch.file('client-gh') }, ['gh'])
    assert.deepEqual(verdicts, { gh: 'ok' })
    w.scratch.write('client-gh/config.yml', `http_unix_socket: ${w.node.socket}.gone\n`)
    assert.deepEqual((await compare(w, { GH_CONFIG_DIR: w.scratch.file('client-gh') }, ['gh'])).verdicts, { gh: 'wrong' })
  })

  for (const entry of ['api.github.com', 'github.com', '.github.com', '*']) {
    test(`NO_PROXY=${entry}: the clients go directly`, async t => {
      const w = await arrange(t)
      const { report, verdicts } = await compare(w, { ...w.pointed, NO_PROXY: entry, no_proxy: entry }, ['gh', 'curl', 'python3'])
      assert.deepEqual(verdicts, { gh: 'wrong', curl: 'wrong', python3: 'wrong' })
      assert.equal(report.of('NO_PROXY')[0].verdict, 'wrong')
    })
  }

  test('spellings that disagree: each client by the one that it reads first', async t => {
    const w = await arrange(t)
    const dead = 'http://127.0.0.1:1'
    assert.deepEqual((await compare(w, { ...w.pointed, HTTPS_PROXY: dead }, ['gh', 'curl', 'python3'])).verdicts, { gh: 'wrong', curl: 'ok', python3: 'ok' })
    assert.deepEqual((await compare(w, { ...w.pointed, https_proxy: dead }, ['gh', 'curl', 'python3'])).verdicts, { gh: 'ok', curl: 'wrong', python3: 'wrong' })
    const split = { ...w.pointed, NO_PROXY: 'api.github.com', no_proxy: 'localhost' }
    assert.deepEqual((await compare(w, split, ['gh', 'curl', 'python3'])).verdicts, { gh: 'wrong', curl: 'ok', python3: 'ok' })
  })

  test('roots: unreadable, without our CA', async t => {
    const w = await arrange(t)
    const system = '/etc/ssl/certs/ca-certificates.crt'
    for (const file of [w.scratch.file('none.pem'), system]) {
      const env = { ...w.pointed, SSL_CERT_FILE: file, CURL_CA_BUNDLE: file }
      assert.deepEqual((await compare(w, env, ['gh', 'curl', 'python3'])).verdicts, { gh: 'wrong', curl: 'wrong', python3: 'wrong' })
    }
  })

  test('.curlrc', async t => {
    const w = await arrange(t)
    w.scratch.write('client-home/.curlrc', 'proxy = "http://127.0.0.1:1"\n')
    assert.deepEqual((await compare(w, w.pointed, ['curl'])).verdicts, { curl: 'wrong' })
    w.scratch.write('client-home/.curlrc', 'noproxy = api.github.com\n')
    assert.deepEqual((await compare(w, w.pointed, ['curl'])).verdicts, { curl: 'wrong' })
  })

  test('java goes directly, and through the node once the named line was typed', async t => {
    const w = await arrange(t)
    if (spawnSync('javac', ['--version']).status !== 0 || spawnSync('keytool', ['-help']).status !== 0) return t.skip('no JDK here')
    const direct = await compare(w, w.pointed, ['java'])
    assert.deepEqual(direct.verdicts, { java: 'warning' })
    assert.equal(direct.report.code, 0)
    const [{ fix }] = direct.report.of('java')
    const typed = await w.scratch.run('sh', ['-c', `${fix} && printf %s "$JAVA_TOOL_OPTIONS"`], { env: { ...w.base, ...w.pointed } })
    assert.equal(typed.code, 0, typed.stderr)
    const options = typed.text.slice(typed.text.lastIndexOf('-Dhttps.proxyHost'))
    assert.deepEqual((await compare(w, { ...w.pointed, JAVA_TOOL_OPTIONS: options }, ['java'])).verdicts, { java: 'ok' })
    const untrusting = options.replace(/ -Djavax\S+/, '')
    assert.deepEqual((await compare(w, { ...w.pointed, JAVA_TOOL_OPTIONS: untrusting }, ['java'])).verdicts, { java: 'wrong' })
  })

  test('no node: exit status 3, clients that point at it fail, and a taken port is named', async t => {
    const w = await arrange(t)
    await w.node.stop()
    const env = { ...w.pointed, GHMESH_NODE: '', GHMESH_LISTEN: w.node.ready.listen, GHMESH_ADMIN: w.node.admin }
    const report = await w.doctor(env)
    assert.equal(report.code, 3)
    for (const client of ['gh', 'curl', 'python3']) assert.match(report.of(client)[0].detail, /does not answer/)
    const standin = new URL(w.standin.http).host
    const taken = await w.doctor({ GHMESH_NODE: '', GHMESH_LISTEN: '127.0.0.1:0', GHMESH_ADMIN: standin })
    assert.match(taken.of('ports')[0].detail, new RegExp(`${standin} cannot be had`))
  })

  test('a weak secret, a job\'s token, a file that others may read, a bad setting', async t => {
    const w = await arrange(t)
    const secret = async (env, args) => (await w.doctor({ ...w.pointed, GHMESH_P2P: 'on', ...env }, args)).of('secret')
    assert.equal((await secret({ GHMESH_SECRET: 'passphrase' }))[0].verdict, 'wrong')
    assert.match((await secret({ GH_TOKEN: `ghs_${newToken()}` }))[0].detail, /one job only/)
    const file = w.scratch.write('client-secret', (await ghmesh(w.scratch, ['secret', 'new'])).text)
    fs.chmodSync(file, 0o644)
    assert.deepEqual((await secret({}, ['--secret-file', file])).map(each => each.verdict), ['ok', 'wrong'])
    fs.chmodSync(file, 0o600)
    assert.deepEqual((await secret({}, ['--secret-file', file])).map(each => each.verdict), ['ok'])
    assert.match((await w.doctor({ GHMESH_MEMORY_MAX: 'lots' })).of('settings')[0].detail, /GHMESH_MEMORY_MAX/)
  })
}
