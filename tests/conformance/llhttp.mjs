// SPDX-License-Identifier: Apache-2.0
//
// Holds the HTTP/1.1 parser against llhttp, the one in this Node: every message that ours accepts llhttp must accept,
// too, and see in it the same method, target or status, fields and body, and the same end. The reverse need not hold:
// ours refuses more.
//
//   node llhttp.mjs DIFFERENTIAL_DUMP [ROUNDS [SEED]]

import { spawn } from 'node:child_process'
import process from 'node:process'
import readline from 'node:readline'

process.removeAllListeners('warning') // process.binding is deprecated; there is no other way to the bare parser
process.on('warning', () => {})
const { HTTPParser, allMethods, methods } = process.binding('http_parser')
const [program, rounds = '40000', seed = '20260102'] = process.argv.slice(2)
if (!program) {
  console.error('usage: llhttp.mjs DIFFERENTIAL_DUMP [ROUNDS [SEED]]')
  process.exit(2)
}
const names = allMethods ?? methods

// What llhttp says of exactly these octets: undefined if it refuses them or wants more.
function read (kind, octets) {
  const parser = new HTTPParser()
  parser.initialize(kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE, {})
  const seen = { method: '', start: '', fields: [], body: [], complete: false }
  let begun = false
  parser[HTTPParser.kOnHeaders] = (headers, url) => {
    if (begun) return // trailers
    seen.fields.push(...headers)
    seen.start += url
  }
  parser[HTTPParser.kOnHeadersComplete] = (major, minor, headers, method, url, status) => {
    begun = true
    seen.fields.push(...(headers ?? []))
    seen.start += kind === 'request' ? url ?? '' : String(status)
    if (kind === 'request') seen.method = names[method]
    return 0
  }
  parser[HTTPParser.kOnBody] = piece => { seen.body.push(Buffer.from(piece)) }
  parser[HTTPParser.kOnMessageComplete] = () => { seen.complete = true }
  const used = parser.execute(octets)
  const refused = used instanceof Error ? used : undefined
  const ended = seen.complete || refused ? undefined : parser.finish()
  parser.close?.()
  if (refused || ended instanceof Error || !seen.complete) {
    return { refused: refused?.code ?? ended?.code ?? 'incomplete', reason: refused?.reason ?? ended?.reason }
  }
  return { ...seen, body: Buffer.concat(seen.body).toString('hex') }
}

// Where RFC 9110 and 9112 are with us: any token is a method, and llhttp knows a list; a response may repeat an equal
// length, or list it; no 1xx has a body, also one that llhttp does not know.
function isKnownDifference (ours) {
  if (ours.kind === 'response' && ours.start.startsWith('1')) return true
  if (ours.kind === 'request' && !names.includes(ours.method)) return true
  const lengths = ours.fields.filter((_, i) => i % 2 === 0 && ours.fields[i].toLowerCase() === 'content-length')
  const listed = ours.fields.some((value, i) => i % 2 === 1 && ours.fields[i - 1].toLowerCase() === 'content-length' && value.includes(','))
  return lengths.length > 1 || listed
}

const text = hex => hex === '-' ? '' : Buffer.from(hex, 'hex').toString('latin1')
const child = spawn(program, [rounds, seed], { stdio: ['ignore', 'pipe', 'inherit'] })
const ended = new Promise(resolve => child.on('close', resolve))
let compared = 0
let known = 0
let refused
let bad = 0

function complain (ours, why) {
  if (++bad > 5) return
  console.error(`${why}\n  octets ${JSON.stringify(ours.octets.toString('latin1'))}\n  ours ${JSON.stringify({ ...ours, octets: undefined })}`)
}

for await (const line of readline.createInterface({ input: child.stdout })) {
  const [kind, hex, size, method, start, body, ...fields] = line.split(' ')
  if (kind === 'refused') {
    refused = Number(hex)
    continue
  }
  const ours = { kind, octets: Buffer.from(hex, 'hex'), size: Number(size), method: text(method), start: text(start), body: body === '-' ? '' : body, fields: fields.map(text) }
  if (isKnownDifference(ours)) {
    known++
    continue
  }
  const whole = read(kind, ours.octets.subarray(0, ours.size))
  if (whole.refused) {
    complain(ours, `accepted only here (llhttp: ${whole.refused} ${whole.reason ?? ''})`)
    continue
  }
  const theirs = { method: whole.method, start: whole.start, body: whole.body, fields: whole.fields.map(field => field.replace(/^[ \t]+|[ \t]+$/g, '')) }
  for (const part of Object.keys(theirs)) {
    if (JSON.stringify(theirs[part]) !== JSON.stringify(ours[part])) complain(ours, `${part} differs: ${JSON.stringify(theirs[part])}`)
  }
  compared++
}
const status = await ended
if (status !== 0 || refused === undefined) {
  console.error(`llhttp.mjs: ${program} ended with ${status}`)
  process.exit(2)
}
console.log(`llhttp ${process.versions.llhttp}: ${compared} accepted messages compared, ${bad} differ; ${known} left out, ${refused} refused here`)
process.exit(bad > 0 || compared < Number(rounds) / 10 ? 1 : 0)
