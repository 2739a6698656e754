// SPDX-License-Identifier: Apache-2.0
//
// The dashboard of one of five nodes, in Chromium, while clients ask all of them.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { request } from '../e2e/lib/http.mjs'
import { eventually, startMember } from '../e2e/lib/mesh.mjs'
import { Scratch, startNode, startStandin, world } from '../e2e/lib/processes.mjs'
import { makeBulky, onSmallDisk, whyNoSmallDisk } from '../e2e/lib/small_disk.mjs'
import { startBrowser, watchedPage } from './lib/browser.mjs'
import { startFleet } from './lib/fleet.mjs'

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const number = text => Number(text.replaceAll(',', '').replace('−', '-'))
const json = async (node, path) => (await fetch(`http://${node.admin}${path}`)).json()
const grouped = value => value.toLocaleString('en')
const name = id => `…${id.slice(-6)}`
// Rows of a table's body, each as the texts of its cells.
const rows = (page, id) => page.locator(`#${id}`).evaluate(table => [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent)))
const texts = (page, ...ids) => Promise.all(ids.map(id => page.locator(`#${id}`).textContent()))

async function assertAccessible (page, what) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  assert.deepEqual(violations.map(one => `${one.id}: ${one.nodes.map(node => node.target.join(' ')).join(', ')}`), [], what)
}

async function assertHeadline (page, fleet, { stats, charged, asked }) {
  assert.equal(asked, fleet.asked())
  assert.equal(charged, (await fleet.standin.counters()).charged)
  assert.equal(stats.fleet.members, 5)
  const [percent, saved] = await texts(page, 'percent', 'saved')
  assert.equal(number(saved), stats.fleet.calls_saved)
  assert.ok(Math.abs(parseFloat(percent) - 100 * stats.fleet.calls_saved / (stats.fleet.calls_saved + charged)) < 1, percent)
  assert.deepEqual(await texts(page, 'asked-here', 'charged-here'), [stats.requests, stats.charged_calls].map(value => `${grouped(value)} at this node`))
}

async function assertKinds (page, stats) {
  const shown = (await rows(page, 'kinds')).map(row => number(row[2].split(' ')[0]))
  assert.deepEqual(shown, ['local_hits', 'peer_hits', 'proofs', 'peer_proofs', 'collapsed', 'stale_served', 'misses', 'bypassed', 'errors'].map(kind => stats[kind]))
  assert.equal(shown.reduce((sum, n) => sum + n, 0), stats.requests)
}

async function assertQuota (page, stats, nodes, standin) {
  const shown = await page.locator('#quota > li').evaluateAll(items => items.map(item => ['strong', 'code', '.left', '.spent', '.reset'].map(one => item.querySelector(one).textContent)))
  assert.equal(shown.length, stats.quota.length)
  for (const [resource, token, left, spent, reset] of shown) {
    const row = stats.quota.find(each => each.token === token && each.resource === resource)
    assert.equal(left, `${grouped(row.remaining)} of ${grouped(row.limit)} left`)
    const members = row.spent_by_members > 0 ? `${grouped(row.spent_by_members)} by other members, ` : ''
    assert.equal(spent, `spent: ${grouped(row.spent_by_this_node)} by this node, ${members}${grouped(row.used - row.spent_by_this_node - row.spent_by_members)} by others`)
    assert.match(reset, /^resets in \d+:\d\d/)
  }
  const spenders = Object.fromEntries((await rows(page, 'spenders')).map(row => [row[0], number(row[1])]))
  for (const [i, node] of nodes.entries())
    assert.equal(spenders[i === 0 ? 'this node' : name(node.ready.peer_id)], (await node.stats()).charged_calls)
  assert.equal(Object.values(spenders).reduce((sum, n) => sum + n, 0), (await standin.counters()).charged)
}

