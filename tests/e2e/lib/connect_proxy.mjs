// SPDX-License-Identifier: Apache-2.0
//
// A network's own proxy: takes CONNECT and nothing else, knows where its hosts are, counts, and may want a name and a
// password.

import http from 'node:http'
import net from 'node:net'

// hosts: {"name:port": "address:port"}; whoever asks for another one is told 403. credentials: "user:password".
export async function startConnectProxy (t, hosts, { credentials } = {}) {
  const proxy = { asked: [], via: [], hosts, credentials }
  const server = http.createServer((request, response) => { response.statusCode = 405; response.end() })
  server.on('connect', (request, client, head) => {
    client.on('error', () => {})
    proxy.asked.push(request.url)
    proxy.via.push(request.headers.via)
    const refuse = (status, more = '') => client.end(`HTTP/1.1 ${status}\r\n${more}Content-Length: 0\r\n\r\n`)
    if (proxy.credentials && request.headers['proxy-authorization'] !== `Basic ${Buffer.from(proxy.credentials).toString('base64')}`)
      return refuse('407 Proxy Authentication Required', 'Proxy-Authenticate: Basic realm="corp"\r\n')
    const [host, port] = (proxy.hosts[request.url] ?? '').split(':')
    if (!port) return refuse('403 Forbidden')
    const far = net.connect({ host, port: Number(port), allowHalfOpen: true }, () => {
      client.write('HTTP/1.1 200 Connection established\r\nProxy-Agent: corp\r\n\r\n')
      far.write(head)
      client.pipe(far).pipe(client)
    })
    far.on('error', () => client.destroy())
    client.on('close', () => far.destroy())
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  proxy.at = `127.0.0.1:${server.address().port}`
  proxy.url = `http://${credentials ? `${credentials.replace('/', '%2F')}@` : ''}${proxy.at}`
  proxy.count = authority => proxy.asked.filter(one => one === authority).length
  return proxy
}
