// SPDX-License-Identifier: Apache-2.0
//
// Debian's gh over http_unix_socket: once straight into the stand-in's socket, then into the node's. Same bytes, one
// charge per resource.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { world } from './lib/processes.mjs'

const REPO = 'octo-org/repo-1'

// gh keeps its own cache under TMPDIR, so each name has one of its own.
async function arrange (t, extra = []) {
  const sockets = fs.mkdtempSync(path.join(os.tmpdir(), 'ghmesh-e2e-direct-'))
  t.after(() => fs.rmSync(sockets, { recursive: true, force: true }))
  const direct = path.join(sockets, 'api.sock')
  const w = await world(t, { standin: { args: ['--unix', direct, ...extra] } })
  const gh = (name, socket, args) => {
    const home = `client-gh-${name}`
    w.scratch.write(`${home}/config.yml`, `http_unix_socket: ${socket}\n`)
    return w.scratch.run('gh', args, { env: { GH_CONFIG_DIR: w.scratch.file(home), GH_TOKEN: w.token, TMPDIR: w.scratch.file(home) } })
  }
  return { ...w, direct: args => gh('direct', direct, args), through: (args, name = 'node') => gh(name, w.node.socket, args) }
}

// Both runs of a command, and what the second one cost.
async function compare (w, args, { charged }) {
  const direct = await w.direct(args)
  assert.equal(direct.code, 0, direct.stderr)
  const first = await w.standin.cost(() => w.through(args))
  assert.equal(first.result.code, 0, first.result.stderr)
  assert.ok(first.result.stdout.equals(direct.stdout), `gh ${args.join(' ')}: ${first.result.text.slice(0, 200)} is not ${direct.text.slice(0, 200)}`)
  assert.equal(first.charged, charged, `gh ${args.join(' ')}: charged`)
  const second = await w.standin.cost(() => w.through(args))
  assert.ok(second.result.stdout.equals(direct.stdout))
  return second
}

test('gh api: byte-equal, one charge, then none', async t => {
  const w = await arrange(t)
  for (const what of [`repos/${REPO}`, `repos/${REPO}/issues/1`, `repos/${REPO}/contents/data/file-5.txt`, `repos/${REPO}/labels`]) {
    const again = await compare(w, ['api', what], { charged: 1 })
    assert.equal(again.total, 0, what)
  }
  const included = await w.through(['api', '-i', `repos/${REPO}`])
  assert.match(included.text, /Cache-Status: ghmesh; hit; .*detail=memory/i)
  const jq = await compare(w, ['api', `repos/${REPO}/issues`, '--jq', '.[].number'], { charged: 1 })
  assert.equal(jq.total, 0)
})

test('gh api --paginate follows Link through the socket', async t => {
  const w = await arrange(t)
  const again = await compare(w, ['api', '--paginate', `repos/${REPO}/issues?per_page=10`], { charged: 4 })
  assert.equal(again.charged, 0)
})

test('gh api --cache: gh\'s own cache answers, and its bound reaches the node', async t => {
  const w = await arrange(t)
  const args = ['api', '--cache', '1h', `repos/${REPO}/readme`]
  const again = await compare(w, args, { charged: 1 })
  assert.equal(again.total, 0)
  // A gh without that cache on disk: the node answers.
  const fresh = await w.standin.cost(() => w.through(args, 'other'))
  assert.equal(fresh.result.code, 0)
  assert.equal(fresh.charged, 0)
})

test('gh run list: volatile, so proved each time at no charge', async t => {
  const w = await arrange(t)
  // Two resources: the runs, and the workflows whose names they bear.
  const again = await compare(w, ['run', 'list', '-R', REPO, '--json', 'databaseId,status,conclusion,headBranch'], { charged: 2 })
  assert.equal(again.charged, 0)
})

test('gh repo view and gh issue list ask GraphQL', async t => {
  const w = await arrange(t)
  const view = ['repo', 'view', REPO, '--json', 'name,owner,description,isPrivate']
  const direct = await w.direct(view)
  const through = await w.through(view)
  assert.equal(through.code, 0, through.stderr)
  assert.ok(through.stdout.equals(direct.stdout))
  const issues = ['issue', 'list', '-R', REPO, '--json', 'number,title']
  assert.ok((await w.through(issues)).stdout.equals((await w.direct(issues)).stdout))
})

test('gh: a write through the node is seen by the next read', async t => {
  const w = await arrange(t)
  const count = async () => JSON.parse((await w.through(['api', `repos/${REPO}/issues/4/comments`])).text).length
  const before = await count()
  const written = await w.through(['api', `repos/${REPO}/issues/4/comments`, '-f', 'body=hello'])
  assert.equal(written.code, 0, written.stderr)
  assert.equal(await count(), before + 1)
})

test('gh release download: the redirect is followed through the socket, the asset is whole', async t => {
  // The signed URL is on the upstream's own authority, under another name than the API's: no host of the allow-list can
  // be reached on loopback, and storage refuses requests that bring a token.
  const w = await arrange(t, ['--storage-base', 'self'])
  for (const [name, run] of [['direct', w.direct], ['node', w.through]]) {
    const got = await run(['release', 'download', 'v1.0.0', '-R', REPO, '-p', 'tool.tar.gz', '-D', w.scratch.file(`client-${name}-asset`)])
    assert.equal(got.code, 0, got.stderr)
  }
  const read = name => fs.readFileSync(w.scratch.file(`client-${name}-asset/tool.tar.gz`))
  assert.equal(read('node').length, 4096)
  assert.ok(read('node').equals(read('direct')))
})

test('gh: a redirect to a foreign host is refused with a reason', async t => {
  const w = await arrange(t, ['--storage-base', 'https://storage.example'])
  const got = await w.through(['release', 'download', 'v1.0.0', '-R', REPO, '-p', 'tool.tar.gz', '-D', w.scratch.file('client-refused')])
  assert.notEqual(got.code, 0)
  assert.match(got.stderr, /403/)
})

test('gh: errors come through with GitHub\'s message and exit status', async t => {
  const w = await arrange(t)
  for (const args of [['api', 'repos/octo-org/none'], ['run', 'list', '-R', 'octo-org/none']]) {
    const direct = await w.direct(args)
    const through = await w.through(args)
    assert.equal(through.code, direct.code)
    assert.equal(through.stderr, direct.stderr)
    assert.ok(through.stdout.equals(direct.stdout))
  }
})
