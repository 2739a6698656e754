// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { ECHO, PERF, REPLY, concat, frame, frames, makePeer, readAll, send, streamOptions } from './js_peer.mjs'
import { listen, run, start } from './our_peer.mjs'

const MiB = 1 << 20
const secures = (process.env.INTEROP_SECURE ?? 'noise').split(',')
const sha = bytes => createHash('sha256').update(bytes).digest('hex')
const pattern = n => { const b = new Uint8Array(n); for (let i = 0; i < n; i++) b[i] = i * 31 + (i >> 8); return b }
// A sanitizer keeps what is freed and shadows what is not: its memory says nothing of ours.
const sanitized = process.env.GHMESH_SANITIZED === '1'
const rssMiB = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
const options = secure => secure === 'tls' ? ['--tls'] : []

// The identities that nobody may get away with: six ways to be wrong about who holds a key. The key of the node itself
// stays as it is; only what the handshake says is forged.
async function forgers () {
  const own = await generateKeyPair('Ed25519')
  const other = await generateKeyPair('Ed25519')
  const signing = (publicKey, sign) => ({ type: 'Ed25519', raw: own.raw, publicKey, sign })
  return {
    'a signature with one bit changed': signing(own.publicKey, async bytes => { const s = Uint8Array.from(await own.sign(bytes)); s[7] ^= 1; return s }),
    'an empty signature': signing(own.publicKey, async () => new Uint8Array(0)),
    'a signature by another key': signing(own.publicKey, bytes => other.sign(bytes)),
    "another one's key with our signature": signing(other.publicKey, bytes => own.sign(bytes)),
    'a signature over something else': signing(own.publicKey, bytes => own.sign(concat([bytes, new Uint8Array(1)]))),
    'a signature cut short': signing(own.publicKey, async bytes => (await own.sign(bytes)).subarray(0, 63))
  }
}

