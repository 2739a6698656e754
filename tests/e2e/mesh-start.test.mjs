// SPDX-License-Identifier: Apache-2.0
//
// Nodes that start in the same instant, as the jobs of a matrix do, and that know of each other by a directory only.

import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { request } from './lib/http.mjs'
import { eventually, newSecret, startMember } from './lib/mesh.mjs'
import { ghmesh, newToken, Scratch, startStandin } from './lib/processes.mjs'

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

// As in the jobs of a matrix, each at its own moment: what a job asks in its next step nobody else has to pay for.
async function initAndAsk ({ scratch, standin, token, registry, secret }, number) {
  const state = scratch.file(`job-${number}`)
  const env = { GHMESH_SECRET: secret, GHMESH_MESH_PATIENCE: '2s' }
  const args = ['init', '--state-dir', state, '--job-pid', String(process.pid), '--wait', '30', '--upstream', standin.http, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0',
    '--cache-dir', 'none', '--registry', registry, '--p2p-listen', '/ip4/127.0.0.1/tcp/0', '--mdns', 'off']
  const init = await ghmesh(scratch, args, { env })
  assert.equal(init.code, 0, init.stderr)
  const url = /^export GHMESH_URL='?(http:[^'\s]+)/m.exec(init.text)[1]
  await Promise.all(paths.map(async path => assert.equal((await request(url, path, { token })).status, 200)))
  return () => ghmesh(scratch, ['stop', '--state-dir', state], { env })
}

test('whoever is asked as soon as init returns asks GitHub nothing that another has asked', async t => {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { tokens: { [token]: { login: 'octocat', everything: true } } })
  await standin.fault({ path: '/repos/octo-org/repo-1/issues/*', delay_ms: 300 })
  const place = { scratch, standin, token, registry: scratch.file('registry'), secret: newSecret() }
  const cost = await standin.cost(() => Promise.all(Array.from({ length: NODES }, (_, i) => initAndAsk(place, i))))
  assert.equal(cost.charged, paths.length)
  for (const stop of cost.result) assert.equal((await stop()).code, 0)
})
