// SPDX-License-Identifier: Apache-2.0
// A js-libp2p node that speaks what ghmesh's developer command speaks: echo, perf and framed replies.
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import { identify, identifyPush } from '@libp2p/identify'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { createLibp2p } from 'libp2p'

export const ECHO = '/echo/1.0.0'
export const PERF = '/perf/1.0.0'
export const REPLY = '/interop/rr/1.0.0'

const many = { maxInboundStreams: 2048, maxOutboundStreams: 2048 }

// signer: what proves the identity in the handshake instead of the node's own key, for those who lie. defaults: js's own
// limits instead of those that fit a test.
export async function makePeer ({ secure = 'noise', listen = true, signer, defaults = false, ...rest } = {}) {
  const encrypter = secure === 'tls' ? tls() : noise()
  const node = await createLibp2p({
    addresses: { listen: listen ? ['/ip4/127.0.0.1/tcp/0'] : [] },
    transports: [tcp()],
    connectionEncrypters: [components => encrypter(signer == null ? components : withKey(components, signer))],
    // Early streams: those that arrive before js has finished its side of the upgrade; it takes 10 by default.
    streamMuxers: [defaults ? yamux() : yamux({ maxInboundStreams: 4096, maxOutboundStreams: 4096, maxEarlyStreams: 1024 })],
    connectionManager: defaults ? {} : { inboundConnectionThreshold: 10000, maxConnections: 1000, maxIncomingPendingConnections: 1000 },
    services: { identify: identify(), identifyPush: identifyPush(), ping: ping() },
    ...rest
  })
  await node.handle(ECHO, echo, defaults ? {} : many)
  await node.handle(PERF, perf, defaults ? {} : many)
  await node.handle(REPLY, reply, defaults ? {} : many)
  return node
}

// js's components with another private key.
function withKey (components, privateKey) {
  return new Proxy(components, { get: (target, name) => name === 'privateKey' ? privateKey : target[name] })
}

export const streamOptions = many

// Sends with respect for back-pressure.
export async function send (stream, bytes) {
  if (!stream.send(bytes)) await stream.onDrain()
}

async function echo (stream) {
  for await (const chunk of stream) await send(stream, chunk)
  await stream.close()
}

async function perf (stream) {
  let head = new Uint8Array(0)
  for await (const chunk of stream) {
    if (head.length < 8) head = concat([head, chunk.subarray()]).subarray(0, 8)
  }
  let left = Number(new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0))
  const block = new Uint8Array(64 * 1024)
  while (left > 0) {
    const n = Math.min(left, block.length)
    await send(stream, block.subarray(0, n))
    left -= n
  }
  await stream.close()
}

async function reply (stream) {
  for await (const message of frames(stream)) {
    const size = new DataView(message.buffer, message.byteOffset, 4).getUint32(0)
    await send(stream, frame(new Uint8Array(size)))
  }
  await stream.close()
}

export function concat (parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of parts) { out.set(p, at); at += p.length }
  return out
}

export function frame (body) {
  const head = []
  let n = body.length
  while (n >= 0x80) { head.push((n & 0x7f) | 0x80); n >>>= 7 }
  head.push(n)
  return concat([Uint8Array.from(head), body])
}

export async function * frames (stream) {
  let buffer = new Uint8Array(0)
  for await (const chunk of stream) {
    buffer = concat([buffer, chunk.subarray()])
    while (true) {
      let size = 0; let shift = 0; let at = 0; let done = false
      for (; at < buffer.length && !done; at++, shift += 7) {
        size |= (buffer[at] & 0x7f) << shift
        done = (buffer[at] & 0x80) === 0
      }
      if (!done || buffer.length < at + size) break
      yield buffer.slice(at, at + size)
      buffer = buffer.subarray(at + size)
    }
  }
}

// All octets of a stream until its end.
export async function readAll (stream) {
  const parts = []
  for await (const chunk of stream) parts.push(chunk.subarray().slice())
  return concat(parts)
}
