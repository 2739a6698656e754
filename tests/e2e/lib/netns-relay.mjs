// SPDX-License-Identifier: Apache-2.0
//
// netns-relay.mjs PORT SOCKET: GitHub's place on a machine of its own: loopback there leads to the stand-in's socket.

import net from 'node:net'
import process from 'node:process'

const [port, socket] = process.argv.slice(2)
net.createServer(client => {
  const onward = net.connect(socket)
  client.pipe(onward).pipe(client)
  for (const [one, other] of [[client, onward], [onward, client]]) one.on('error', () => other.destroy())
}).listen(Number(port), '127.0.0.1')
