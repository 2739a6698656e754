// SPDX-License-Identifier: Apache-2.0
// The measurements behind the performance claims: ours with ours, ours with a js listener, js with js, taking turns at
// each figure, medians over the rounds. The listeners and the js client live for the whole run, so js is as warm as it
// gets; each figure has a time to get warm that is not counted, too. One JSON line per figure, then the table and the
// bars. --quick: one short round.
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { listen, start } from './our_peer.mjs'

const quick = process.argv.includes('--quick')
const rounds = Number(process.env.BENCH_ROUNDS ?? (quick ? 1 : 3))
const only = process.env.BENCH_ONLY
const times = quick ? { warm: 400, measure: 900 } : { warm: 2000, measure: 4000 }
const MiB = 1 << 20
const octets = (quick ? 64 : 256) * MiB

const workloads = [
  { name: 'ping, one stream', mode: 'ping', parallel: 1, size: 32 },
  ...['kept', 'fresh'].flatMap(mode => [2048, 20480].flatMap(size => [1, 32].map(parallel => ({
    name: `${size / 1024} KiB, ${mode === 'kept' ? (parallel === 1 ? '1 kept stream' : `${parallel} kept streams`) : `a new stream each${parallel === 1 ? '' : `, ${parallel} at once`}`}`,
    mode,
    parallel,
    size
  })))),
  { name: 'set-ups, one dialer', mode: 'setups', parallel: 1, size: 0 },
  { name: 'set-ups, 8 dialers', mode: 'setups', parallel: 8, size: 0 },
  { name: `one stream up, ${octets / MiB} MiB`, mode: 'up', octets },
  { name: `one stream down, ${octets / MiB} MiB`, mode: 'down', octets }
].filter(w => only == null || w.name.includes(only))

// What the issue's bars are held against: rate over js's, server's CPU time under js's.
const bars = {
  '2 KiB, 32 kept streams': { rate: 6, cpu: 0.25 },
  '2 KiB, a new stream each': { rate: 8, cpu: 0.2 },
  '2 KiB, a new stream each, 32 at once': { rate: 8, cpu: 0.2 },
  'set-ups, one dialer': { rate: 8, cpu: 0.3 },
  [`one stream up, ${octets / MiB} MiB`]: { rate: 3, cpu: 0.3 },
  [`one stream down, ${octets / MiB} MiB`]: { rate: 3, cpu: 0.3 }
}

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
// Seconds on a processor, of all threads that live, from the scheduler's own nanoseconds.
const cpu = pid => readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]), 0) / 1e9
const rss = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

