// SPDX-License-Identifier: Apache-2.0
//
// Nodes that start in the same instant, as the jobs of a matrix do, and that know of each other by a directory only.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from './lib/http.mjs'
import { eventually, newSecret, startMember } from './lib/mesh.mjs'
import { newToken, Scratch, startStandin } from './lib/processes.mjs'

const NODES = 4
const paths = Array.from({ length: 20 }, (_, i) => `/repos/octo-org/repo-1/issues/${i + 1}`)

async function metric (node, name) {
  const text = await (await fetch(`http://${node.admin}/metrics`)).text()
  return Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))[1])
}

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
  const cost = await standin.cost(() => Promise.all(nodes.map((node, i) => Promise.all(paths.map(async path => {
    const answer = await request(node.url, path, { token: tokens[i % tokens.length] })
    assert.equal(answer.status, 200, `${path}: ${answer.text}`)
  })))))
  // A question that no member answered within 50 ms, and a random tag in place of a peer's, are paid by their node alone.
  const excused = (await Promise.all(nodes.map(async node => await metric(node, 'ghmesh_mesh_alone_total') + await metric(node, 'ghmesh_canaries_charged_total')))).reduce((a, b) => a + b)
  t.diagnostic(`${cost.charged} charged, ${excused} excused, the oldest ${Math.max(...ages).toFixed(1)} s old`)
  // Rank 2 is asked after 15 ms without an answer, so that a busy machine pays for a question twice, never for each node.
  assert.ok(cost.charged >= paths.length && cost.charged <= 2 * paths.length + excused, `${cost.charged} charged, ${excused} excused`)
  await Promise.all(nodes.map(node => node.stop()))
  return cost.charged - excused
}

// Undisturbed, the first fleet shows it.
async function isPaidOnce (t, tokens) {
  const rounds = []
  while (rounds.length < 5 && !rounds.some(paid => paid <= paths.length)) rounds.push(await askAtOnce(t, tokens))
  assert.ok(rounds.some(paid => paid <= paths.length), `charged: ${rounds}`)
}

test('started and asked at once with one token: each question is charged once', t => isPaidOnce(t, [newToken()]))

test('the same with a token for each node: the others prove it for nothing', t => isPaidOnce(t, Array.from({ length: NODES }, newToken)))
