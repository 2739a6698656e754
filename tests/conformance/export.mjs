// SPDX-License-Identifier: Apache-2.0
//
// Writes the suite's test definitions as one JSON document, for engine_driver.
//   node export.mjs [SUITE_DIR] > suite.json
// SUITE_DIR is a checkout of http-tests/cache-tests; without it the pinned npm release is used.

import path from 'node:path'
import process from 'node:process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(import.meta.url)
const own = process.argv[2]
const root = own ? path.resolve(own) : path.dirname(require.resolve('http-cache-tests/package.json'))
const load = async file => (await import(pathToFileURL(path.join(root, file)).href)).default

const groups = [...await load('tests/index.mjs')]
if (!own) groups.push(await load('tests/surrogate-control.mjs'))
process.stdout.write(JSON.stringify({ dialect: own ? 'current' : 'npm', groups }))