const ourForgeries = ['bit', 'empty', 'other-key', 'foreign-key', 'other-text', 'short']

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
      for (let i = 0; i < 200 && !(peer?.protocols.includes(ECHO) && peer.peerRecordEnvelope != null); i++) {
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
      assert.ok(sanitized || rssMiB(ours.pid) < 64, `RSS ${rssMiB(ours.pid)} MiB`)
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

    test('no forged identity gets in', async () => {
      for (const [name, signer] of Object.entries(await forgers())) {
        const forger = await makePeer({ secure, listen: false, signer })
        // js may think itself connected, since it says the last word of the handshake; what counts is that nothing is answered.
        await assert.rejects(echoOnce(forger, address, pattern(10)), name)
        await forger.stop()
      }
      const bytes = pattern(10)
      assert.equal(sha(await echoOnce(js, address, bytes)), sha(bytes))
    })

    test('a js node with its default limits', async () => {
      const usual = await makePeer({ secure, defaults: true })
      const bytes = pattern(100000)
      const results = await Promise.all(Array.from({ length: 20 }, async () => sha(await echoOnce(usual, address, bytes))))
      assert.ok(results.every(x => x === sha(bytes)))
      await usual.stop()
    })

    test('a host of ours with the limits of a node', async () => {
      const strict = await listen('--default-limits', ...options(secure))
      const to = multiaddr(strict.multiaddrs[0])
      const bytes = pattern(100000)
      const results = await Promise.all(Array.from({ length: 24 }, async () => sha(await echoOnce(js, to, bytes))))
      assert.ok(results.every(x => x === sha(bytes)))
      // Over the limit streams are refused, and the connection lives.
      const many = await Promise.allSettled(Array.from({ length: 100 }, () => echoOnce(js, to, bytes)))
      assert.ok(many.some(r => r.status === 'fulfilled' && sha(r.value) === sha(bytes)))
      assert.equal(sha(await echoOnce(js, to, bytes)), sha(bytes))
      await strict.stop()
    })

    test('a reader that pauses does not make us grow', async () => {
      const stream = await js.dialProtocol(address, ECHO, streamOptions)
      stream.pause()
      for (let queued = 0; queued < 32 * MiB; queued += 64 * 1024) {
        const blocked = new Promise(resolve => setTimeout(resolve, 300, true))
        if (!stream.send(new Uint8Array(64 * 1024)) && await Promise.race([stream.onDrain().then(() => false), blocked])) break
      }
      assert.ok(sanitized || rssMiB(ours.pid) < 64, `RSS ${rssMiB(ours.pid)} MiB`)
      stream.abort(new Error('done'))
    })

    test('10,000 streams opened and closed', async () => {
      const before = rssMiB(ours.pid)
      const bytes = pattern(10)
      for (let i = 0; i < 10000; i += 20) {
        await Promise.all(Array.from({ length: 20 }, async () => await echoOnce(js, address, bytes)))
      }
      assert.ok(sanitized || rssMiB(ours.pid) < before + 8, `RSS ${before} to ${rssMiB(ours.pid)} MiB`)
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

    test('64 MiB echo with checksum', async () => {
      const { status, last } = await run('echo', address, '--size', 64 * MiB, ...options(secure))
      assert.equal(status, 0, JSON.stringify(last))
      assert.equal(last.octets, 64 * MiB)
      assert.match(last.sha256, /^[0-9a-f]{64}$/)
    })

    test('half-close: our end behind our last octet, the echo and its end behind that', async () => {
      for (let i = 0; i < 5; i++) {
        for (const size of [0, 10, 1000, 300000]) {
          const { status, last } = await run('echo', address, '--size', size, '--early-end', ...options(secure))
          assert.equal(status, 0, JSON.stringify(last))
          assert.equal(last.octets, size)
        }
      }
    })

    // request() half-closes behind what it asks, and js hands a stream that has ended to no handler (see the note on early ends).
    for (const mode of ['fresh', 'first']) {
      test(`requests, ${mode === 'first' ? 'each the first thing on a connection' : 'all on one connection'}`, async () => {
        for (const muxer of secure === 'noise' ? [[], ['--late-muxer']] : [[]]) {
          const { status, last } = await run('bench', address, '--mode', mode, '--count', 100, ...muxer, ...options(secure))
          assert.equal(status, 0, JSON.stringify(last))
          assert.equal(last.count, 100)
        }
      })
    }

    test('unknown protocol', async () => {
      const { status, last } = await run('echo', address, '--protocol', '/nobody/1.0.0', ...options(secure))
      assert.equal(status, 1)
      // js resets the stream right behind its refusal, since it takes what follows the proposal for another one.
      assert.equal(last.code, 'unsupported', JSON.stringify(last))
    })

    test('reset by js, and a stream after it', async () => {
      await js.handle('/reset/1.0.0', stream => stream.abort(new Error('test')))
      const { status, last } = await run('echo', address, '--protocol', '/reset/1.0.0', '--size', MiB, ...options(secure))
      assert.equal(status, 1, JSON.stringify(last))
      assert.equal((await run('echo', address, '--size', 10, ...options(secure))).status, 0)
    })

    // The other way round: our side lies, js has to notice.
    for (const kind of ourForgeries) {
      test(`js takes no forged identity of ours: ${kind}`, async () => {
        const heard = []
        const listener = event => heard.push(event.detail.remotePeer.toString())
        js.addEventListener('connection:open', listener)
        const { status, last } = await run('dial', address, '--forge', kind, ...options(secure))
        js.removeEventListener('connection:open', listener)
        assert.equal(status, 1, JSON.stringify(last))
        assert.deepEqual(heard, [])
        const forger = await listen('--forge', kind, ...options(secure))
        const client = await makePeer({ secure, listen: false })
        // Without /p2p, so that it is the proof that fails and not the name.
        await assert.rejects(client.dial(multiaddr(forger.multiaddrs[0].replace(/\/p2p\/.*/, ''))), kind)
        assert.equal(client.getConnections().length, 0)
        await client.stop()
        await forger.stop()
      })
    }

    test('no forged identity is taken for a peer', async () => {
      for (const [name, signer] of Object.entries(await forgers())) {
        const forger = await makePeer({ secure, signer })
        // Without /p2p, so that it is the signature that fails and not the name.
        const { status, last } = await run('dial', forger.getMultiaddrs()[0].toString().replace(/\/p2p\/.*/, ''), ...options(secure))
        assert.equal(status, 1, name)
        assert.ok(['not authentic', 'malformed'].includes(last.code), `${name}: ${JSON.stringify(last)}`)
        await forger.stop()
      }
    })

    test('keys that were not asked for', async () => {
      const rsa = await makePeer({ secure, privateKey: await generateKeyPair('RSA', 2048) })
      const secp = await makePeer({ secure, privateKey: await generateKeyPair('secp256k1') })
      for (const peer of [rsa, secp]) {
        const at = peer.getMultiaddrs()[0].toString()
        const refused = await run('dial', at, ...options(secure))
        assert.equal(refused.status, 1)
        assert.equal(refused.last.code, 'refused', JSON.stringify(refused.last))
        const taken = await run('dial', at, '--accept-keys', 'ed25519,secp256k1,rsa', ...options(secure))
        assert.equal(taken.status, 0, JSON.stringify(taken.last))
        assert.equal(taken.last.peer_id, peer.peerId.toString())
        assert.equal(taken.last.certified, true)
        await peer.stop()
      }
    })

    test('a js node with its default limits', async () => {
      const usual = await makePeer({ secure, defaults: true })
      const at = usual.getMultiaddrs()[0].toString()
      assert.equal((await run('ping', at, '--count', 20, ...options(secure))).status, 0)
      const { status, last } = await run('bench', at, '--mode', 'fresh', '--parallel', 8, '--count', 200, ...options(secure))
      assert.equal(status, 0, JSON.stringify(last))
      await usual.stop()
    })

    test('64 MiB each way', async () => {
      const { status, last } = await run('perf', address, '--upload', 64 * MiB, '--download', 64 * MiB, ...options(secure))
      assert.equal(status, 0, JSON.stringify(last))
    })

    test('we pause, and js can send no more than our window; then all of it arrives', async () => {
      const whole = 32 * MiB
      const fast = await makePeer({ secure })
      let queued = 0
      let flood
      await fast.unhandle(PERF)
      await fast.handle(PERF, async stream => {
        flood = stream
        stream.addEventListener('message', () => {})
        for (; queued < whole; queued += 64 * 1024) await send(stream, new Uint8Array(64 * 1024))
        await stream.close()
      })
      // js's own queue takes whatever it is given; what has left it is what counts.
      const sent = () => flood == null ? 0 : queued - flood.writeBufferLength
      const reading = start('perf', fast.getMultiaddrs()[0].toString(), '--download', whole, '--pause', 5000, ...options(secure))
      // Until js is stuck: what it could send stays the same for half a second.
      let before = -1
      for (let same = 0; same < 5;) {
        await new Promise(resolve => setTimeout(resolve, 100))
        same = sent() > 0 && sent() === before ? same + 1 : 0
        before = sent()
      }
      assert.ok(before <= 256 * 1024, `js sent ${before} octets`)
      assert.ok(sanitized || rssMiB(reading.pid) < 32, `RSS ${rssMiB(reading.pid)} MiB`)
      const { status, last } = await reading.done
      assert.equal(status, 0, JSON.stringify(last))
      assert.equal(last.download, whole)
      await fast.stop()
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
