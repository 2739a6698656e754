// SPDX-License-Identifier: Apache-2.0
//
// Pages of other origins in the browser of somebody at this machine: neither what the node says nor what it does is theirs.

import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { request } from '../e2e/lib/http.mjs'
import { eventually } from '../e2e/lib/mesh.mjs'
import { world } from '../e2e/lib/processes.mjs'
import { startBrowser, watchedPage } from './lib/browser.mjs'

// Everything a page can try without being asked. Resolves to what it learned.
async function attack (admin) {
  const outcome = work => work.then(value => ({ value }), error => ({ error: String(error) }))
  const loaded = (name, set) => new Promise(resolve => {
    const element = document.createElement(name)
    element.onload = () => resolve('loaded')
    element.onerror = () => resolve('refused')
    set(element)
    document.body.append(element)
  })
  const event = (source, names) => new Promise(resolve => { for (const name of names) source.addEventListener(name, () => { resolve(name); source.close() }) })
  const purge = `${admin}/api/purge?pattern=*`
  const sent = { method: 'POST', mode: 'no-cors', body: 'pattern=*' }
  const results = {
    read: await outcome(fetch(`${admin}/api/stats`).then(answer => answer.text())),
    readWithCookies: await outcome(fetch(`${admin}/api/stats`, { credentials: 'include' }).then(answer => answer.text())),
    blind: await outcome(fetch(`${admin}/api/stats`, { mode: 'no-cors' }).then(async answer => [answer.type, await answer.text()].join(' '))),
    page: await outcome(fetch(`${admin}/`).then(answer => answer.text())),
    purge: await outcome(fetch(purge, { method: 'POST' }).then(answer => answer.status)),
    purgeBlind: await outcome(fetch(purge, sent).then(answer => answer.type)),
    purgePreflighted: await outcome(fetch(purge, { method: 'POST', headers: { 'x-any': '1' } }).then(answer => answer.status)),
    mcp: await outcome(fetch(`${admin}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }).then(answer => answer.status)),
    beacon: navigator.sendBeacon(purge, 'x'),
    events: await event(new EventSource(`${admin}/api/events`), ['open', 'hello', 'error']),
    socket: await event(new WebSocket(`${admin.replace('http', 'ws')}/api/events`), ['open', 'error']),
    script: await loaded('script', element => { element.src = `${admin}/page.js` }),
    style: await loaded('link', element => { element.rel = 'stylesheet'; element.href = `${admin}/page.css` }),
    picture: await loaded('img', element => { element.src = `${admin}/icon.svg` })
  }
  const frame = document.createElement('iframe')
  frame.name = 'sink'
  document.body.append(frame)
  const form = document.createElement('form')
  Object.assign(form, { method: 'POST', action: purge, target: 'sink' })
  document.body.append(form)
  const arrived = new Promise(resolve => { frame.onload = resolve })
  form.submit()
  await arrived
  try { results.form = frame.contentDocument ? frame.contentDocument.body.textContent : 'unreadable' } catch { results.form = 'unreadable' }
  return results
}

function assertNothingLearned (results) {
  for (const name of ['read', 'readWithCookies', 'page', 'purge', 'purgePreflighted', 'mcp']) assert.match(results[name].error ?? `it was read: ${results[name].value}`, /TypeError/, name)
  // The blind ones reach the node, but say nothing.
  if (results.blind.value !== undefined) assert.equal(results.blind.value, 'opaque ')
  if (results.purgeBlind.value !== undefined) assert.equal(results.purgeBlind.value, 'opaque')
  assert.equal(results.events, 'error')
  assert.equal(results.socket, 'error')
  for (const name of ['script', 'picture', 'style']) assert.equal(results[name], 'refused', name)
  assert.equal(results.form, 'unreadable')
}

test('A25: a page of another origin reads nothing and does nothing', async t => {
  const { node, token } = await world(t)
  const page = (_, answer) => { answer.setHeader('content-type', 'text/html'); answer.end('<!doctype html><title>x</title><body></body>') }
  const server = http.createServer(page)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => { server.closeAllConnections(); server.close() })
  const [attacker, admin] = [server.address().port, `http://${node.admin}`]
  const browser = await startBrowser(t, {
    // Chromium's own guard of the local network is not everybody's: what is tested is the node's.
    args: ['--host-resolver-rules=MAP evil.example 127.0.0.1', '--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests']
  })

  await request(node.url, '/repos/octo-org/repo-1/labels', { token })
  await eventually(async () => (await node.stats()).entries > 0 ? '' : 'nothing is held', 'an answer')
  const { entries } = await node.stats()

  for (const origin of [`http://evil.example:${attacker}`, `http://127.0.0.1:${attacker}`, `http://localhost:${attacker}`]) {
    const { page: tab } = await watchedPage(browser)
    await tab.goto(origin)
    assertNothingLearned(await tab.evaluate(attack, admin))
    // A frame around the dashboard stays empty.
    await tab.evaluate(address => { const frame = document.createElement('iframe'); frame.id = 'around'; frame.src = address; document.body.append(frame); return new Promise(resolve => { frame.onload = resolve }) }, `${admin}/`)
    const inside = await (await tab.locator('#around').elementHandle()).contentFrame()
    assert.equal(await inside.locator('#asked').count(), 0, `${origin} frames the dashboard`)
    await tab.close()
    assert.equal((await node.stats()).entries, entries, `${origin} purged something`)
  }

  // DNS rebinding: the attacker's name now leads to the node itself, so all is one origin to the browser.
  const { page: bound } = await watchedPage(browser)
  const name = `http://evil.example:${admin.split(':').at(-1)}`
  const answer = await bound.goto(`${name}/`)
  assert.equal(answer.status(), 403)
  // The page came while the name still led to the attacker.
  await bound.route(`${name}/mine`, route => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>x</title>' }))
  await bound.goto(`${name}/mine`)
  const tried = await bound.evaluate(async () => {
    const status = async (path, options) => (await fetch(path, options)).status
    return [await status('/api/stats'), await status('/api/peers'), await status('/api/purge?pattern=*', { method: 'POST' }), await status('/mcp', { method: 'POST', body: '{}' })]
  })
  assert.deepEqual(tried, [403, 403, 403, 403])
  assert.equal((await node.stats()).entries, entries)

  // The node's own page may do all this: what was refused above was refused for its origin.
  const { page: own } = await watchedPage(browser)
  await own.goto(`${admin}/`)
  assert.equal(await own.evaluate(async () => (await (await fetch('/api/stats')).json()).entries), entries)
  assert.equal(await own.evaluate(async () => (await fetch('/api/purge?pattern=*', { method: 'POST' })).status), 200)
  assert.equal((await node.stats()).entries, 0)
})
