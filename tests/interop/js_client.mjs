// SPDX-License-Identifier: Apache-2.0
// The developer command's `bench` and `perf` with js-libp2p as the client: js_client.mjs ADDRESS kept|fresh|setups|up|down PARALLEL COUNT SIZE
import { multiaddr } from '@multiformats/multiaddr'
import { PERF, REPLY, concat, frame, frames, makePeer, readAll, send, streamOptions } from './js_peer.mjs'

const [, , address, mode, parallel, count, size] = process.argv
const to = multiaddr(address)
let left = Number(count)
const request = new Uint8Array(64)
new DataView(request.buffer).setUint32(0, Number(size))
const node = await makePeer({ listen: false })

async function exchange (stream, answers) {
  await send(stream, frame(request))
  const { value } = await answers.next()
  if (value.length !== Number(size)) throw new Error('another reply than asked for')
}

const workers = {
  async kept (connection) {
    const stream = await connection.newStream(REPLY, streamOptions)
    const answers = frames(stream)
    while (left-- > 0) await exchange(stream, answers)
    await stream.close()
  },
  async fresh (connection) {
    while (left-- > 0) {
      const stream = await connection.newStream(REPLY, streamOptions)
      await exchange(stream, frames(stream))
      await stream.close()
    }
  },
  async setups () {
    while (left-- > 0) {
      const connection = await node.dial(to)
      await connection.close()
    }
  },
  async up (connection) { await perf(connection, left, 0); left = 0 },
  async down (connection) { await perf(connection, 0, left); left = 0 }
}

async function perf (connection, up, down) {
  const stream = await connection.newStream(PERF, streamOptions)
  const head = new Uint8Array(8)
  new DataView(head.buffer).setBigUint64(0, BigInt(down))
  await send(stream, head)
  const block = new Uint8Array(64 * 1024)
  for (let rest = up; rest > 0; rest -= block.length) await send(stream, block)
  await stream.close()
  for await (const chunk of stream) down -= chunk.byteLength
  if (down !== 0) throw new Error('another number of octets than asked for')
}

const connection = mode === 'setups' ? undefined : await node.dial(to)
const begin = performance.now()
await Promise.all(Array.from({ length: Number(parallel) }, async () => await workers[mode](connection)))
const seconds = (performance.now() - begin) / 1000
console.log(JSON.stringify({ mode, parallel: Number(parallel), count: Number(count), ok: true, seconds, per_second: Number(count) / seconds }))
await node.stop()
process.exit(0)