async function assertMesh (page, nodes) {
  const mesh = await json(nodes[0], '/api/peers')
  const members = await rows(page, 'members')
  assert.equal(members.length, 5)
  assert.equal(members[0][2], `${mesh.partitions}/64`)
  for (const peer of mesh.peers) {
    const row = members.find(cells => cells[0] === name(peer.peer_id))
    assert.equal(row[1], 'connected')
    assert.equal(row[2], `${peer.partitions}/64`)
    assert.match(row[3], /^[\d.]+ (µs|ms)$/)
    assert.match(row[4], /^[\d.]+ (B|kB|MB)$/)
    assert.equal(number(row[6]), peer.requests)
  }
  const drawn = await page.locator('#picture [data-peer]').evaluateAll(found => found.map(each => [each.dataset.peer, each.dataset.state]))
  assert.deepEqual(drawn.sort(), [...mesh.peers.map(peer => [peer.peer_id, 'alive']), ['self', 'alive']].sort())
  assert.equal(await page.locator('#picture .link').count(), 4)
}

async function assertActivity (page, nodes) {
  const activity = await json(nodes[0], '/api/activity')
  const classes = await rows(page, 'classes')
  assert.deepEqual(classes.map(row => row[0]).sort(), activity.classes.map(one => one.class).sort())
  for (const one of activity.classes) {
    const row = classes.find(cells => cells[0] === one.class)
    assert.deepEqual([number(row[1]), number(row[3]), number(row[4])], [one.requests, one.charged_calls, one.calls_saved])
    assert.ok(Math.abs(parseFloat(row[2]) - 100 * one.hit_rate) < 1, row[2])
  }
  assert.deepEqual((await rows(page, 'slowest')).map(row => row[1]), activity.slowest.map(one => `${one.method} ${one.path}`))
  const charged = activity.costliest.filter(one => one.charged_calls > 0)
  assert.deepEqual((await rows(page, 'costliest')).map(row => [row[0], row[1]]), charged.map(one => [String(one.charged_calls), `${one.method} ${one.path}`]))
  assert.equal((await rows(page, 'proofs')).length, activity.proofs.length)
}

// Everything that can be focused is reached by Tab, in the order of the page; the chart answers to arrows.
async function assertKeyboard (page) {
  const wanted = await page.evaluate(() => {
    document.activeElement?.blur()
    const all = [...document.querySelectorAll('a[href], button, [tabindex="0"]')].filter(element => element.checkVisibility())
    all.forEach((element, i) => { element.dataset.stop = String(i) })
    return all.map(element => element.dataset.stop)
  })
  const reached = []
  for (let i = 0; i < wanted.length; ++i) {
    await page.keyboard.press('Tab')
    reached.push(await page.evaluate(() => document.activeElement.dataset.stop))
  }
  assert.deepEqual(reached, wanted)
  await page.locator('#chart').focus()
  await page.keyboard.press('ArrowLeft')
  assert.match(await page.locator('#kinds-at').textContent(), /^at \d\d:\d\d:\d\d$/)
  assert.match(await page.locator('#chart').getAttribute('aria-valuetext'), /^\d\d:\d\d:\d\d: /)
  await page.keyboard.press('Escape')
  assert.equal(await page.locator('#kinds-at').textContent(), 'per second')
}

