// SPDX-License-Identifier: Apache-2.0
// js-libp2p as the client of a measurement. Takes one JSON object per line of standard input, answers each with a line
// {event: "begin"} when it is warm and a line with the result, and so is warm itself after the first:
// {address, mode: ping|kept|fresh|setups|up|down, parallel, size, warm, measure} with times in milliseconds, or octets
// instead of times for up and down.
import { createInterface } from 'node:readline'
import { randomBytes } from 'node:crypto'
import { multiaddr } from '@multiformats/multiaddr'
import { PERF, REPLY, concat, frame, frames, makePeer, send, streamOptions } from './js_peer.mjs'

const PING = '/ipfs/ping/1.0.0'
const say = object => process.stdout.write(JSON.stringify(object) + '\n')
const first = await makePeer({ listen: false })

async function exchange (stream, answers, { request, size }) {
  await send(stream, frame(request))
  const { value } = await answers.next()
  if (value.length !== size) throw new Error('another reply than asked for')
}

async function timed (run, action) {
  const begin = performance.now()
  await action()
  run.times.push(performance.now() - begin)
}

async function * chunks (stream) {
  for await (const chunk of stream) yield chunk.subarray()
}

const workers = {
  // One stream for many, as the protocol has it; js's own service opens a stream for each.
  async ping (run, connection) {
    const stream = await connection.newStream(PING, streamOptions)
    const answers = chunks(stream)
    while (!run.over) {
      await timed(run, async () => {
        const payload = randomBytes(32)
        await send(stream, payload)
        let got = new Uint8Array(0)
        while (got.length < 32) got = concat([got, (await answers.next()).value])
        if (!payload.equals(got)) throw new Error('a ping came back altered')
      })
    }
    await stream.close()
  },
  async kept (run, connection) {
    const stream = await connection.newStream(REPLY, streamOptions)
    const answers = frames(stream)
    while (!run.over) await timed(run, () => exchange(stream, answers, run))
    await stream.close()
  },
  async fresh (run, connection) {
    while (!run.over) {
      await timed(run, async () => {
        const stream = await connection.newStream(REPLY, streamOptions)
        await exchange(stream, frames(stream), run)
        await stream.close()
      })
    }
  },
  async setups (run, connection, index) {
    const dialer = index === 0 ? first : await makePeer({ listen: false })
    while (!run.over) {
      await timed(run, async () => {
        const mine = await dialer.dial(run.to)
        await mine.close()
      })
    }
    if (dialer !== first) await dialer.stop()
  }
}

async function bulk ({ mode, octets }, connection) {
  const stream = await connection.newStream(PERF, streamOptions)
  const head = new Uint8Array(8)
  if (mode === 'down') new DataView(head.buffer).setBigUint64(0, BigInt(octets))
  const cpu = process.cpuUsage()
  const begin = performance.now()
  await send(stream, head)
  const block = new Uint8Array(64 * 1024)
  for (let rest = mode === 'up' ? octets : 0; rest > 0; rest -= block.length) await send(stream, block)
  await stream.close()
  let got = 0
  for await (const chunk of stream) got += chunk.byteLength
  if (got !== (mode === 'down' ? octets : 0)) throw new Error('another number of octets than asked for')
  const used = process.cpuUsage(cpu)
  const seconds = (performance.now() - begin) / 1000
  say({ per_second: octets / seconds, cpu_us: (used.user + used.system) / octets })
}

async function measure ({ mode, parallel, size, warm, measure }, to, connection) {
  const request = new Uint8Array(64)
  new DataView(request.buffer).setUint32(0, size)
  const run = { over: false, times: [], size, request, to }
  const working = Promise.all(Array.from({ length: parallel }, (_, i) => workers[mode](run, connection, i)))
  await Promise.race([working, new Promise(resolve => setTimeout(resolve, warm))])
  say({ event: 'begin' })
  run.times = []
  const cpu = process.cpuUsage()
  const begin = performance.now()
  await Promise.race([working, new Promise(resolve => setTimeout(resolve, measure))])
  const times = run.times
  const used = process.cpuUsage(cpu)
  const seconds = (performance.now() - begin) / 1000
  run.over = true
  run.times = []
  await working
  times.sort((a, b) => a - b)
  const at = q => times[Math.floor(q * (times.length - 1))]
  say({ per_second: times.length / seconds, p50_ms: at(0.5), p99_ms: at(0.99), cpu_us: (used.user + used.system) / times.length })
}

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line)
  const to = multiaddr(job.address)
  const connection = job.mode === 'setups' ? undefined : await first.dial(to)
  if (job.octets != null) {
    say({ event: 'begin' })
    await bulk(job, connection)
  } else {
    await measure(job, to, connection)
  }
  await connection?.close()
}
process.exit(0)
