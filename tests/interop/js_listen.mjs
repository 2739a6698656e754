// SPDX-License-Identifier: Apache-2.0
// A js-libp2p listener as a process of its own: prints {peer_id, multiaddrs} and serves until it is killed.
import { makePeer } from './js_peer.mjs'

const node = await makePeer({ secure: process.argv[2] ?? 'noise' })
console.log(JSON.stringify({ peer_id: node.peerId.toString(), multiaddrs: node.getMultiaddrs().map(String) }))