test('five nodes at work: every panel is right, a killed member is seen, a restarted node is found again', async t => {
  const scratch = new Scratch(t)
  const fleet = await startFleet(scratch)
  const { nodes, standin } = fleet
  const browser = await startBrowser(t)
  const { page, seen } = await watchedPage(browser)
  await page.goto(`http://${nodes[0].admin}/`)
  await eventually(async () => (await texts(page, 'link-text'))[0] === 'live' ? '' : 'not live', 'the stream')
  assert.match((await texts(page, 'answers-empty'))[0], /^Nobody has asked this node yet\. Try: curl http:/)

  await t.test('while traffic runs, the figures are those of the node, no older than a second or so', async () => {
    let running = true
    const traffic = (async () => { for (let i = 0; running; ++i) await fleet.round(i) })()
    try {
      for (let look = 0; look < 5; ++look) {
        const before = (await nodes[0].stats()).fleet.requests
        await eventually(async () => number((await texts(page, 'asked'))[0]) > before ? '' : 'it lags', 'the page follows')
        const shown = number((await texts(page, 'asked'))[0])
        assert.ok(shown <= (await nodes[0].stats()).fleet.requests)
      }
    } finally {
      running = false
      await traffic
    }
  })

  await t.test('in the end every panel is exact', async () => {
    // Every member is told of every other's counters within two rounds of probes, 8 s among five: a page that is short for
    // longer than that misses some.
    await eventually(async () => {
      const [asked, charged] = (await texts(page, 'asked', 'charged')).map(number)
      const spent = (await rows(page, 'spenders')).reduce((sum, row) => sum + number(row[1]), 0)
      const all = (await standin.counters()).charged
      return asked === fleet.asked() && charged === all && spent === all ? '' : `${asked} of ${fleet.asked()}, ${charged} and ${spent} of ${all}`
    }, 'the figures of the whole fleet')
    // A second later nothing changes any more, and what is fetched here is what is shown.
    await page.waitForResponse(/api\/activity/)
    await page.waitForResponse(/api\/activity/)
    const stats = await nodes[0].stats()
    const [asked, charged] = (await texts(page, 'asked', 'charged')).map(number)
    await assertHeadline(page, fleet, { stats, asked, charged })
    await assertKinds(page, stats)
    await assertQuota(page, stats, nodes, standin)
    await assertMesh(page, nodes)
    await assertActivity(page, nodes)
    assert.equal((await texts(page, 'proof-word'))[0], stats.proof_state)
    const events = await page.locator('#events li').allTextContents()
    for (const node of nodes.slice(1)) assert.ok(events.some(text => text.includes(`${name(node.ready.peer_id)} joined the mesh`)), events.join('\n'))
  })

  await t.test('people who see less, and people without a mouse', async () => {
    await assertAccessible(page, 'light')
    await page.emulateMedia({ colorScheme: 'dark' })
    await assertAccessible(page, 'dark')
    await page.setViewportSize({ width: 390, height: 844 })
    await assertAccessible(page, 'dark, on a phone')
    await page.emulateMedia({ colorScheme: 'light' })
    await assertAccessible(page, 'light, on a phone')
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the phone scrolls sideways')
    await page.setViewportSize({ width: 1280, height: 900 })
    await assertKeyboard(page)
  })

  await t.test('nothing moves under the reader while figures change', async () => {
    await page.evaluate(() => {
      globalThis.shifts = 0
      new PerformanceObserver(list => { for (const entry of list.getEntries()) globalThis.shifts += entry.value }).observe({ type: 'layout-shift' })
    })
    for (let i = 0; i < 3; ++i) {
      await fleet.round(i)
      await page.waitForResponse(/api\/activity/)
    }
    assert.ok(await page.evaluate(() => globalThis.shifts) < 0.05)
  })

  await t.test('a member that is killed is seen to be gone within three seconds', async () => {
    const peer = page.locator(`#picture [data-peer="${nodes[4].ready.peer_id}"]`)
    const started = Date.now()
    nodes[4].child.kill('SIGKILL')
    await peer.and(page.locator(':not([data-state="alive"])')).waitFor({ timeout: 3000 })
    t.diagnostic(`doubtful after ${Date.now() - started} ms`)
    await eventually(async () => (await peer.getAttribute('data-state')) === 'gone' ? '' : 'still drawn', 'the killed one')
    t.diagnostic(`gone after ${Date.now() - started} ms`)
    await eventually(async () => (await page.locator('#events').textContent()).includes(`${name(nodes[4].ready.peer_id)} does not answer any more`) ? '' : 'no event', 'the event')
    await eventually(async () => (await texts(page, 'mesh-note'))[0] === '4 of 5 members answer' ? '' : 'the note', 'the count')
  })

  assert.deepEqual(seen.complaints, [])

  await t.test('the node is restarted: the page says so, and comes back', async () => {
    await nodes[0].stop('SIGKILL')
    await page.locator('#banner').waitFor({ state: 'visible' })
    assert.match((await texts(page, 'banner-what'))[0], /^The node does not answer\. What you see is from \d\d:\d\d:\d\d\.$/)
    await assertAccessible(page, 'without its node')
    await startMember(scratch, standin.http, { secret: fleet.secret, contacts: [nodes[1].ready.p2p[0]], admin: nodes[0].admin })
    await page.locator('#banner').waitFor({ state: 'hidden' })
    await eventually(async () => (await texts(page, 'asked-here', 'scope')).join('; ').match(/0 at this node; of the fleet/) ? '' : 'old figures', 'figures of the new node')
    assert.ok((await page.locator('#events').textContent()).includes('The node was restarted; its counters began anew'))
  })

  // Only the refused connections of the time without a node; that is the browser's own doing.
  for (const complaint of seen.complaints) assert.match(complaint, /^Failed to load resource: net::ERR_(CONNECTION_(REFUSED|RESET)|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)/)
  for (const url of seen.asked) assert.ok(url.startsWith(`http://${nodes[0].admin}/`), url)
})

