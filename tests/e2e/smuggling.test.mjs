// SPDX-License-Identifier: Apache-2.0
//
// Requests that two parsers could read in two ways (RFC 9112 §11.2): 400, the connection ends, and nothing of them
// reaches the upstream.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newToken, world } from './lib/processes.mjs'
import { raw, request } from './lib/http.mjs'

const HIDDEN = 'GET /repos/octo-org/smuggled HTTP/1.1\r\nHost: api.github.com\r\n\r\n'
const post = (fields, body = '') => `POST /repos/octo-org/repo-1/issues HTTP/1.1\r\nHost: api.github.com\r\n${fields}\r\n${body}`
const get = (fields, line = 'GET /repos/octo-org/repo-1 HTTP/1.1') => `${line}\r\nHost: api.github.com\r\n${fields}\r\n`

const CORPUS = {
  'both framings': post('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${HIDDEN}`),
  'both framings, the other way round': post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', `0\r\n\r\n${HIDDEN}`),
  'two lengths': post(`Content-Length: 0\r\nContent-Length: ${HIDDEN.length}\r\n`, HIDDEN),
  'two lengths in one line': post(`Content-Length: 0, ${HIDDEN.length}\r\n`, HIDDEN),
  'a signed length': post('Content-Length: +4\r\n', 'abcd'),
  'a negative length': post('Content-Length: -1\r\n', HIDDEN),
  'a hexadecimal length': post('Content-Length: 0x4\r\n', 'abcd'),
  'a huge length': post('Content-Length: 18446744073709551620\r\n', 'abcd'),
  'an empty length': post('Content-Length: \r\n', HIDDEN),
  'a length with a blank inside': post('Content-Length: 1 0\r\n', HIDDEN),
  'a blank before the colon': post('Content-Length : 4\r\n', 'abcd'),
  'a tab before the colon': post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'),
  'an unknown coding': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
  'chunked is not last': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
  'chunked twice': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  'a vertical tab in the coding': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
  'chunked in HTTP/1.0': post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
  'a folded line': get('Accept: a\r\n b\r\n'),
  'a folded first line': 'GET /repos/octo-org/repo-1 HTTP/1.1\r\n Host: api.github.com\r\n\r\n',
  'a bare line feed': 'GET /repos/octo-org/repo-1 HTTP/1.1\nHost: api.github.com\n\n',
  'a bare line feed among fields': get('Accept: a\nX-Other: b\r\n'),
  'a bare carriage return': get('Accept: a\rX-Other: b\r\n'),
  'a NUL in a value': get('Accept: a\0b\r\n'),
  'a control in a name': get('Acc\x01ept: a\r\n'),
  'no colon': get('Accept\r\n'),
  'an empty name': get(': a\r\n'),
  'no host': 'GET /repos/octo-org/repo-1 HTTP/1.1\r\n\r\n',
  'two hosts': get('Host: example.org\r\n'),
  'a host with a blank': 'GET / HTTP/1.1\r\nHost: api.github.com example.org\r\n\r\n',
  'a host with user information': 'GET / HTTP/1.1\r\nHost: user@api.github.com\r\n\r\n',
  'a blank in the target': get('', 'GET /repos/octo-org/repo-1 /x HTTP/1.1'),
  'two blanks in the line': get('', 'GET  /repos/octo-org/repo-1 HTTP/1.1'),
  'a fragment': get('', 'GET /repos/octo-org/repo-1#x HTTP/1.1'),
  'no slash first': get('', 'GET repos/octo-org/repo-1 HTTP/1.1'),
  'an unknown version': get('', 'GET /repos/octo-org/repo-1 HTTP/1.9x'),
  'no version': 'GET /repos/octo-org/repo-1\r\n\r\n',
  'a method with a control': get('', 'G\x02T /repos/octo-org/repo-1 HTTP/1.1'),
  'connection names authorization': get('Authorization: Bearer x\r\nConnection: authorization\r\n'),
  'a chunk size with a sign': post('Transfer-Encoding: chunked\r\n', '+4\r\nabcd\r\n0\r\n\r\n'),
  'a chunk size with 0x': post('Transfer-Encoding: chunked\r\n', '0x4\r\nabcd\r\n0\r\n\r\n'),
  'a huge chunk size': post('Transfer-Encoding: chunked\r\n', 'fffffffffffffffff\r\nabcd\r\n0\r\n\r\n'),
  'a chunk size ended by a bare line feed': post('Transfer-Encoding: chunked\r\n', '4\nabcd\r\n0\r\n\r\n'),
  'a chunk longer than it says': post('Transfer-Encoding: chunked\r\n', `1\r\nabcd\r\n0\r\n\r\n${HIDDEN}`),
  'a chunk extension with a bare line feed': post('Transfer-Encoding: chunked\r\n', '4;a\nb\r\nabcd\r\n0\r\n\r\n'),
  'a preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
}

test('A13: ambiguous requests get 400 and the end of the connection', async t => {
  const w = await world(t)
  for (const [name, bytes] of Object.entries(CORPUS)) {
    await t.test(name, async () => {
      // What follows in the same connection must never be read as a request.
      const { text, closed } = await raw(w.node.port, bytes + HIDDEN)
      assert.match(text, /^HTTP\/1\.1 (400|505|501) /, JSON.stringify(text.slice(0, 200)))
      assert.equal(text.match(/^HTTP\/1\.1 /gm).length, 1)
      assert.ok(closed)
    })
  }
  const seen = await w.standin.log()
  assert.deepEqual(seen.filter(entry => entry.target.includes('smuggled')), [])
  assert.equal((await request(w.node.url, '/repos/octo-org/repo-1', { token: w.token })).status, 200)
})

test('what is merely unusual is served', async t => {
  const w = await world(t)
  const ask = bytes => raw(w.node.port, bytes)
  const fields = `Host: api.github.com\r\nAuthorization: Bearer ${w.token}\r\nUser-Agent: e2e\r\nConnection: close\r\n`
  const usual = {
    'an empty line first': `\r\nGET /repos/octo-org/repo-1 HTTP/1.1\r\n${fields}\r\n`,
    'names in capitals': `GET /repos/octo-org/repo-1 HTTP/1.1\r\n${fields.toUpperCase().replace(w.token.toUpperCase(), w.token)}\r\n`,
    'an own authority': `GET /repos/octo-org/repo-1 HTTP/1.1\r\n${fields.replace('api.github.com', `localhost:${w.node.port}`)}\r\n`,
    'HTTP/1.0': `GET /repos/octo-org/repo-1 HTTP/1.0\r\n${fields}\r\n`
  }
  for (const [name, bytes] of Object.entries(usual)) assert.match((await ask(bytes)).text, /^HTTP\/1\.1 200 /, name)
  const body = '{"title":"chunked"}'
  const chunked = await ask(`POST /repos/octo-org/repo-1/issues HTTP/1.1\r\n${fields}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)};ext=1\r\n${body}\r\n0\r\n\r\n`)
  assert.match(chunked.text, /^HTTP\/1\.1 201 /)
  // Pipelined: answered in order.
  const two = await ask(`GET /repos/octo-org/repo-1/labels HTTP/1.1\r\n${fields.replace('Connection: close\r\n', '')}\r\nGET /repos/octo-org/repo-1/issues/1 HTTP/1.1\r\n${fields}\r\n`)
  assert.equal(two.text.match(/HTTP\/1\.1 200 /g).length, 2)
  assert.ok(two.text.indexOf('"color"') < two.text.indexOf('"number":1'))
})

// An origin's error that a poisoned request provoked must not be what the next client gets (CCS 2019: oversize head, meta
// character, method override).
test('A17: what a poisoned request provokes reaches nobody else', async t => {
  const w = await world(t)
  const path = '/repos/octo-org/repo-1/issues/1'
  const want = await request(w.standin.http, path, { token: w.token })
  const fields = `Authorization: Bearer ${w.token}\r\nUser-Agent: e2e\r\nConnection: close\r\n`
  const poisons = [`X-Oversize: ${'a'.repeat(20_000)}\r\n`, `X-Oversize: ${'a'.repeat(200_000)}\r\n`, 'X-Meta: a\x07b\r\n', 'X-Meta: a\x00b\r\n',
    'X-HTTP-Method-Override: DELETE\r\n', 'X-HTTP-Method: POST\r\n', 'X-Method-Override: PATCH\r\n', 'Range: bytes=5-4\r\n', 'Expect: 200-maybe\r\n']
  for (const poison of poisons) {
    await raw(w.node.port, get(fields + poison, `GET ${path} HTTP/1.1`))
    const clean = await request(w.node.url, path, { token: w.token })
    assert.equal(clean.status, 200, poison.slice(0, 40))
    assert.ok(clean.body.equals(want.body), poison.slice(0, 40))
    // Each poison meets an empty cache, too.
    await fetch(`http://${w.node.admin}/api/purge?pattern=*`, { method: 'POST' })
  }
})

// "Cached and Confused" (USENIX Security 2020): what looks like a static file to some front ends is nobody else's here.
test('A18: a suffix or delimiter behind a path shows nobody another\'s answer', async t => {
  const bob = newToken()
  const w = await world(t, { standin: { args: ['--repositories', '2', '--private', '1'], tokens: { [bob]: { login: 'bob' } } } })
  await w.standin.quota({ user_core: 1_000_000, anonymous_core: 1_000_000, secondary: false })
  const behind = ['', '.css', '/x.js', '/a.png', ';a.css', '%3b.css', '%0a.css', '%00.js', '%23.css', '%2f.png', '?x.css', '?a=/x.js', '/..%2fa.css', '/%2e%2e/a.js', '//a.css', '\\a.css', '~.ico', ',.woff', '.html?v=1']
  for (const path of ['/user', '/repos/octo-org/repo-2', '/repos/octo-org/repo-2/issues/1']) {
    for (const suffix of behind) {
      await request(w.node.url, path + suffix, { token: w.token }).catch(() => {})
      for (const token of [bob, undefined]) {
        const through = await request(w.node.url, path + suffix, { token })
        if (through.status === 400) continue // refused by its form
        const direct = await request(w.standin.http, path + suffix, { token })
        assert.equal(through.status, direct.status, path + suffix)
        assert.ok(through.body.equals(direct.body), `${path + suffix}: not what this client gets from GitHub`)
      }
    }
  }
})

test('A17: heads beyond their bounds are refused, and the node goes on', async t => {
  const w = await world(t)
  const long = await raw(w.node.port, get(`X-Long: ${'a'.repeat(300_000)}\r\n`))
  assert.match(long.text, /^HTTP\/1\.1 431 /)
  const many = await raw(w.node.port, get('X-A: b\r\n'.repeat(2_000)))
  assert.match(many.text, /^HTTP\/1\.1 431 /)
  const target = await raw(w.node.port, get('', `GET /${'a'.repeat(300_000)} HTTP/1.1`))
  assert.match(target.text, /^HTTP\/1\.1 (414|431) /)
  assert.equal((await request(w.node.url, '/repos/octo-org/repo-1', { token: w.token })).status, 200)
})
