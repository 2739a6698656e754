// SPDX-License-Identifier: Apache-2.0
//
// What a fleet pays: the same questions through several nodes, each a process, one GitHub before them all.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertSameAnswer, cacheStatus, request } from './lib/http.mjs'
import { canariesCharged, formed, startMember, startMesh } from './lib/mesh.mjs'
import { newToken, Scratch, startStandin } from './lib/processes.mjs'

const everything = { login: 'octocat', everything: true }
const REPOSITORIES = 4
const questions = count => Array.from({ length: count }, (_, i) => `/repos/octo-org/repo-${i % REPOSITORIES + 1}/issues/${Math.floor(i / REPOSITORIES) + 1}`)

async function stage (t, { nodes, tokens = 1, ...more }) {
  const scratch = new Scratch(t)
  const values = Array.from({ length: tokens }, () => newToken())
  const standin = await startStandin(scratch, { args: ['--repositories', `${REPOSITORIES + 1}`, '--private', '1'], tokens: Object.fromEntries(values.map(value => [value, everything])) })
  const mesh = await startMesh(scratch, standin.http, nodes, more)
  return { scratch, standin, tokens: values, ...mesh }
}

// One client: every question, a few at a time, and every answer held against GitHub's own.
async function client (node, token, paths, expected, { atOnce = 8 } = {}) {
  const left = [...paths]
  const worker = async () => {
    for (let path = left.shift(); path; path = left.shift()) {
      const answer = await request(node.url, path, { token })
      assert.equal(answer.status, 200, `${path}: ${answer.text}`)
      const truth = expected.get(path)
      if (truth) assert.ok(answer.body.equals(truth.body), `${path} through ${node.url}: other bytes than GitHub's (${cacheStatus(answer)})`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

async function truth (standin, token, paths) {
  const out = new Map()
  for (const path of paths) out.set(path, await request(standin.http, path, { token }))
  return out
}

test('5 nodes, 100 questions each, one token: 100 charged, and hardly a call more', async t => {
  const { standin, nodes, tokens: [token] } = await stage(t, { nodes: 5 })
  const paths = questions(100)
  const expected = await truth(standin, token, paths)
  const cost = await standin.cost(async () => {
    for (const node of nodes) await client(node, token, paths, expected)
  })
  assert.equal(cost.charged, 100)
  assert.ok(cost.total <= 105, `${cost.total} calls`)
  const stats = await Promise.all(nodes.map(node => node.stats()))
  assert.equal(stats.reduce((sum, each) => sum + each.peer_hits, 0), 400)
  assert.equal(stats.reduce((sum, each) => sum + each.requests, 0), 500)
  assert.equal(stats.reduce((sum, each) => sum + each.calls_saved, 0), 400)
})

test('8 nodes ask the same 25 questions in the same instant: 25 charged', async t => {
  const { standin, nodes, tokens: [token] } = await stage(t, { nodes: 8 })
  const paths = questions(25)
  const expected = await truth(standin, token, paths)
  const cost = await standin.cost(() => Promise.all(nodes.map(node => client(node, token, paths, expected, { atOnce: 25 }))))
  assert.equal(cost.charged, 25)
  assert.equal(cost.total, 25)
})

test('5 nodes with a token each, 100 questions: 100 charged, the rest proved for nothing', async t => {
  const { standin, nodes, tokens } = await stage(t, { nodes: 5, tokens: 5 })
  const paths = questions(100)
  const expected = await truth(standin, tokens[0], paths)
  const cost = await standin.cost(async () => {
    for (const [i, node] of nodes.entries()) await client(node, tokens[i], paths, expected)
  })
  assert.equal(cost.charged - await canariesCharged(nodes), 100)
  const proofs = await Promise.all(nodes.map(async node => (await node.stats()).peer_proofs))
  assert.equal(proofs.reduce((a, b) => a + b), 500 - cost.charged)
})

// It is asked in the moment in which it comes to own keys: what it owns it has from those who owned it before.
test('a late runner with a token of its own pays nothing for what the fleet holds', async t => {
  const { scratch, standin, nodes, secret, contacts, tokens } = await stage(t, { nodes: 5, tokens: 6 })
  const paths = questions(100)
  const expected = await truth(standin, tokens[0], paths)
  for (const [i, node] of nodes.entries()) await client(node, tokens[i], paths.filter((_, n) => n % nodes.length === i), expected)
  const late = await startMember(scratch, standin.http, { secret, contacts })
  await formed([...nodes, late])
  const cost = await standin.cost(() => client(late, tokens[5], paths, expected))
  assert.equal(cost.charged - await canariesCharged([late]), 0)
})

test('a token that may not see a private repository gets no byte of it from its neighbours', async t => {
  const { standin, nodes: [one, two], tokens: [token] } = await stage(t, { nodes: 2 })
  const outsider = newToken()
  await standin.token(outsider, { login: 'outsider', repositories: [] })
  const name = `repo-${REPOSITORIES + 1}`
  const paths = [`/repos/octo-org/${name}/issues/1`, `/repos/octo-org/${name}/labels`, `/repos/octo-org/${name}/contents/data/file-4.txt`]
  for (const path of paths) {
    const seen = await request(one.url, path, { token })
    assert.equal(seen.status, 200, path)
    for (const node of [two, one, two]) {
      const refused = await request(node.url, path, { token: outsider })
      assertSameAnswer(refused, await request(standin.http, path, { token: outsider }), { held: true })
      assert.equal(refused.status, 404)
      const anonymous = await request(node.url, path)
      assert.equal(anonymous.status, 404)
    }
    // Whoever may see it gets it all the same.
    const again = await request(two.url, path, { token })
    assert.ok(again.body.equals(seen.body))
    assert.match(cacheStatus(again), /detail=peer/)
  }
})

test('a write through one node is known to the others before its answer comes', async t => {
  const { nodes, tokens: [token] } = await stage(t, { nodes: 3 })
  const path = '/repos/octo-org/repo-1/issues/1'
  for (const node of nodes) assert.equal((await request(node.url, path, { token })).status, 200)
  for (const [i, node] of nodes.entries()) {
    const title = `written through node ${i}`
    const written = await request(node.url, path, { method: 'PATCH', token, body: JSON.stringify({ title }), headers: { 'content-type': 'application/json' } })
    assert.equal(written.status, 200, written.text)
    for (const reader of nodes) assert.equal((await request(reader.url, path, { token })).json().title, title)
  }
})

test('purge --mesh: nobody serves it without asking', async t => {
  const { standin, nodes, tokens: [token] } = await stage(t, { nodes: 2 })
  const path = '/repos/octo-org/repo-1/issues/1'
  for (const node of nodes) await request(node.url, path, { token })
  const purged = await fetch(`http://${nodes[0].admin}/api/purge?pattern=${path}&mesh=on`, { method: 'POST' })
  assert.equal(purged.status, 200)
  assert.ok((await purged.json()).purged >= 1)
  const cost = await standin.cost(() => request(nodes[1].url, path, { token }))
  assert.equal(cost.charged, 1)
})

test('an owner is killed with -9 in the middle: no wrong byte, and no charge more', async t => {
  const { standin, nodes, tokens: [token] } = await stage(t, { nodes: 4 })
  const paths = questions(100)
  const expected = await truth(standin, token, paths)
  const cost = await standin.cost(async () => {
    await client(nodes[0], token, paths.slice(0, 60), expected)
    nodes[1].child.kill('SIGKILL')
    await Promise.all([client(nodes[2], token, paths, expected), client(nodes[3], token, paths, expected)])
  })
  // It fetched nothing itself, and rank 2 holds what it held and knows of the leases that it gave.
  assert.equal(cost.charged, 100)
  await formed([nodes[0], nodes[2], nodes[3]])
})

test('who leaves in order hands over what it owned', async t => {
  const { standin, nodes, tokens: [token] } = await stage(t, { nodes: 3 })
  const paths = questions(60)
  const expected = await truth(standin, token, paths)
  await client(nodes[0], token, paths, expected)
  const { code, signal } = await nodes[0].stop()
  assert.equal(code ?? signal, 0)
  const cost = await standin.cost(() => client(nodes[1], token, paths, expected))
  assert.equal(cost.charged, 0)
})
