// SPDX-License-Identifier: Apache-2.0
//
// Runs the public suite http-cache-tests against a proxy and judges the results.
//
//   node run.mjs --binary build/release/ghmesh           starts the suite's origin and a node in front of it
//   node run.mjs --proxy URL --origin-port PORT          the proxy at URL has http://127.0.0.1:PORT as its upstream
//   … --suite DIR                                        a checkout of http-tests/cache-tests instead of the npm release
//   … --column private                                   with a credential, judged by the column for its partition
//   … --only ID                                          one test, with both sides' messages
//   … --json FILE                                        raw results
//
// The npm release is judged by the table beside this file, a checkout by the suite's own kinds. Exits 0 if no test of
// tier must (or, for a checkout, of kind required) failed.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const here = path.dirname(fileURLToPath(import.meta.url))
const { values: options } = parseArgs({
  options: {
    binary: { type: 'string' },
    proxy: { type: 'string' },
    'origin-port': { type: 'string' },
    suite: { type: 'string' },
    column: { type: 'string', default: 'shared' },
    only: { type: 'string' },
    json: { type: 'string' }
  }
})
if (!options.binary && !(options.proxy && options['origin-port'])) {
  console.error('run.mjs: give --binary FILE, or --proxy URL and --origin-port PORT')
  process.exit(2)
}

const require = createRequire(import.meta.url)
const current = options.suite !== undefined
const root = current ? path.resolve(options.suite) : path.dirname(require.resolve('http-cache-tests/package.json'))
const engine = current ? path.join(root, 'test-engine') : root
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'))
const children = []

function start (command, args, environment, log) {
  const output = fs.openSync(path.join(scratch, log), 'w')
  const child = spawn(command, args, { env: { ...process.env, ...environment }, cwd: scratch, stdio: ['ignore', output, output] })
  children.push(child)
  child.on('exit', code => {
    if (child.stopping) return
    console.error(`run.mjs: ${command} ended with ${code}; its output:\n${fs.readFileSync(path.join(scratch, log), 'utf8')}`)
    stop(2)
  })
  return child
}

function stop (code) {
  for (const child of children) {
    child.stopping = true
    child.kill('SIGTERM')
  }
  fs.rmSync(scratch, { recursive: true, force: true })
  process.exit(code)
}

function freePort () {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

async function until (what, seconds, probe) {
  const deadline = Date.now() + seconds * 1000
  while (Date.now() < deadline) {
    const found = await probe()
    if (found) return found
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  console.error(`run.mjs: ${what} did not come up in ${seconds} s`)
  return stop(2)
}

const statusOf = url => fetch(url).then(response => response.status, () => 0)

async function startOrigin (port) {
  start(process.execPath, ['--require', path.join(here, 'loopback.cjs'), path.join(engine, 'server/server.mjs')], {
    npm_config_protocol: 'http',
    npm_config_port: String(port),
    npm_config_pidfile: path.join(scratch, 'origin.pid')
  }, 'origin.log')
  await until('the origin', 15, async () => await statusOf(`http://127.0.0.1:${port}/none`) === 404)
}

async function startNode (port) {
  const ready = path.join(scratch, 'ready.json')
  start(path.resolve(options.binary), ['serve', '--freshness', 'http', '--upstream', `http://127.0.0.1:${port}`,
    '--listen', '127.0.0.1:0', '--admin', 'off', '--p2p', 'off', '--cache-dir', 'none', '--ready-file', ready], {}, 'node.log')
  const text = await until('the node', 15, () => fs.existsSync(ready) && fs.readFileSync(ready, 'utf8'))
  const { listen } = JSON.parse(text)
  return `http://${Array.isArray(listen) ? listen[0] : listen}`
}

// The private column is about the partition of one credential: every request that has none gets the same one. But for
// the test that asks what is shared among those without a credential.
const kAnonymous = ['cc-resp-private-shared']
function withCredential (headers) {
  if (options.column !== 'private') return headers
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers ?? {})
  const named = pairs.some(([name, value]) => name.toLowerCase() === 'authorization' ||
    (name.toLowerCase() === 'test-id' && kAnonymous.includes(value)))
  return named ? pairs : [...pairs, ['Authorization', 'Bearer conformance']]
}

async function runSuite (base) {
  const load = async file => import(pathToFileURL(path.join(root, file)).href)
  const groups = [...(await load('tests/index.mjs')).default]
  if (!current) groups.push((await load('tests/surrogate-control.mjs')).default)
  const tests = groups.flatMap(group => group.tests)
  let chosen = groups
  if (options.only) {
    chosen = groups.map(group => ({ ...group, tests: group.tests.filter(test => test.id === options.only) })).filter(group => group.tests.length)
    chosen.forEach(group => group.tests.forEach(test => { test.dump = true }))
  }
  const runner = await import(pathToFileURL(path.join(engine, 'client/runner.mjs')).href)
  if (current) {
    await runner.runTests(chosen, false, base)
  } else {
    // The release's own fetch; a time-out of our own, since it has none and one hung request would stop the run.
    const fetchOfRelease = createRequire(path.join(root, 'package.json'))('node-fetch')
    const withTimeout = (url, init) => fetchOfRelease(url, { ...init, headers: withCredential(init?.headers), timeout: 20000 })
    await runner.runTests(chosen, withTimeout, false, base)
  }
  return { tests, results: runner.getResults() }
}

// A result counts only if all that the test builds on holds, as in the suite's own report.
function grader (tests, results) {
  const byId = new Map(tests.map(test => [test.id, test]))
  const passes = id => byId.has(id) && results[id] === true && (byId.get(id).depends_on ?? []).every(passes)
  return passes
}

function explain (id, results) {
  const result = results[id]
  if (result === undefined) return 'not run'
  return result === true ? 'a test it depends on failed' : `${result[0]}: ${result[1]}`
}

function report (rows, passes, results, fatal) {
  const failed = []
  for (const tier of [...new Set(rows.map(row => row.tier))]) {
    const ids = rows.filter(row => row.tier === tier).map(row => row.id)
    const bad = ids.filter(id => !passes(id))
    console.log(`${tier}: ${ids.length - bad.length} passed, ${bad.length} failed`)
    if (tier === fatal) failed.push(...bad)
    if (['must', 'want', 'required', 'optimal'].includes(tier)) bad.forEach(id => console.log(`  ${id}: ${explain(id, results)}`))
  }
  return failed.length
}

function judged () {
  const column = options.column === 'private' ? 4 : 3
  return fs.readFileSync(path.join(here, 'http-cache-tests-0.4.5.tsv'), 'utf8').split('\n')
    .filter(line => line && !line.startsWith('#')).map(line => line.split('\t'))
    .map(columns => ({ id: columns[1], tier: columns[column] }))
}

const port = Number(options['origin-port'] ?? await freePort())
await startOrigin(port)
const base = options.binary ? await startNode(port) : options.proxy.replace(/\/$/, '')
await until('the proxy', 15, async () => await statusOf(`${base}/none`) === 404)
const { tests, results } = await runSuite(base)
if (options.json) fs.writeFileSync(options.json, JSON.stringify(results, null, 1))
if (options.only) {
  console.log(`${options.only}: ${explain(options.only, results) === 'a test it depends on failed' ? 'passed' : explain(options.only, results)}`)
  stop(results[options.only] === true ? 0 : 1)
}
const passes = grader(tests, results)
const rows = current ? tests.filter(test => !test.browser_only).map(test => ({ id: test.id, tier: test.kind ?? 'required' })) : judged()
stop(report(rows, passes, results, current ? 'required' : 'must') === 0 ? 0 : 1)
