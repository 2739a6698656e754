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
  // A random tag in place of a peer's bytes is paid by its node alone.
  const canaries = (await Promise.all(nodes.map(node => metric(node, 'ghmesh_canaries_charged_total')))).reduce((a, b) => a + b)
  t.diagnostic(`${cost.charged} charged, ${canaries} of them canaries, the oldest ${Math.max(...ages).toFixed(1)} s old`)
  assert.equal(cost.charged - canaries, paths.length)
}

test('started and asked at once with one token: each question is charged once', t => askAtOnce(t, [newToken()]))

test('the same with a token for each node: the others prove it for nothing', t => askAtOnce(t, Array.from({ length: NODES }, () => newToken())))
