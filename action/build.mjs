// SPDX-License-Identifier: Apache-2.0
//
// src/*.ts with everything they need, as one file each in dist: what a runner executes. The same inputs give the same
// octets, which tests/runner checks.   node build.mjs [OUTPUT DIRECTORY]

import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = path.dirname(fileURLToPath(import.meta.url))
const outdir = path.resolve(process.argv[2] ?? path.join(here, 'dist'))

await build({
  absWorkingDir: here,
  entryPoints: ['src/main.ts', 'src/post.ts'],
  outdir,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  charset: 'utf8',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'inline',
  banner: { js: '// SPDX-License-Identifier: Apache-2.0\n// Bundled by action/build.mjs from action/src and its packages.' }
})
