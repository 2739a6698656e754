// SPDX-License-Identifier: Apache-2.0
//
// For clients that know no proxy: whoever connects here is led through a CONNECT of the node to one host.

import http from 'node:http'
import net from 'node:net'

export async function startRelay (t, node, authority) {
  const server = net.createServer({ pauseOnConnect: true }, client => {
    client.on('error', () => {})
    const request = http.request({ port: node.port, host: '127.0.0.1', method: 'CONNECT', path: authority, headers: { host: authority } })
    request.on('connect', (answer, tunnel, head) => {
      tunnel.on('error', () => client.destroy())
      if (answer.statusCode !== 200) return client.destroy()
      client.write(head)
      client.pipe(tunnel).pipe(client)
      client.on('close', () => tunnel.destroy())
    })
    request.on('error', () => client.destroy())
    request.end()
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `127.0.0.1:${server.address().port}`
}
