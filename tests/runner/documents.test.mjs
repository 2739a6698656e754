// SPDX-License-Identifier: Apache-2.0
//
// What README.md and doc/setup.md tell a user to type is typed here, and doc/migrating.md is held to the program. Every
// fenced block is run or checked by its kind; a kind or a command that is not known here is a failure, not a skip. All of
// it happens in a network of loopback only, at the ports that the documents name.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import YAML from 'yaml'
import { BIN, Machine, REPOSITORY, root } from './lib.mjs'
import { newToken, Scratch, startStandin } from '../e2e/lib/processes.mjs'

const DOCUMENTS = ['README.md', 'doc/setup.md']
const read = name => fs.readFileSync(path.join(root, name), 'utf8')

if (process.env.GHMESH_ALONE !== '1') {
  test('in a network of its own', () => {
    const { NODE_TEST_CONTEXT, ...env } = process.env
    const run = spawnSync('python3', [path.join(root, 'tests/e2e/lib/alone.py'), process.execPath, '--no-warnings', fileURLToPath(import.meta.url)], { env, encoding: 'utf8' })
    assert.equal(run.status, 0, run.stdout + run.stderr)
  })
} else {
  const checks = { sh: shell, yaml: workflow, toml: settings, mermaid: drawing }
  for (const document of DOCUMENTS) {
    const blocks = [...read(document).matchAll(/^```(\S*)\n([^]*?)^```$/gm)]
    assert.ok(blocks.length > 2)
    for (const [, kind, text] of blocks) {
      test(`${document}: ${text.split('\n').find(line => line.trim() !== '').slice(0, 60)}`, t => {
        assert.ok(kind in checks, `a block of kind '${kind}' is not known here:\n${text}`)
        return checks[kind](t, text)
      })
    }
  }
  migration()
}

// A user's machine: a home, ghmesh on PATH, GitHub is the stand-in.
async function user (t) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { tokens: { [token]: { login: 'octocat', everything: true } } })
  const home = scratch.file('client-home')
  for (const dir of ['bin', 'run', 'shared']) fs.mkdirSync(path.join(home, dir), { recursive: true })
  fs.symlinkSync(BIN, path.join(home, 'bin/ghmesh'))
  fs.symlinkSync(path.join(root, '.github'), path.join(home, '.github'))
  const env = {
    HOME: home, PATH: `${home}/bin:${process.env.PATH}`, XDG_RUNTIME_DIR: `${home}/run`, GHMESH_UPSTREAM: standin.http, GH_TOKEN: token, GHMESH_SECRET: randomBytes(32).toString('hex'),
    GHMESH_P2P_LISTEN: '/ip4/127.0.0.1/tcp/0', GHMESH_MDNS: 'off', BASH_ENV: ''
  }
  return { scratch, standin, home, env }
}

