// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { ECHO, REPLY, concat, frame, frames, makePeer, readAll, send, streamOptions } from './js_peer.mjs'
import { listen, run } from './our_peer.mjs'

const MiB = 1 << 20
const secures = (process.env.INTEROP_SECURE ?? 'noise').split(',')
const sha = bytes => createHash('sha256').update(bytes).digest('hex')
const pattern = n => { const b = new Uint8Array(n); for (let i = 0; i < n; i++) b[i] = i * 31 + (i >> 8); return b }
const rssMiB = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
const options = secure => secure === 'tls' ? ['--tls'] : []

async function echoOnce (js, address, bytes) {
  const stream = await js.dialProtocol(address, ECHO, streamOptions)
  const reading = readAll(stream)
  for (let at = 0; at < bytes.length; at += 64 * 1024) await send(stream, bytes.subarray(at, at + 64 * 1024))
  await stream.close()
  return await reading
}

for (const secure of secures) {
  describe(`js dials us over ${secure}`, () => {
    let ours, js, address
    before(async () => {
      ours = await listen(...options(secure))
      js = await makePeer({ secure })
      address = multiaddr(ours.multiaddrs[0])
    })
    after(async () => { await js.stop(); await ours.stop() })

    test('identify both ways, certified', async () => {
      const connection = await js.dial(address)
      assert.equal(connection.remotePeer.toString(), ours.peer_id)
      assert.equal(connection.encryption, secure === 'tls' ? '/tls/1.0.0' : '/noise')
      let peer
      for (let i = 0; i < 100 && !(peer?.protocols.length > 0); i++) {
        await new Promise(resolve => setTimeout(resolve, 20))
        peer = await js.peerStore.get(connection.remotePeer)
      }
      assert.ok(peer.protocols.includes(ECHO))
      assert.ok(peer.peerRecordEnvelope != null, 'js kept our signed record')
      assert.equal(new TextDecoder().decode(peer.metadata.get('AgentVersion')), 'ghmesh-dev')
    })

    test('100 pings', async () => {
      for (let i = 0; i < 100; i++) assert.ok(await js.services.ping.ping(address) < 5000)
    })

    test('100 concurrent streams', async () => {
      const results = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
        const bytes = pattern(1000 + i * 100)
        return sha(await echoOnce(js, address, bytes)) === sha(bytes)
      }))
      assert.ok(results.every(x => x))
    })

    test('64 MiB echo with checksum', async () => {
      const bytes = pattern(64 * MiB)
      assert.equal(sha(await echoOnce(js, address, bytes)), sha(bytes))
      assert.ok(rssMiB(ours.pid) < 64, `RSS ${rssMiB(ours.pid)} MiB`)
    })

    test('half-close: the answer comes after our end', async () => {
      const stream = await js.dialProtocol(address, ECHO, streamOptions)
      await send(stream, new TextEncoder().encode('before the end'))
      await stream.close()
      assert.equal(new TextDecoder().decode(await readAll(stream)), 'before the end')
    })

    test('framed replies on one stream', async () => {
      const stream = await js.dialProtocol(address, REPLY, streamOptions)
      const answers = frames(stream)
      for (const size of [0, 1, 2048, 20480, 300000]) {
        const request = new Uint8Array(64)
        new DataView(request.buffer).setUint32(0, size)
        await send(stream, frame(request))
        assert.equal((await answers.next()).value.length, size)
      }
      await stream.close()
    })

    test('reset of one stream leaves the connection', async () => {
      const stream = await js.dialProtocol(address, ECHO, streamOptions)
      await send(stream, new Uint8Array(1000))
      stream.abort(new Error('test'))
      const bytes = pattern(5000)
      assert.equal(sha(await echoOnce(js, address, bytes)), sha(bytes))
    })

    test('unknown protocol', async () => {
      await assert.rejects(js.dialProtocol(address, '/nobody/1.0.0'), /protocol/i)
    })

    test('wrong peer id is refused', async () => {
      const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      const wrong = multiaddr(ours.multiaddrs[0].replace(/\/p2p\/.*/, `/p2p/${other.toString()}`))
      const fresh = await makePeer({ secure, listen: false })
      await assert.rejects(fresh.dial(wrong))
      await fresh.stop()
    })

    test('a reader that pauses does not make us grow', async () => {
      const stream = await js.dialProtocol(address, ECHO, streamOptions)
      stream.pause()
      for (let queued = 0; queued < 32 * MiB; queued += 64 * 1024) {
        const blocked = new Promise(resolve => setTimeout(resolve, 300, true))
        if (!stream.send(new Uint8Array(64 * 1024)) && await Promise.race([stream.onDrain().then(() => false), blocked])) break
      }
      assert.ok(rssMiB(ours.pid) < 64, `RSS ${rssMiB(ours.pid)} MiB`)
      stream.abort(new Error('done'))
    })

    test('10,000 streams opened and closed', async () => {
      const before = rssMiB(ours.pid)
      const bytes = pattern(10)
      for (let i = 0; i < 10000; i += 20) {
        await Promise.all(Array.from({ length: 20 }, async () => await echoOnce(js, address, bytes)))
      }
      assert.ok(rssMiB(ours.pid) < before + 8, `RSS ${before} to ${rssMiB(ours.pid)} MiB`)
    })
  })

  describe(`we dial js over ${secure}`, () => {
    let js, address
    before(async () => {
      js = await makePeer({ secure })
      address = js.getMultiaddrs()[0].toString()
    })
    after(async () => { await js.stop() })

    test('every layer', async () => {
      const { status, last } = await run('dial', address, ...options(secure))
      assert.equal(status, 0, JSON.stringify(last))
      assert.equal(last.peer_id, js.peerId.toString())
      assert.equal(last.security, secure === 'tls' ? '/tls/1.0.0' : '/noise')
      assert.equal(last.early_muxer, true)
      assert.equal(last.certified, true)
      assert.match(last.agent, /js-libp2p/)
      assert.ok(last.protocols.includes(ECHO))
      assert.match(last.observed, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+$/)
    })

    if (secure === 'noise') {
      test('muxer by multistream-select when we offer none early', async () => {
        const { status, last } = await run('dial', address, '--late-muxer')
        assert.equal(status, 0, JSON.stringify(last))
        assert.equal(last.early_muxer, false)
      })
    }

    test('100 pings', async () => {
      const { status, results } = await run('ping', address, '--count', 100, ...options(secure))
      assert.equal(status, 0)
      assert.equal(results.filter(r => r.verb === 'ping' && r.ok).length, 100)
    })

    test('64 MiB each way', async () => {
      const { status, last } = await run('perf', address, '--upload', 64 * MiB, '--download', 64 * MiB, ...options(secure))
      assert.equal(status, 0, JSON.stringify(last))
    })

    test('framed replies, 100 streams at once', async () => {
      const { status, last } = await run('bench', address, '--mode', 'kept', '--parallel', 100, '--count', 2000, ...options(secure))
      assert.equal(status, 0, JSON.stringify(last))
    })

    test('10,000 streams opened and closed', async () => {
      const { status, last } = await run('bench', address, '--mode', 'fresh', '--parallel', 20, '--count', 10000, ...options(secure))
      assert.equal(status, 0, JSON.stringify(last))
    })

    test('a wrong /p2p is refused', async () => {
      const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
      const { status, last } = await run('dial', address.replace(/\/p2p\/.*/, `/p2p/${other.toString()}`), ...options(secure))
      assert.equal(status, 1)
      assert.equal(last.code, 'refused')
    })

    test('nobody listens', async () => {
      const { status } = await run('dial', '/ip4/127.0.0.1/tcp/1', ...options(secure))
      assert.equal(status, 1)
    })
  })
}
