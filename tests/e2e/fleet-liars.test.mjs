// SPDX-License-Identifier: Apache-2.0
//
// Members that hold the secret and lie, as processes of their own among honest ones: whatever they say, clients get
// GitHub's bytes, and the honest go on sharing.

import assert from 'node:assert/strict'
import path from 'node:path'
import process from 'node:process'
import readline from 'node:readline'
import { test } from 'node:test'
import { filePaths } from './lib/fleet.mjs'
import { request } from './lib/http.mjs'
import { eventually, startMesh } from './lib/mesh.mjs'
import { BIN, newToken, Scratch, startStandin } from './lib/processes.mjs'

const LIAR = path.resolve(process.env.GHMESH_TEST_LIAR ?? path.join(path.dirname(BIN), 'tests/e2e/ghmesh-test-liar'))
const HONEST = 3
const LIARS = 2
const SECRETS = ['/user', '/user/repos']
const paths = filePaths(60)
// Every node is asked everything: what others fetched already is theirs to share.
const QUESTIONS = HONEST * paths.length
const SHARED_BY_ALL = QUESTIONS - paths.length

// What liars may cost the honest: a fifth of what they share.
function assertSharing (t, charged) {
  t.diagnostic(`${charged} charged for ${paths.length} questions of ${HONEST}`)
  assert.ok(charged >= paths.length, `${charged} charged`)
  assert.ok(QUESTIONS - charged >= 0.8 * SHARED_BY_ALL, `${charged} charged`)
}

function startLiar (scratch, kind, secret, contact, number) {
  const child = scratch.start(`liar-${number}`, LIAR, [kind, contact], { stdout: 'pipe', env: { GHMESH_SECRET: secret } })
  const liar = { lines: [], bodies: () => liar.lines.filter(line => line.startsWith('body ')).map(line => Buffer.from(line.slice(5), 'hex')) }
  readline.createInterface({ input: child.stdout }).on('line', line => {
    liar.lines.push(line)
    if (line.startsWith('liar ')) liar.id = line.slice(5)
  })
  return liar
}

const said = (liar, what) => liar.lines.some(line => line.startsWith(what))

async function crowd (t, kind, hasArrived, count = LIARS) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { args: ['--files', '60'], tokens: { [token]: { login: 'octocat', everything: true } } })
  const truth = new Map()
  for (const path of [...paths, ...SECRETS]) truth.set(path, (await request(standin.http, path, { token })).body)
  const { nodes, secret, contacts } = await startMesh(scratch, standin.http, HONEST)
  const liars = Array.from({ length: count }, (_, i) => startLiar(scratch, kind, secret, contacts[0], i))
  await eventually(async () => {
    for (const liar of liars) {
      if (!liar.id) return 'one has not begun'
      const missing = await hasArrived(liar, nodes)
      if (missing) return `${missing}: ${liar.lines.filter(line => !line.startsWith('body ')).slice(-3)}`
    }
    return ''
  }, 'the liars\' arrival')
  // Every node is asked everything, one after the other.
  const ask = async (query = '') => {
    for (const node of nodes) {
      await Promise.all(paths.map(async path => {
        const answer = await request(node.url, path + query, { token })
        assert.equal(answer.status, 200, path)
        assert.ok(answer.body.equals(truth.get(path)), `${path}: other bytes than GitHub's (${answer.headers['cache-status']})`)
      }))
    }
  }
  return { standin, token, truth, nodes, liars, ask }
}

const owns = async (liar, nodes) => {
  for (const node of nodes) {
    const row = (await node.peers()).peers.find(peer => peer.peer_id === liar.id)
    if (!row || row.role !== 'owner' || !row.direction) return `it keeps nothing yet as ${node.ready.peer_id} sees it`
  }
  return ''
}
const heard = (liar, what) => said(liar, what) ? '' : `it has not heard "${what}"`

test('bodies that are forged by their keepers', async t => {
  const w = await crowd(t, 'forged', owns)
  const { charged } = await w.standin.cost(() => w.ask())
  // Whoever fetched what a liar forged is asked for the true one, before GitHub is. Two in league can bring that one into
  // disrepute, which costs a few.
  assertSharing(t, charged)
  assert.ok(w.liars.every(liar => liar.bodies().length > 0), 'they were trusted with bodies')
})

test('keepers that are silent', async t => {
  const w = await crowd(t, 'silence', owns)
  const { charged } = await w.standin.cost(() => w.ask())
  // Whoever stands behind them answers.
  assertSharing(t, charged)
})

test('a keeper that lets others wait for nothing is found out, and not asked again', async t => {
  const w = await crowd(t, 'waits', owns, 1)
  const { charged } = await w.standin.cost(() => w.ask())
  assertSharing(t, charged)
  const [liar] = w.liars
  const asked = () => liar.lines.filter(line => line.startsWith('asked '))
  const before = asked().length
  assert.equal(new Set(asked()).size, HONEST, 'it was to decide about some of it, for all')
  await w.ask('?again')
  assert.equal(asked().length, before)
})

for (const kind of ['junk', 'replay']) {
  test(`${kind} after admission ends the session, and nothing else`, async t => {
    const w = await crowd(t, kind, liar => heard(liar, 'over'))
    const { charged } = await w.standin.cost(() => w.ask())
    assertSharing(t, charged)
    for (const node of w.nodes) {
      const peers = (await node.peers()).peers
      for (const liar of w.liars) assert.ok(!peers.some(peer => peer.peer_id === liar.id && peer.role === 'owner' && peer.direction), `${kind} is still listened to`)
      assert.equal(peers.filter(peer => peer.role === 'owner' && peer.state === 'alive').length >= HONEST - 1, true)
    }
  })
}

test('a proof of the secret that is wrong by a bit: no member, and nothing is learnt', async t => {
  const w = await crowd(t, 'wrong-mac', liar => heard(liar, 'refused'))
  const { charged } = await w.standin.cost(() => w.ask())
  assert.equal(charged, paths.length)
  for (const node of w.nodes) assert.equal((await node.peers()).peers.length, HONEST - 1)
  for (const liar of w.liars) assert.ok(!said(liar, 'session') && liar.bodies().length === 0, liar.lines.join('\n'))
})

test('a thief among the members gets what is shared, and nothing of what is one user\'s own', async t => {
  const w = await crowd(t, 'thief', owns)
  for (const node of w.nodes) {
    for (const path of SECRETS) assert.ok((await request(node.url, path, { token: w.token })).body.equals(w.truth.get(path)), path)
  }
  const { charged } = await w.standin.cost(() => w.ask())
  assert.equal(charged, paths.length)
  const shared = paths.map(path => w.truth.get(path))
  for (const liar of w.liars) {
    await eventually(() => shared.some(body => liar.bodies().some(got => got.equals(body))) ? '' : `${liar.bodies().length} bodies`, 'something of what is shared comes to it')
    const got = Buffer.concat(liar.bodies())
    for (const path of SECRETS) assert.ok(!liar.bodies().some(body => body.equals(w.truth.get(path))), path)
    assert.ok(!got.includes(w.token))
  }
})
