// SPDX-License-Identifier: Apache-2.0
// fetch.mjs URL: a GET by undici through HTTPS_PROXY; the body on stdout.
import process from 'node:process'
import { ProxyAgent, fetch } from 'undici'

const answer = await fetch(process.argv[2], {
  dispatcher: new ProxyAgent(process.env.HTTPS_PROXY),
  headers: { authorization: `Bearer ${process.env.TOKEN}`, 'user-agent': 'e2e' }
})
if (!answer.ok) throw new Error(`status ${answer.status}`)
process.stdout.write(Buffer.from(await answer.arrayBuffer()))