// What a line may begin with; any other word is a command that nobody has thought about.
const KNOWN = /^(ghmesh|gh|curl|chmod|make|eval "\$\((ghmesh|\.github\/scripts\/p2p_peer_bootstrap\.sh) |\.github\/scripts\/p2p_peer_bootstrap\.sh)/

// A node in the background is waited for before the next line, as a user would by eye.
const READY = 'until curl -sf -o /dev/null http://127.0.0.1:8417/healthz; do sleep 0.05; done'
// verify needs somebody else: a second node of the same mesh, on ports of its own.
const NEIGHBOUR = `ghmesh serve --listen 127.0.0.1:0 --admin 127.0.0.1:0 --cache-dir none --secret-file mesh.secret --registry "$HOME/shared/peers" &
until ghmesh verify >verify.log; do sleep 0.2; done`

function asTyped (line, home) {
  const command = line.replace(/\s+#.*$/, '')
  assert.match(command, KNOWN, `what is this: ${line}`)
  // Building and testing everything is what runs this test; that the target is there is asked of make itself.
  if (command.startsWith('make')) return `${command.replace(/^make/, `make -n -C ${root}`)} >/dev/null`
  const substituted = command.replaceAll('cli/cli', REPOSITORY).replaceAll('/run/user/1000', `${home}/run`).replaceAll('/mnt/shared', `${home}/shared`)
  if (/^ghmesh serve/.test(substituted)) return `${substituted.includes('&') ? substituted : `${substituted} &`}\n${READY}`
  if (substituted.startsWith('ghmesh verify')) return `${NEIGHBOUR}\n${substituted}`
  return substituted
}

async function shell (t, text) {
  const { scratch, standin, home, env } = await user(t)
  const lines = text.split('\n').filter(line => line.trim() !== '')
  // In fleets' blocks the secret of the block before is there.
  if (text.includes('--secret-file') && !text.includes('secret new')) fs.writeFileSync(path.join(home, 'mesh.secret'), (await scratch.run(BIN, ['secret', 'new'])).stdout, { mode: 0o600 })
  const script = ['set -eu', 'trap \'status=$?; set +e; kill $(jobs -p) 2>/dev/null; wait; exit $status\' EXIT', ...lines.flatMap(line => [`echo ${JSON.stringify(`+ ${line.split(' ').slice(0, 2).join(' ')}`).replaceAll('$', '\\$').replaceAll('`', '')} >&2`, asTyped(line, home)])].join('\n')
  const got = await scratch.run('bash', ['-c', script], { env, cwd: home, timeout: 90_000 })
  const kept = await scratch.run(BIN, ['stop'], { env })
  assert.equal(got.code, 0, `${script}\n${got.text}\n${got.stderr}`)
  assert.ok(!kept.stderr.includes('saved'), 'the block left a node behind')
  if (text.includes('ghmesh explain')) assert.match(got.text, /^held +in memory$/m, 'what get has just fetched is held')
  if (/gh api|ghmesh get|https:\/\/api/.test(text)) assert.ok((await standin.counters()).charged > 0, 'nobody asked GitHub')
}

// A whole workflow is played by the runner; steps alone are held to the action's inputs.
async function workflow (t, text) {
  const parsed = YAML.parse(text)
  const steps = Array.isArray(parsed) ? parsed : Object.values(parsed.jobs).flatMap(job => job.steps)
  const { inputs } = YAML.parse(read('action.yml'))
  const ours = steps.filter(step => step.uses === 'OWNER/ghmesh@v1')
  assert.equal(ours.length, 1)
  for (const name of Object.keys(ours[0].with ?? {})) assert.ok(name in inputs, `the action has no input ${name}`)
  if (Array.isArray(parsed)) return
  const machine = await new Machine(t).open()
  const [job] = Object.keys(parsed.jobs)
  const file = machine.scratch.write('workflows/documented.yml', YAML.stringify({ name: 'documented', on: 'push', ...parsed }))
  const played = await machine.play({ workflow: file, job, actions: { 'OWNER/ghmesh': root } })
  assert.equal(played.conclusion, 'success', played.log)
  assert.match(played.summary, /requests of this job \| [1-9]/)
  assert.deepEqual(played.leftovers(), [])
}

async function settings (t, text) {
  const { scratch, env } = await user(t)
  const problems = async content => {
    const got = await scratch.run(BIN, ['doctor', '--json', '--config', scratch.write('config.toml', content)], { env })
    return JSON.parse(got.text).findings.filter(each => each.name === 'settings')
  }
  assert.deepEqual(await problems(text), [])
  assert.match((await problems(`colour = "red"\n${text}`))[0].detail, /colour/)
}

function drawing (t, text) {
  assert.match(text, /^graph (LR|TD)\n/)
  const count = pattern => (text.match(pattern) ?? []).length
  assert.equal(count(/^\s*subgraph /gm), count(/^\s*end$/gm))
  assert.equal(count(/\[/g), count(/\]/g))
  assert.equal(count(/"/g) % 2, 0)
}

// The rows of the table below a heading: the names in the first column.
function variablesUnder (heading) {
  const section = read('doc/migrating.md').split(/^## /m).find(part => part.startsWith(heading))
  assert.ok(section, heading)
  return [...section.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) => [...cell.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name]) => name))
}

function migration () {
  test('doc/migrating.md names every older variable that a node reads, and no other', () => {
    const page = spawnSync(BIN, ['--man'], { encoding: 'utf8' }).stdout.replaceAll('\\-', '-')
    const inTable = [...page.matchAll(/; also ([A-Z0-9_]+)/g)].map(([, name]) => name)
    // The secret is no setting with a value, so it stands in --secret-file's own words.
    const secrets = ['CACHE_P2P_SHARED_SECRET', 'GH_TOKEN', 'GITHUB_TOKEN']
    for (const name of secrets) assert.ok(page.includes(name))
    assert.deepEqual(variablesUnder('Read by a node').sort(), [...inTable, ...secrets].sort())
  })

  test('doc/migrating.md: what is not read is named nowhere in the program', () => {
    const names = variablesUnder('Not read')
    assert.ok(names.length > 15)
    const program = fs.readFileSync(BIN, 'latin1')
    for (const name of names) assert.ok(!new RegExp(`(?<![A-Z_])${name}(?![A-Z_])`).test(program), name)
  })

  test('doc/migrating.md: the older variables do what it says', async t => {
    const { scratch, home, env } = await user(t)
    const secret = (await scratch.run(BIN, ['secret', 'new'])).text.trim()
    const { GHMESH_P2P_LISTEN, GHMESH_SECRET, GHMESH_UPSTREAM, ...bare } = env
    const older = { ...bare, GITHUB_API_URL: GHMESH_UPSTREAM, CACHE_ENABLE_P2P: 'yes', CACHE_LISTEN_PORT: '9123', CACHE_DEFAULT_TTL: '300', CACHE_DIR: `${home}/older`, CACHE_P2P_SHARED_SECRET: secret, CACHE_BOOTSTRAP_PEERS: '' }
    const got = await scratch.run('bash', ['-c', `set -eu
eval "$(ghmesh init)"
gh api repos/${REPOSITORY} --jq .full_name
cat "$GHMESH_NODE"
env | grep ^CACHE_
eval "$(ghmesh stop)"
test "$CACHE_ENABLE_P2P" = yes`], { env: older, cwd: home })
    assert.equal(got.code, 0, got.text + got.stderr)
    assert.match(got.text, new RegExp(`^${REPOSITORY}\n`))
    assert.match(got.text, /\/tcp\/9123/)
    assert.ok(fs.existsSync(`${home}/older`))
    for (const line of ['CACHE_ENABLE_P2P=true', 'CACHE_LISTEN_PORT=9123', `CACHE_DIR=${home}/older`, 'CACHE_DEFAULT_TTL=300']) assert.ok(got.text.includes(`\n${line}\n`), `${line}\n${got.text}`)
    // A passphrase and an address that is none stop the start, and are named.
    const start = more => scratch.run(BIN, ['serve', '--listen', '127.0.0.1:0', '--admin', 'off'], { env: { ...older, ...more } })
    assert.match((await start({ CACHE_BOOTSTRAP_PEERS: 'nonsense' })).stderr, /CACHE_BOOTSTRAP_PEERS.*nonsense/)
    const weak = await start({ CACHE_P2P_SHARED_SECRET: 'passphrase' })
    assert.match(weak.stderr, /CACHE_P2P_SHARED_SECRET/)
    assert.ok(!weak.stderr.includes('passphrase\''))
  })
}
