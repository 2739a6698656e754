// SPDX-License-Identifier: Apache-2.0
// @libp2p/mdns and ours find each other, by multicast that does not leave the loopback interface.
import assert from 'node:assert/strict'
import dgram from 'node:dgram'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { mdns } from '@libp2p/mdns'
import { makePeer } from './js_peer.mjs'
import { listen } from './our_peer.mjs'

// The js package joins and sends on the machine's first real interface and has no option for another. It takes its socket
// from here.
const socketOf = dgram.createSocket
createRequire(import.meta.url)('node:dgram').createSocket = (...args) => {
  const socket = socketOf(...args)
  const join = socket.addMembership.bind(socket)
  const sendOn = socket.setMulticastInterface.bind(socket)
  let joined = false
  socket.addMembership = group => { if (!joined) join(group, '127.0.0.1'); joined = true }
  socket.setMulticastInterface = () => sendOn('127.0.0.1')
  return socket
}

const within = (promise, what) => Promise.race([promise, new Promise((_, reject) => setTimeout(reject, 10000, new Error(what)).unref())])

test('both find each other', async t => {
  // A port of its own, so that nobody else's mDNS is in the test.
  const port = 20000 + Math.floor(Math.random() * 20000)
  const ours = await listen('--mdns', port)
  const found = new Promise(resolve => ours.lines.on('line', line => {
    const { found, address } = JSON.parse(line)
    if (found != null) resolve({ found, address })
  }))
  const js = await makePeer({ peerDiscovery: [mdns({ port, interval: 500 })] })
  t.after(async () => { await js.stop(); await ours.stop() })
  const discovered = new Promise(resolve => js.addEventListener('peer:discovery', event => {
    if (event.detail.id.toString() === ours.peer_id) resolve(event.detail)
  }))
  const byJs = await within(discovered, 'js did not find us')
  assert.equal(`${byJs.multiaddrs[0]}/p2p/${ours.peer_id}`, ours.multiaddrs[0])
  const byUs = await within(found, 'we did not find js')
  assert.equal(byUs.found, js.peerId.toString())
  assert.equal(`${byUs.address}/p2p/${byUs.found}`, js.getMultiaddrs()[0].toString())
})
