// SPDX-License-Identifier: Apache-2.0
//
// HTTP/2 by nghttp2's own clients, which use more of it at once than other clients do: many streams on many connections,
// small windows, padding, continued heads.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRelay } from './lib/connect_relay.mjs'
import { world } from './lib/processes.mjs'

const PATHS = Array.from({ length: 8 }, (_, i) => `/repos/octo-org/repo-1/issues/${i + 1}`)

async function h2World (t) {
  const w = await world(t, { node: { args: ['--ca-out', 'ca'] } })
  const at = await startRelay(t, w.node, 'api.github.com:443')
  const run = async (command, ...args) => {
    const got = await w.scratch.run(command, args, { timeout: 60_000 })
    assert.equal(got.code, 0, got.stderr + got.text)
    return got.text
  }
  const load = (...args) => run('h2load', `--connect-to=${at}`, '-H', `authorization: Bearer ${w.token}`, ...args)
  return { ...w, at, run, load }
}

const outcome = text => /^requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout\nstatus codes: (\d+) 2xx/m.exec(text)?.slice(1).map(Number)

test('h2: h2load asks thousands of times on many streams and connections, and all are answered, for a charge each', async t => {
  const w = await h2World(t)
  const urls = PATHS.map(path => `https://api.github.com${path}`)
  const cost = await w.standin.cost(async () => {
    const text = await w.load('-n', '4000', '-c', '20', '-m', '100', ...urls)
    assert.match(text, /^Application protocol: h2$/m)
    assert.deepEqual(outcome(text), [4000, 4000, 0, 0, 0, 4000], text)
    // Windows of 1 KiB, of streams and of the connection.
    assert.deepEqual(outcome(await w.load('-n', '400', '-c', '4', '-m', '50', '-w', '10', '-W', '10', ...urls)), [400, 400, 0, 0, 0, 400])
    // Bodies that are sent, in pieces.
    assert.deepEqual(outcome(await w.load('-n', '50', '-c', '2', '-m', '5', '-H', 'content-type: application/json', '-d', w.scratch.write('body.json', JSON.stringify({ body: 'x'.repeat(90_000) })), 'https://api.github.com/repos/octo-org/repo-1/issues/1/comments')), [50, 50, 0, 0, 0, 50])
  })
  assert.equal(cost.charged, PATHS.length + 50)
  const stats = await w.node.stats()
  assert.equal(stats.requests, 4450)
  assert.equal(stats.errors, 0)
})

test('h2: nghttp with padding and a continued head gets the bytes that a direct client gets', async t => {
  const w = await h2World(t)
  const direct = await w.run('curl', '-sS', '-A', 'e2e', '-H', `Authorization: Bearer ${w.token}`, w.standin.http + PATHS[0])
  const ask = (...args) => w.run('nghttp', '-H', ':authority: api.github.com', '-H', `authorization: Bearer ${w.token}`, '-H', 'accept-encoding: identity', ...args, `https://${w.at}${PATHS[0]}`)
  assert.equal(await ask(), direct)
  assert.equal(await ask('--padding=200'), direct)
  assert.equal(await ask('--continuation'), direct)
  assert.equal(await ask('--window-bits=8', '--header-table-size=0'), direct)
})
