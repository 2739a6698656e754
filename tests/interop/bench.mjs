// SPDX-License-Identifier: Apache-2.0
// The measurements behind the performance claims: ours with ours, ours with a js listener, js with js, one after the
// other in one run, three rounds, median. Prints one JSON line per figure, with the listener's CPU time per operation.
import { execFile, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { listen, run } from './our_peer.mjs'

const rounds = Number(process.env.BENCH_ROUNDS ?? 3)
// --quick: a sixteenth of the work. js is not warm then, so its figures are its worst.
const share = process.argv.includes('--quick') ? 16 : 1
const MiB = 1 << 20
const workloads = [
  { name: 'kept x1', mode: 'kept', parallel: 1, count: 5000, size: 2048 },
  { name: 'kept x32', mode: 'kept', parallel: 32, count: 30000, size: 2048 },
  { name: 'kept 20K x32', mode: 'kept', parallel: 32, count: 10000, size: 20480 },
  { name: 'fresh x1', mode: 'fresh', parallel: 1, count: 2000, size: 2048 },
  { name: 'fresh x32', mode: 'fresh', parallel: 32, count: 6000, size: 2048 },
  { name: 'setups', mode: 'setups', parallel: 1, count: 400, size: 0 },
  { name: 'up', mode: 'up', parallel: 1, count: 256 * MiB, size: 0 },
  { name: 'down', mode: 'down', parallel: 1, count: 256 * MiB, size: 0 }
]

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]
// User and system time of a process in seconds; the clock of /proc ticks 100 times a second.
const cpu = pid => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' '); return (Number(f[11]) + Number(f[12])) / 100 }
const rss = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

async function jsListen () {
  const child = spawn(process.execPath, ['js_listen.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const first = await new Promise(resolve => createInterface({ input: child.stdout }).once('line', resolve))
  return { ...JSON.parse(first), pid: child.pid, stop: () => child.kill('SIGKILL') }
}

async function ourClient (address, w) {
  if (w.mode === 'up' || w.mode === 'down') {
    const { last } = await run('perf', address, w.mode === 'up' ? '--upload' : '--download', w.count)
    return w.count / last.seconds
  }
  const { last } = await run('bench', address, '--mode', w.mode, '--parallel', w.parallel, '--count', w.count, '--size', w.size)
  if (!last.ok) throw new Error(JSON.stringify(last))
  return last.per_second
}

function jsClient (address, w) {
  return new Promise((resolve, reject) => execFile(process.execPath, ['js_client.mjs', address, w.mode, w.parallel, w.count, w.size].map(String),
    (error, out) => error ? reject(error) : resolve(JSON.parse(out).per_second)))
}

const pairs = {
  // Ten times the operations, or a run would be over before it is warm.
  'ours-ours': { server: listen, client: ourClient, times: 10 },
  'ours-js': { server: jsListen, client: ourClient },
  'js-js': { server: jsListen, client: jsClient }
}

// What an idle connection costs our listener: 150 held, less what one had warmed up.
{
  const server = await listen()
  const idle = rss(server.pid)
  const held = async n => {
    const holding = run('bench', server.multiaddrs[0], '--mode', 'hold', '--parallel', n, '--count', 4)
    await new Promise(resolve => setTimeout(resolve, 3000))
    const used = rss(server.pid)
    const { last } = await holding
    if (last.connections !== n) throw new Error(JSON.stringify(last))
    return used
  }
  const one = await held(1)
  const many = await held(151)
  console.log(JSON.stringify({ workload: 'memory', 'idle MiB': Number(idle.toFixed(1)), 'KiB per idle connection': Number(((many - one) * 1024 / 150).toFixed(1)) }))
  await server.stop()
}

const figures = {}
for (const w of workloads) {
  figures[w.name] = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, pair] of Object.entries(pairs)) {
      const server = await pair.server()
      const idle = rss(server.pid)
      const before = cpu(server.pid)
      const whole = w.mode === 'up' || w.mode === 'down' ? w.count : w.count * (pair.times ?? 1)
      const count = Math.ceil(whole / share)
      const rate = await pair.client(server.multiaddrs[0], { ...w, count })
      const entry = figures[w.name][name] ??= { rate: [], cpu: [], idle: [], loaded: [] }
      entry.rate.push(rate)
      entry.cpu.push((cpu(server.pid) - before) * 1e6 / count)
      entry.idle.push(idle)
      entry.loaded.push(rss(server.pid))
      await server.stop()
    }
  }
  const bulk = w.mode === 'up' || w.mode === 'down'
  const line = { workload: w.name, unit: bulk ? 'MiB/s' : '1/s' }
  for (const [name, e] of Object.entries(figures[w.name])) {
    line[name] = Math.round(median(e.rate) / (bulk ? MiB : 1))
    line[`${name} server cpu us/${bulk ? 'MiB' : 'op'}`] = Number((median(e.cpu) * (bulk ? MiB : 1)).toFixed(1))
    line[`${name} rss`] = `${median(e.idle).toFixed(1)}/${median(e.loaded).toFixed(1)} MiB`
  }
  line['rate ratio'] = Number((line['ours-ours'] / line['js-js']).toFixed(1))
  console.log(JSON.stringify(line))
}
