// SPDX-License-Identifier: Apache-2.0
//
// Networks that break, each node on a machine of its own: a split and its end, and two that cannot talk to each other.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Scratch, newToken, startStandin } from './lib/processes.mjs'
import { filePaths } from './lib/fleet.mjs'
import { Lan, whyNoNamespaces } from './lib/netns.mjs'
import { request } from './lib/http.mjs'

const skip = whyNoNamespaces() || false
// make soak lets the split last a minute.
const SPLIT_SECONDS = Number(process.env.GHMESH_SPLIT_SECONDS ?? 0)
const FILES = 60

async function lan (t, count) {
  const scratch = new Scratch(t)
  const token = newToken()
  const socket = scratch.file('github.sock')
  const standin = await startStandin(scratch, { args: ['--files', String(FILES + SPLIT_SECONDS), '--unix', socket], tokens: { [token]: { login: 'octocat', everything: true } } })
  const net = await Lan.make(scratch, socket)
  for (let i = 0; i < count; ++i) await net.addNode()
  await net.formed()
  return { scratch, standin, token, net, paths: filePaths(FILES + SPLIT_SECONDS) }
}

async function askEach (hosts, paths, token, direct) {
  await Promise.all(hosts.map(async host => {
    for (const path of paths) {
      const answer = await host.ask(path, token)
      assert.equal(answer.status, 200)
      assert.ok(answer.body.equals(direct.get(path)), path)
    }
  }))
}

test('a split: each side works, pays at most once each, and heals without a restart', { skip, timeout: 200_000 + SPLIT_SECONDS * 2000 }, async t => {
  const { standin, token, net, paths } = await lan(t, 4)
  const [a, b, c, d] = net.hosts
  const direct = new Map()
  for (const path of paths) direct.set(path, (await request(standin.http, path, { token })).body)
  const before = await standin.cost(() => askEach([a, c], paths.slice(0, 20), token, direct))
  assert.equal(before.charged, 20)

  // d on its own, at least until everybody has given it up.
  net.cut(d, true)
  const until = Date.now() + SPLIT_SECONDS * 1000
  const during = await standin.cost(() => askEach([a, b, d], paths.slice(20, 40), token, direct))
  assert.equal(during.charged, 2 * 20)
  await net.formed(2, [a, b, c])
  for (const path of paths.slice(FILES)) {
    if (Date.now() >= until) break
    const { charged } = await standin.cost(() => askEach([a, b, d], [path], token, direct))
    assert.equal(charged, 2, path)
    await sleep(1000)
  }

  net.cut(d, false)
  await net.formed()
  // From when all know again who answers for what, what is new is paid for once, whoever asks.
  const rest = paths.slice(40, FILES)
  await net.agreed(rest, token)
  for (const path of rest) {
    const { charged } = await standin.cost(() => askEach([a, b, d], [path], token, direct))
    assert.equal(charged, 1, path)
  }
  t.diagnostic(`20 questions were charged ${before.charged} times before and ${during.charged} times during the split, and ${rest.length} as often afterwards`)
})

test('two members cannot talk to each other: whoever stands next relays or fetches, once', { skip, timeout: 120_000 }, async t => {
  const { standin, token, net, paths } = await lan(t, 4)
  const [asker, other] = net.hosts
  const kept = paths.map(path => ({ path, ranks: asker.holders(path, token) })).find(({ ranks }) => !ranks.slice(0, 2).includes(asker) && ranks[0] !== other)
  const [owner] = kept.ranks
  const direct = (await request(standin.http, kept.path, { token })).body
  net.part(asker, owner)
  const { charged, result } = await standin.cost(async () => {
    const first = await asker.ask(kept.path, token)
    await sleep(200) // what was fetched is on its way to those who keep it
    return [first, await other.ask(kept.path, token)]
  })
  for (const answer of result) assert.ok(answer.body.equals(direct))
  assert.equal(charged, 1)
})
