// SPDX-License-Identifier: Apache-2.0
//
// A disk that is really full: the node says so and goes on from memory, and takes up writing when there is room again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from './lib/http.mjs'
import { startNode, world } from './lib/processes.mjs'
import { makeBulky, onSmallDisk, resizeDisk, whyNoSmallDisk } from './lib/small_disk.mjs'
import { EventReader } from './lib/sse.mjs'

test('a full disk costs no answer, and is told; with room again writing goes on', { skip: whyNoSmallDisk() || false }, async t => {
  const w = await world(t)
  const dir = w.scratch.file('small')
  const node = await startNode(w.scratch, w.standin.http, { cacheDir: dir, under: onSmallDisk(dir, '2m') })
  const events = new EventReader(`http://${node.admin}/api/events`)
  t.after(() => events.close())
  const paths = await makeBulky(w.standin, 24, 120_000)
  const truth = {}
  for (const path of paths) {
    const got = await request(node.url, path, { token: w.token })
    assert.equal(got.status, 200)
    truth[path] = got.text
    assert.equal(JSON.parse(got.text).url, path)
  }
  const full = (await events.until(event => event.event === 'store' && event.json.state === 'degraded', 'a full disk')).json
  assert.ok(full.io_errors >= 1)
  const charged = (await w.standin.counters()).charged
  for (const path of paths) assert.equal((await request(node.url, path, { token: w.token })).text, truth[path])
  assert.equal((await w.standin.counters()).charged, charged, 'what memory holds is still there')
  const stats = await node.stats()
  // Of 3.8 MB; of the record that found no room, a part may be counted.
  assert.ok(stats.disk_bytes < 2.5e6, String(stats.disk_bytes))
  assert.equal(stats.errors, 0)
  assert.equal((await fetch(`http://${node.admin}/healthz`)).status, 200)

  resizeDisk(node.child.pid, dir, '64m')
  // Writing is tried again half a minute after it failed; a put is what tries.
  let round = 0
  const again = events.until(event => event.event === 'store' && event.json.state === 'ok', 'room again', 90_000)
  const put = setInterval(() => request(node.url, `/repos/octo-org/repo-2/issues/${1 + ++round % 3}`, { token: w.token, headers: { 'cache-control': 'no-cache' } }).catch(() => {}), 1000)
  try {
    await again
  } finally {
    clearInterval(put)
  }
})
