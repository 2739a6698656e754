// SPDX-License-Identifier: Apache-2.0
//
// What the program carries is what the sources say.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import zlib from 'node:zlib'

const web = fileURLToPath(new URL('../../web', import.meta.url))
const dist = path.join(web, 'dist')
const tool = (script, ...args) => execFileSync(process.execPath, [path.join(web, 'node_modules', script), ...args], { cwd: web, stdio: 'pipe' })

test('the types hold', () => { tool('typescript/bin/tsc', '--noEmit') })

test('a fresh build gives the committed files, octet for octet', t => {
  const fresh = fs.mkdtempSync(path.join(os.tmpdir(), 'ghmesh-dist-'))
  t.after(() => fs.rmSync(fresh, { recursive: true }))
  tool('vite/bin/vite.js', 'build', '--outDir', fresh, '--emptyOutDir', '--logLevel', 'error')
  assert.deepEqual(fs.readdirSync(fresh).sort(), fs.readdirSync(dist).sort())
  for (const name of fs.readdirSync(dist))
    assert.ok(fs.readFileSync(path.join(dist, name)).equals(fs.readFileSync(path.join(fresh, name))), `web/dist/${name} is not what web/src builds to: make web, and commit it`)
})

test('all of it is at most 150 KiB, zipped', () => {
  const sizes = fs.readdirSync(dist).map(name => zlib.gzipSync(fs.readFileSync(path.join(dist, name))).length)
  assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 150 * 1024)
})