test('a node without a mesh says what to do', async t => {
  const scratch = new Scratch(t)
  const standin = await startStandin(scratch)
  const node = await startNode(scratch, standin.http)
  const { page, seen } = await watchedPage(await startBrowser(t))
  await page.goto(`http://${node.admin}/`)
  await eventually(async () => (await texts(page, 'mesh-empty'))[0].includes('ghmesh secret new') ? '' : 'nothing is said', 'the advice')
  assert.match((await texts(page, 'mesh-empty'))[0], /^No mesh: /)
  assert.match((await texts(page, 'quota-empty'))[0], /^No answer of GitHub/)
  assert.equal(await page.locator('#picture').isVisible(), false)
  await assertAccessible(page, 'empty')
  assert.deepEqual(seen.complaints, [])
})

test('a disk that is full is said in words, and nothing else suffers', { skip: whyNoSmallDisk() || false }, async t => {
  const { scratch, standin, token } = await world(t)
  const dir = scratch.file('small')
  const node = await startNode(scratch, standin.http, { cacheDir: dir, under: onSmallDisk(dir, '2m') })
  const { page, seen } = await watchedPage(await startBrowser(t))
  await page.goto(`http://${node.admin}/`)
  const paths = await makeBulky(standin, 24, 120_000)
  for (const path of paths) assert.equal((await request(node.url, path, { token })).status, 200)
  await page.locator('#events li[data-kind="store"][data-weight="bad"]').waitFor()
  assert.match(await page.locator('#events li[data-kind="store"]').first().innerText(), /Warning\s+The disk takes no more writes: full, or failing/)
  await assertAccessible(page, 'full')
  assert.deepEqual(seen.complaints, [])
})

test('proofs that stop and a quota that runs low are said in words, and what a stream repeats is said once', async t => {
  const { standin, node, token } = await world(t)
  await standin.quota({ user_core: 60 })
  const browser = await startBrowser(t)
  const { page, seen } = await watchedPage(browser)
  await page.goto(`http://${node.admin}/`)
  const told = async words => eventually(async () => (await page.locator('#events').innerText()).includes(words) ? '' : await page.locator('#events').innerText(), words)
  const ask = path => request(node.url, `/repos/octo-org/${path}`, { token })
  for (let i = 1; i <= 24; ++i) await ask(`repo-1/issues/${i}`)
  await told('Proofs of default resources hold')
  await standin.order('formula', { name: 'salted' })
  for (const what of ['', '/issues/1', '/labels', '/issues/2', '/branches', '/milestones', '/commits', '/pulls/1']) await ask(`repo-2${what}`)
  await told('Breaker tripped: proofs of default resources stopped')
  await told('Quota core:')
  await eventually(async () => (await texts(page, 'proof-word'))[0] === 'tripped' ? '' : 'not yet', 'the proof state')
  await page.waitForResponse(/api\/activity/)
  await assertAccessible(page, 'tripped')
  assert.deepEqual(seen.complaints, [])

  // A stream that ends and begins again with what it has said, written here as doc/formats/events.md describes it.
  const { page: other } = await watchedPage(browser)
  const full = { at: Date.now(), state: 'degraded', io_errors: 3, write_drops: 1, disk_bytes: 4096 }
  await other.route('**/api/events*', route => route.fulfill({
    contentType: 'text/event-stream',
    body: `event: hello\ndata: {"at":1,"boot":"b","resumed":false,"missed":0}\n\nid: b-1\nevent: store\ndata: ${JSON.stringify(full)}\n\n`
  }))
  await other.goto(`http://${node.admin}/`)
  await other.locator('#events li[data-kind="store"][data-weight="bad"]').waitFor()
  await other.waitForResponse(/api\/events/)
  assert.equal(await other.locator('#events li[data-kind="store"]').count(), 1)
})
