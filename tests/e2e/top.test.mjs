// SPDX-License-Identifier: Apache-2.0
//
// ghmesh top in a pseudo terminal: what stands on the screen, keys, sizes, and that the terminal is given back.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import process from 'node:process'
import readline from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startMesh } from './lib/mesh.mjs'
import { BIN, ghmesh, Scratch, startStandin, world } from './lib/processes.mjs'

const PTY = fileURLToPath(new URL('lib/terminal.py', import.meta.url))

function terminal (t, columns, rows, words, env = {}) {
  const child = spawn('python3', [PTY, columns, rows, ...words], { stdio: ['pipe', 'pipe', 'inherit'], env: { PATH: process.env.PATH, TERM: 'xterm', ...env } })
  t.after(() => child.stdin.end())
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async command => {
    child.stdin.write(`${command}\n`)
    const { value } = await lines.next()
    const said = JSON.parse(value)
    assert.ok(said.ok, `${command}: not within its time; the screen:\n${said.screen.join('\n')}`)
    return said
  }
}

async function arrange (t, { columns = 80, rows = 24, env = { NO_COLOR: '1' } } = {}) {
  const w = await world(t)
  const ask = async path => assert.equal((await w.scratch.run('curl', ['-sf', '-o', '/dev/null', '-H', `Authorization: Bearer ${w.token}`, `${w.node.url}${path}`])).code, 0)
  for (let i = 0; i < 3; ++i) await ask('/repos/octo-org/repo-1')
  return { ...w, ask, pty: terminal(t, columns, rows, [BIN, 'top', '--ready-file', w.node.readyFile], env) }
}

test('at 80 by 24 without colours: counts, sources, quota, peers, and requests as they come', async t => {
  const w = await arrange(t)
  await w.pty('wait 3 requests')
  await w.ask('/repos/octo-org/repo-1/labels')
  const { screen, colours, alternate, cursor } = await w.pty('wait /repos/octo-org/repo-1/labels')
  assert.ok(alternate && !cursor && !colours)
  assert.equal(screen.length, 24)
  assert.ok(screen.every(line => line.length <= 80))
  const text = screen.join('\n')
  assert.match(text, new RegExp(`^ghmesh ${w.node.ready.listen} `))
  assert.match(text, /memory, disk +2 +[0-9.]+\/s +#/)
  assert.match(text, /\n {2}\S+ +core +[#.]+ +[0-9,]+ of [0-9,]+ +reset \d+:\d\d/)
  assert.match(text, /PEERS {2}no mesh: /)
  assert.match(text, /\d\d:\d\d:\d\d {2}200 /)
  assert.match(screen.at(-1), /^q quit/)
  await w.pty('wait 4 requests')
})

test('keys: order of peers, pause; q ends and the terminal is as before', async t => {
  const w = await arrange(t)
  await w.pty('wait requests')
  await w.pty('type p')
  await w.pty('wait PAUSED')
  await w.pty('type pq')
  const { status, restored } = await w.pty('end')
  assert.equal(status, 0)
  assert.ok(restored)
})

test('peers with their round trips, in the order that the keys choose', async t => {
  const scratch = new Scratch(t)
  const standin = await startStandin(scratch)
  const { nodes: [one, ...others] } = await startMesh(scratch, standin.http, 3)
  const pty = terminal(t, 80, 24, [BIN, 'top', '--ready-file', one.readyFile], { NO_COLOR: '1' })
  await pty('wait 2 peers')
  await pty('wait PEERS by rtt')
  await pty('match owner +[0-9]+\\.[0-9][0-9] ')
  await pty('type SS')
  await pty('wait PEERS by out')
  await pty('type s')
  await pty('wait PEERS by id')
  const ids = others.map(node => node.ready.peer_id).sort().map(id => id.slice(-10))
  const rows = screen => screen.map(line => line.match(/^ {2}\*(\S{10}) +\/ip4\/127\.0\.0\.1\/tcp\/\d+\S* +owner +(?:[0-9.]+|-) +\S+ \S+ +\S+ \S+$/)?.[1]).filter(Boolean)
  const seen = (await pty('rows 24')).screen
  assert.deepEqual(rows(seen), ids, seen.join('\n'))
  await pty('type r')
  const { screen } = await pty('wait PEERS by id, reversed')
  assert.deepEqual(rows((await pty('rows 24')).screen), ids.toReversed(), screen.join('\n'))
})

test('another size is drawn at once', async t => {
  const w = await arrange(t)
  await w.pty('wait requests')
  await w.pty('resize 40 10')
  const { screen } = await w.pty('rows 10')
  assert.match(screen.at(-1), /^q quit/)
  assert.ok(screen.every(line => line.length <= 40))
  await w.pty('resize 120 40')
  assert.match((await w.pty('rows 40')).screen.at(-1), /^q quit/)
})

test('colours where they are wanted', async t => {
  const w = await arrange(t, { env: {} })
  assert.ok((await w.pty('wait requests')).colours)
})

for (const [signal, status] of [['SIGTERM', 143], ['SIGHUP', 129], ['SIGINT', 0], ['SIGSEGV', -11], ['SIGQUIT', -3]]) {
  test(`${signal} gives the terminal back`, async t => {
    const w = await arrange(t)
    await w.pty('wait requests')
    await w.pty(`signal ${signal}`)
    const ended = await w.pty('end')
    assert.equal(ended.status, status)
    assert.ok(ended.restored, JSON.stringify(ended))
  })
}

test('stopped it leaves the terminal, continued it is back', async t => {
  const w = await arrange(t)
  await w.pty('wait requests')
  await w.pty('signal SIGTSTP')
  await w.pty('stopped')
  await w.pty('signal SIGCONT')
  assert.match((await w.pty('rows 24')).screen.at(-1), /^q quit/)
  await w.pty('type q')
  assert.ok((await w.pty('end')).restored)
})

test('a node that goes is said, and one that comes back is shown', async t => {
  const w = await arrange(t)
  await w.pty('wait requests')
  await w.node.stop()
  await w.pty('wait no node answers')
  await w.pty('type q')
  assert.ok((await w.pty('end')).restored)
})

test('--once is plain text; without a terminal and without a node it says so', async t => {
  const w = await arrange(t)
  const once = await ghmesh(w.scratch, ['top', '--once', '--ready-file', w.node.readyFile])
  assert.equal(once.code, 0, once.stderr)
  assert.match(once.text, /3 requests/)
  assert.match(once.text, /QUOTA\n {2}\S+ +core/)
  assert.ok(!once.text.includes('\x1b'))
  const piped = await ghmesh(w.scratch, ['top', '--ready-file', w.node.readyFile])
  assert.equal(piped.code, 2)
  assert.match(piped.stderr, /no terminal; for a log: ghmesh top --once/)
  const nobody = await ghmesh(w.scratch, ['top', '--once', '--admin', '127.0.0.1:1'])
  assert.equal(nobody.code, 3)
})
