// SPDX-License-Identifier: Apache-2.0
//
// The action's inputs mirror the flags of `ghmesh init`. This writes what follows from them: src/flag_names.ts,
// action.yml here and the one at the root of the repository, which differ only in where dist lies.
//
//   node action/inputs.mjs build/dev/ghmesh            then: node action/build.mjs
//   node action/inputs.mjs build/dev/ghmesh --check    says what is out of date; exit status 1 if something is

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
// Flags that have no meaning as inputs: the action's own input, and what the runner decides.
const NO_INPUTS = new Set(['strict', 'state-dir', 'job-pid', 'ready-file', 'help'])

function flagsOf (help) {
  const flags = new Map()
  let current
  for (const line of help.split('\n')) {
    const flag = /^ {2}(?:-., )?--([a-z0-9-]+)(?: \S+)?(?: {2,}(.*))?$/.exec(line)
    if (flag) {
      current = flag[1]
      flags.set(current, flag[2] ?? '')
    } else if (current !== undefined && /^ {20}/.test(line)) {
      flags.set(current, `${flags.get(current)} ${line.trim()}`.trim())
    } else {
      current = undefined
    }
  }
  for (const name of NO_INPUTS) flags.delete(name)
  return flags
}

const quoted = text => `'${text.replaceAll("'", "''")}'`

function metadata (flags, dist) {
  const head = `# SPDX-License-Identifier: Apache-2.0
# Written by action/inputs.mjs from the flags of ghmesh init.
name: ghmesh
description: A cache for the GitHub API beside this job, shared with the other jobs of the fleet
author: the ghmesh authors
branding:
  icon: share-2
  color: blue
inputs:
  secret:
    description: the mesh secret that all jobs share (ghmesh secret new); without one the node is a local cache
    required: false
  github-token:
    description: the job's own token, by which the node knows that this job draws on one quota with the repository's other jobs; it keeps a keyed hash of it
    required: false
    default: \${{ github.token }}
  strict:
    description: a node that cannot be had fails the job instead of being a warning
    required: false
    default: 'false'
  binary:
    description: path of the program; else GHMESH_BIN, ghmesh on PATH, or release-url
    required: false
  release-url:
    description: where the program is downloaded; {os} and {arch} stand for linux and amd64 or arm64
    required: false
  release-sha256:
    description: its SHA-256, or one for each architecture as in "amd64=… arm64=…"
    required: false
`
  const inputs = [...flags].map(([name, meaning]) => `  ${name}:\n    description: ${quoted(meaning)}\n    required: false\n`).join('')
  return `${head}${inputs}outputs:
  url:
    description: where the node answers HTTP
  socket:
    description: its unix socket, for gh
  peer_id:
    description: who the node is in the mesh; empty without one
  multiaddr:
    description: where peers reach it; empty without a mesh
  bootstrap_peers:
    description: other members that are known, joined by commas
runs:
  using: node24
  main: ${dist}/main.cjs
  post: ${dist}/post.cjs
  post-if: always()
`
}

const names = flags => `// SPDX-License-Identifier: Apache-2.0
//
// Written by action/inputs.mjs from the flags of ghmesh init.

export const FLAG_INPUTS = [
${[...flags.keys()].map(name => `  '${name}'`).join(',\n')}
] as const
`

const [binary, check] = process.argv.slice(2)
if (binary === undefined) throw new Error('which program? node action/inputs.mjs build/dev/ghmesh')
const flags = flagsOf(execFileSync(binary, ['init', '--help'], { encoding: 'utf8' }))
const files = {
  'src/flag_names.ts': names(flags),
  'action.yml': metadata(flags, 'dist'),
  '../action.yml': metadata(flags, 'action/dist')
}
let stale = 0
for (const [name, text] of Object.entries(files)) {
  const file = path.join(here, name)
  if (check === undefined) fs.writeFileSync(file, text)
  else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
    console.log(`${name} does not say what ghmesh init takes; run: make action`)
    stale = 1
  }
}
process.exitCode = stale
