// SPDX-License-Identifier: Apache-2.0
//
// Nodes that start in the same instant, as the jobs of a matrix do, and that know of each other by a directory only.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import process from 'node:process'
import { test } from 'node:test'
import { request } from './lib/http.mjs'
import { canariesCharged, eventually, MESH_PATIENCE, newSecret, startMember } from './lib/mesh.mjs'
import { ghmesh, newToken, Scratch, startStandin } from './lib/processes.mjs'

const NODES = 4
const paths = Array.from({ length: 20 }, (_, i) => `/repos/octo-org/repo-1/issues/${i + 1}`)

const askAll = (url, token) => Promise.all(paths.map(async path => {
  const answer = await request(url, path, { token })
  assert.equal(answer.status, 200, `${path}: ${answer.text}`)
}))

// Asked as soon as the nodes have met, when none of them is old enough to be an owner among older ones.
async function askAtOnce (t, tokens) {
  const scratch = new Scratch(t)
  const standin = await startStandin(scratch, { tokens: Object.fromEntries(tokens.map(token => [token, { login: 'octocat', everything: true }])) })
  const secret = newSecret()
  const args = ['--registry', scratch.file('registry')]
  const nodes = await Promise.all(Array.from({ length: NODES }, () => startMember(scratch, standin.http, { secret, args })))
  await eventually(async () => {
    const views = await Promise.all(nodes.map(node => node.peers()))
    const seen = views.map(view => view.peers.filter(peer => peer.state === 'alive' && peer.direction).length)
    return seen.every(count => count === NODES - 1) ? '' : `connected to ${seen}`
  }, 'the nodes did not meet')
  const ages = (await nodes[0].peers()).peers.map(peer => peer.age_seconds)
  const cost = await standin.cost(() => Promise.all(nodes.map((node, i) => askAll(node.url, tokens[i % tokens.length]))))
  const canaries = await canariesCharged(nodes)
  t.diagnostic(`${cost.charged} charged, ${canaries} of them canaries, the oldest ${Math.max(...ages).toFixed(1)} s old`)
  assert.equal(cost.charged - canaries, paths.length)
}

test('started and asked at once with one token: each question is charged once', t => askAtOnce(t, [newToken()]))

test('the same with a token for each node: the others prove it for nothing', t => askAtOnce(t, Array.from({ length: NODES }, () => newToken())))

// Each goes on the instant its own init returned, some before others have begun.
test('four jobs that ask as soon as their init returned: each question is charged once', async t => {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { tokens: { [token]: { login: 'octocat', everything: true } } })
  const env = { GHMESH_SECRET: newSecret(), GHMESH_UPSTREAM: standin.http, GHMESH_REGISTRY: scratch.file('registry') }
  const settings = ['--cache-dir', 'none', '--mdns', 'off', '--p2p', 'on', '--p2p-listen', '/ip4/127.0.0.1/tcp/0', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--mesh-patience', MESH_PATIENCE]
  const dirs = Array.from({ length: NODES }, (_, i) => scratch.file(`job-${i}`))
  const { result: nodes, ...cost } = await standin.cost(() => Promise.all(dirs.map(async dir => {
    const init = await ghmesh(scratch, ['init', '--strict', '--wait', '60', '--job-pid', String(process.pid), '--state-dir', dir, ...settings], { env, timeout: 90_000 })
    assert.equal(init.code, 0, init.stderr)
    const { listen, admin } = JSON.parse(fs.readFileSync(`${dir}/ready.json`, 'utf8'))
    await askAll(`http://${listen}`, token)
    return { admin }
  })))
  const canaries = await canariesCharged(nodes)
  // Were it not for this, they would end with this process, which is their job.
  for (const dir of dirs) assert.equal((await ghmesh(scratch, ['stop', '--state-dir', dir], { env })).code, 0)
  assert.equal(cost.charged - canaries, paths.length)
})