async function jsListen () {
  const child = spawn(process.execPath, ['js_listen.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const first = await new Promise(resolve => createInterface({ input: child.stdout }).once('line', resolve))
  return { ...JSON.parse(first), pid: child.pid, stop: () => child.kill('SIGKILL') }
}

// A client does one job: begin() is called when the counting begins.
async function ourClient (address, w, begin) {
  if (w.octets != null) {
    const { last } = await start('perf', address, w.mode === 'up' ? '--upload' : '--download', w.octets).done
    if (!last.ok) throw new Error(JSON.stringify(last))
    return { per_second: w.octets / last.seconds, cpu_us: last.cpu_seconds * 1e6 / w.octets }
  }
  const client = start('bench', address, '--mode', w.mode, '--parallel', w.parallel, '--size', w.size, '--warm', times.warm, '--measure', times.measure)
  client.lines.on('line', line => { if (JSON.parse(line).event === 'begin') begin() })
  const { last } = await client.done
  if (!last.ok) throw new Error(JSON.stringify(last))
  return last
}

function startJsClient () {
  const child = spawn(process.execPath, ['js_client.mjs'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error('the js client has ended')
    return JSON.parse(value)
  }
  const client = async (address, w, begin) => {
    child.stdin.write(JSON.stringify({ address, ...w, ...(w.octets == null ? times : {}) }) + '\n')
    await next()
    begin()
    return await next()
  }
  return { client, stop: () => child.stdin.end() }
}

// What an idle connection costs a listener: 150 held, less what one had warmed up.
async function perConnection (server) {
  const held = async n => {
    const holding = start('bench', server.multiaddrs[0], '--mode', 'hold', '--parallel', n, '--count', 2)
    const line = await new Promise(resolve => holding.lines.once('line', resolve))
    if (JSON.parse(line).connections !== n) throw new Error(line)
    await new Promise(resolve => setTimeout(resolve, 1500))
    const used = rss(server.pid)
    await holding.done
    return used
  }
  const one = await held(1)
  return (await held(151) - one) * 1024 / 150
}

const [ours, jsForOurs, jsForJs] = await Promise.all([listen(), jsListen(), jsListen()])
const js = startJsClient()
const pairs = {
  'ours-ours': { server: ours, client: ourClient },
  'ours-js': { server: jsForOurs, client: ourClient },
  'js-js': { server: jsForJs, client: js.client }
}
const memory = { idle: { ours: rss(ours.pid), js: rss(jsForJs.pid) } }
memory['KiB per idle connection'] = { ours: await perConnection(ours), js: await perConnection(jsForOurs) }

const figures = {}
for (let round = 0; round < rounds; round++) {
  for (const w of workloads) {
    for (const [name, { server, client }] of Object.entries(pairs)) {
      let before = cpu(server.pid)
      if (w.octets != null) {
        // One to get warm; the other counts.
        await client(server.multiaddrs[0], { ...w, octets: 16 * MiB }, () => {})
        before = cpu(server.pid)
      }
      const result = await client(server.multiaddrs[0], w, () => { before = cpu(server.pid) })
      const done = w.octets ?? result.per_second * times.measure / 1000
      const entry = (figures[w.name] ??= {})[name] ??= { rate: [], p50: [], p99: [], server: [], client: [] }
      entry.rate.push(result.per_second)
      entry.p50.push(result.p50_ms)
      entry.p99.push(result.p99_ms)
      entry.server.push((cpu(server.pid) - before) * 1e6 / done)
      entry.client.push(result.cpu_us)
    }
  }
}
memory.loaded = { ours: rss(ours.pid), js: rss(jsForJs.pid) }

const round3 = x => Number(x.toPrecision(3))
const rows = []
for (const w of workloads) {
  const per = w.octets == null ? 1 : MiB
  const of = name => {
    const e = figures[w.name][name]
    return {
      rate: round3(median(e.rate) / per),
      ...(w.octets == null ? { p50_ms: round3(median(e.p50)), p99_ms: round3(median(e.p99)) } : {}),
      server_cpu_us: round3(median(e.server) * per),
      client_cpu_us: round3(median(e.client) * per)
    }
  }
  const all = Object.fromEntries(Object.keys(pairs).map(name => [name, of(name)]))
  const ratio = round3(all['ours-ours'].rate / all['js-js'].rate)
  const share = round3(all['ours-ours'].server_cpu_us / all['js-js'].server_cpu_us)
  console.log(JSON.stringify({ figure: w.name, unit: w.octets == null ? '1/s' : 'MiB/s', per: w.octets == null ? 'operation' : 'MiB', ...all, rate_ratio: ratio, server_cpu_ratio: share }))
  rows.push({ name: w.name, unit: w.octets == null ? '/s' : ' MiB/s', all, ratio, share, bar: bars[w.name] })
}
console.log(JSON.stringify({ figure: 'memory', unit: 'MiB', ...memory }))

const verdict = (held, bar, value) => bar == null ? `${value}` : `${value} (bar ${bar}${held ? '' : ', NOT MET'})`
const side = f => `${f.rate}` + (f.p50_ms == null ? '' : `; ${f.p50_ms} / ${f.p99_ms} ms`)
console.log(`
| figure (rate; p50 / p99) | ours↔ours | ours↔js | js↔js | rate ÷ js | CPU µs server, client: ours, js | server CPU ÷ js |
|---|---|---|---|---|---|---|`)
for (const { name, unit, all, ratio, share, bar } of rows) {
  const o = all['ours-ours']
  const j = all['js-js']
  console.log(`| ${name},${unit} | ${side(o)} | ${side(all['ours-js'])} | ${side(j)} | ${verdict(ratio >= bar?.rate, bar?.rate, ratio)} ` +
    `| ${o.server_cpu_us}, ${o.client_cpu_us}; ${j.server_cpu_us}, ${j.client_cpu_us} | ${verdict(share <= bar?.cpu, bar?.cpu, share)} |`)
}
const kib = memory['KiB per idle connection']
console.log(`| resident, idle, MiB | ${verdict(memory.idle.ours <= 8, 8, round3(memory.idle.ours))} | | ${round3(memory.idle.js)} | | | |
| resident per idle connection, KiB | ${verdict(kib.ours <= 30, 30, round3(kib.ours))} | | ${round3(kib.js)} | | | |
| resident after all this, MiB | ${round3(memory.loaded.ours)} | | ${round3(memory.loaded.js)} | | | |`)

js.stop()
for (const { server } of Object.values(pairs)) await server.stop()
process.exit(0)
