// SPDX-License-Identifier: Apache-2.0
//
// An Enterprise Server: one HTTPS host with the API (the stand-in behind it), git over HTTP (Debian's git-http-backend),
// pages with cookies, and WebSocket.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import path from 'node:path'
import process from 'node:process'
import { echo } from './websocket.mjs'

// CGI (RFC 3875), as far as git-http-backend speaks it.
function runGit (root, request, response) {
  const { pathname, search } = new URL(request.url, 'https://ghes')
  const env = {
    PATH: process.env.PATH, GIT_PROJECT_ROOT: root, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: pathname, QUERY_STRING: search.slice(1), REQUEST_METHOD: request.method,
    CONTENT_TYPE: request.headers['content-type'] ?? '', REMOTE_USER: 'octocat', GIT_PROTOCOL: request.headers['git-protocol'] ?? ''
  }
  if (request.headers['content-encoding']) env.HTTP_CONTENT_ENCODING = request.headers['content-encoding']
  if (request.headers['content-length']) env.CONTENT_LENGTH = request.headers['content-length']
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {})
  request.pipe(child.stdin)
  let head = Buffer.alloc(0)
  child.stdout.on('data', piece => {
    if (response.headersSent) return response.write(piece)
    head = Buffer.concat([head, piece])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    const fields = head.subarray(0, end).toString().split('\r\n').map(line => line.split(/: (.*)/))
    const status = fields.find(([name]) => name === 'Status')
    response.writeHead(status ? Number.parseInt(status[1]) : 200, Object.fromEntries(fields.filter(([name]) => name !== 'Status')))
    response.write(head.subarray(end + 4))
  })
  child.stdout.on('end', () => response.end())
}

function passToApi (standin, request, response) {
  const onward = http.request(standin.http + request.url, { method: request.method, headers: request.headers }, answer => {
    response.writeHead(answer.statusCode, answer.rawHeaders)
    answer.pipe(response)
  })
  onward.on('error', () => response.destroy())
  request.pipe(onward)
}

export async function startEnterprise (t, scratch, host, standin) {
  const made = await scratch.run(process.env.GHMESH_TEST_CA, [scratch.file('ghes'), host, host])
  assert.equal(made.code, 0, made.stderr)
  const read = name => fs.readFileSync(scratch.file(path.join('ghes', name)))
  const root = scratch.file('repositories')
  const [seen, upgrades, visits] = [[], [], {}]
  const server = https.createServer({ cert: read(`${host}.pem`), key: read(`${host}.key`) }, (request, response) => {
    seen.push({ url: request.url, method: request.method, headers: request.headers })
    if (/^\/api\/(v3|graphql|uploads)(\/|\?|$)/.test(request.url)) return passToApi(standin, request, response)
    if (/^\/[^/]+\/[^/]+\.git\//.test(request.url)) return runGit(root, request, response)
    const visit = visits[request.url] = (visits[request.url] ?? 0) + 1
    response.setHeader('Set-Cookie', 'seen=1')
    response.setHeader('Cache-Control', 'public, max-age=60')
    response.end(`page ${visit} of ${request.url} for ${request.headers.cookie ?? 'nobody'}`)
  })
  server.on('upgrade', (request, socket) => {
    upgrades.push(request.url)
    echo(request, socket)
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  const makeRepository = async name => {
    const bare = path.join(root, `${name}.git`)
    for (const words of [['init', '-q', '--bare', '-b', 'main', bare], ['-C', bare, 'config', 'http.receivepack', 'true']])
      assert.equal((await scratch.run('git', words)).code, 0)
  }
  return { at: `127.0.0.1:${server.address().port}`, ca: scratch.file('ghes/ca.pem'), seen, upgrades, makeRepository }
}
