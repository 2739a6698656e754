// SPDX-License-Identifier: Apache-2.0
//
// A WebSocket (RFC 6455) from end to end: a server's side that sends back what it gets, and a client that talks to it.

import crypto from 'node:crypto'
import { WebSocket } from 'undici'

// For a server's 'upgrade' event: accepts, then sends back each small text frame.
export function echo (request, socket) {
  const accept = crypto.createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
  let rest = Buffer.alloc(0)
  socket.on('data', piece => {
    rest = Buffer.concat([rest, piece])
    while (rest.length >= 6 && rest.length >= 6 + (rest[1] & 127)) {
      const size = rest[1] & 127
      const text = Buffer.from(rest.subarray(6, 6 + size)).map((octet, i) => octet ^ rest[2 + i % 4])
      socket.write(Buffer.concat([Buffer.from([rest[0], size]), text]))
      if ((rest[0] & 15) === 8) return socket.end()
      rest = rest.subarray(6 + size)
    }
  })
  socket.on('error', () => {})
}

// Says each of texts once the one before has come back; what came back.
export async function converse (url, dispatcher, texts) {
  const socket = new WebSocket(url, { dispatcher })
  const got = []
  await new Promise((resolve, reject) => {
    socket.onerror = event => reject(event.error ?? new Error('WebSocket failed'))
    socket.onopen = () => socket.send(texts[0])
    socket.onmessage = event => {
      got.push(event.data)
      if (got.length === texts.length) socket.close()
      else socket.send(texts[got.length])
    }
    socket.onclose = resolve
  })
  return got
}
