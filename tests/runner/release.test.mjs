// SPDX-License-Identifier: Apache-2.0
//
// A release from its build to its users: the files, what the workflow's publishing job makes of them in a repository
// here, and the script and the action of the revision that it leaves, which download from a page on this machine.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import YAML from 'yaml'
import './json_modules.mjs'
import { BIN, Machine, root } from './lib.mjs'

const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser')

const WORKFLOW = path.join(root, '.github/workflows/release.yml')
const BUILD = path.dirname(BIN)
const ARCH = process.arch === 'x64' ? 'amd64' : process.arch
const OTHER = ARCH === 'amd64' ? 'arm64' : 'amd64'
const PLACE = '/octo-org/ghmesh/releases/download/'

async function run (scratch, command, args, options) {
  const got = await scratch.run(command, args, { timeout: 100_000, ...options })
  assert.equal(got.code, 0, `${command} ${args.join(' ')}: ${got.stderr}${got.text}`)
  return got.text
}

const files = async (scratch, name) => {
  const sums = await run(scratch, path.join(root, 'tools/dist'), ['files', BUILD, scratch.file(name)], { env: { SOURCE_DATE_EPOCH: '1700000000' } })
  return Object.fromEntries(sums.trim().split('\n').map(line => line.split(/\s+/).reverse()))
}

test('release: the workflow is valid, and builds by make dist what its second job publishes', async () => {
  const content = fs.readFileSync(WORKFLOW, 'utf8')
  const parsed = parseWorkflow({ name: 'release.yml', content }, new NoOperationTraceWriter())
  assert.deepEqual(parsed.context.errors.getErrors().map(String), [])
  assert.deepEqual((await convertWorkflowTemplate(parsed.context, parsed.value)).errors ?? [], [])
  assert.deepEqual(YAML.parse(content).jobs.build.strategy.matrix.include.map(({ arch }) => arch), ['amd64', 'arm64'])
  assert.match(content, /make dist\n/)
  assert.match(fs.readFileSync(path.join(root, 'Makefile'), 'utf8'), /^dist: release\n(\t.*\n)*\t@tools\/dist files build\/release build\/dist$/m)
})

test('release: the package installs a program that runs, its manual, completions and units', async t => {
  const { scratch } = await new Machine(t).open()
  const once = await files(scratch, 'dist')
  const version = (await run(scratch, BIN, ['--version'])).trim().split(' ')[1]
  const deb = `ghmesh_${version}_${ARCH}.deb`
  assert.deepEqual(Object.keys(once).sort(), [deb, `ghmesh-linux-${ARCH}`].sort())
  assert.deepEqual(await files(scratch, 'again'), once, 'the same build gives other octets')
  const fields = await run(scratch, 'dpkg-deb', ['-f', scratch.file(`dist/${deb}`), 'Package', 'Version', 'Architecture', 'Depends'])
  assert.match(fields, new RegExp(`^Package: ghmesh\nVersion: ${version}\nArchitecture: ${ARCH}\nDepends: .*libc6 .*, ca-certificates$`, 'm'))
  const listed = await run(scratch, 'dpkg-deb', ['-c', scratch.file(`dist/${deb}`)])
  for (const line of listed.trim().split('\n')) assert.match(line, / root\/root /)
  await run(scratch, 'dpkg-deb', ['-x', scratch.file(`dist/${deb}`), scratch.file('root')])
  assert.equal(await run(scratch, scratch.file('root/usr/bin/ghmesh'), ['--version']), `ghmesh ${version}\n`)
  for (const name of ['usr/share/man/man1/ghmesh.1.gz', 'usr/share/bash-completion/completions/ghmesh', 'usr/share/fish/vendor_completions.d/ghmesh.fish',
    'lib/systemd/system/ghmesh.service', 'usr/lib/systemd/user/ghmesh.socket', 'usr/share/ghmesh/runner/job-started.sh', 'usr/share/doc/ghmesh/copyright'])
    assert.ok(fs.existsSync(scratch.file(`root/${name}`)), name)
  assert.ok(fs.readFileSync(scratch.file('root/usr/bin/ghmesh')).equals(fs.readFileSync(scratch.file(`dist/ghmesh-linux-${ARCH}`))))
})

// What a user has who names the action's revision: the repository as the publishing job leaves it.
async function publish (t, machine) {
  const { scratch } = machine
  const git = (...words) => run(scratch, 'git', ['-c', 'user.name=e', '-c', 'user.email=e@e', '-C', scratch.file('checkout'), ...words])
  for (const name of ['.github/scripts', 'action/dist', 'action/action.yml', 'action.yml', 'tools/dist', 'packaging', 'LICENSE'])
    fs.cpSync(path.join(root, name), scratch.file(`checkout/${name}`), { recursive: true })
  await run(scratch, 'git', ['init', '-q', '--bare', scratch.file('origin.git')])
  await run(scratch, 'git', ['init', '-q', '-b', 'main', scratch.file('checkout')])
  await git('add', '.')
  await git('commit', '-q', '-m', 'before')
  await git('remote', 'add', 'origin', scratch.file('origin.git'))
  await git('push', '-q', 'origin', 'main')
  // As two machines have built them; the program of the other architecture is none here.
  await files(scratch, `checkout/parts/files-${ARCH}`)
  scratch.write(`checkout/parts/files-${OTHER}/ghmesh-linux-${OTHER}`, 'of another machine')
  await run(scratch, 'sh', ['-c', 'sha256sum ghmesh-* >SHA256SUMS'], { cwd: scratch.file(`checkout/parts/files-${OTHER}`) })
  const page = { asked: [], change: null }
  const server = http.createServer((request, response) => {
    page.asked.push(request.url)
    const file = scratch.file(`checkout/dist/${path.basename(request.url)}`)
    if (!request.url.startsWith(`${PLACE}v0.1.0/`) || !fs.existsSync(file)) { response.statusCode = 404; return response.end() }
    const body = fs.readFileSync(file)
    response.end(page.change ? page.change(body) : body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  scratch.write('bin/gh', '#!/bin/sh\necho "gh $*" >>"$SAID"\n')
  fs.chmodSync(scratch.file('bin/gh'), 0o755)
  const env = { PATH: `${scratch.file('bin')}:${process.env.PATH}`, SAID: scratch.file('said'), GITHUB_SERVER_URL: `http://127.0.0.1:${server.address().port}`, GITHUB_REPOSITORY: 'octo-org/ghmesh', GITHUB_REF_NAME: 'v0.1.0' }
  for (const step of YAML.parse(fs.readFileSync(WORKFLOW, 'utf8')).jobs.publish.steps.filter(step => step.run))
    await run(scratch, 'bash', ['-eo', 'pipefail', '-c', step.run], { cwd: scratch.file('checkout'), env })
  assert.match(fs.readFileSync(scratch.file('said'), 'utf8'), new RegExp(`^gh release create v0\\.1\\.0 .*dist/SHA256SUMS dist/ghmesh-linux-amd64 dist/ghmesh-linux-arm64 dist/ghmesh_.*\\.deb\n$`))
  await run(scratch, 'git', ['clone', '-q', '-b', 'v0', scratch.file('origin.git'), scratch.file('v0')])
  return { page, revision: scratch.file('v0') }
}

test('release: the script and the action of a released revision find their program, and run no other', async t => {
  const machine = await new Machine(t).open()
  const { scratch } = machine
  const { page, revision } = await publish(t, machine)
  const env = { HOME: scratch.file('home'), XDG_RUNTIME_DIR: scratch.dir, GHMESH_UPSTREAM: machine.standin.http, PATH: '/usr/bin:/bin' }
  fs.mkdirSync(env.HOME)
  const script = path.join(revision, '.github/scripts/p2p_peer_bootstrap.sh')
  const used = await run(scratch, 'sh', ['-euc', `eval "$(${script} init --wait 30 --p2p off)"; curl --fail -sS https://api.github.com/repos/octo-org/repo-1; eval "$(${script} stop)"`], { env })
  assert.equal(JSON.parse(used).full_name, 'octo-org/repo-1')
  assert.deepEqual(page.asked, [`${PLACE}v0.1.0/ghmesh-linux-${ARCH}`])

  const play = async () => machine.play({
    workflow: scratch.write('workflows/uses.yml', YAML.stringify({ name: 'uses', on: 'push', jobs: { build: { 'runs-on': 'ubuntu-latest', steps: [{ uses: 'octo-org/ghmesh@v0', with: { wait: 30 } }, { run: 'gh api repos/octo-org/repo-1 --jq .full_name', env: { GH_TOKEN: '${{ github.token }}' } }] } } })),
    job: 'build', actions: { 'octo-org/ghmesh': revision }, machine: { GHMESH_BIN: '' }
  })
  const good = await play()
  assert.equal(good.conclusion, 'success', good.log)
  assert.deepEqual(good.warnings, [])
  assert.match(good.log, /^octo-org\/repo-1$/m)
  assert.equal(page.asked.length, 2)

  // One octet more than was released.
  page.change = body => Buffer.concat([body, Buffer.from('\n')])
  const fresh = { ...env, HOME: scratch.file('fresh') }
  fs.mkdirSync(fresh.HOME)
  const refused = await scratch.run('sh', [script, 'init'], { env: fresh })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /has the SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}; it is not run/)
  assert.equal(refused.text, '')
  assert.equal(page.asked.length, 3)
})

test('release: a revision that nobody released looks for no program', async t => {
  const { scratch } = await new Machine(t).open()
  assert.ok(!fs.existsSync(path.join(root, 'action/release.env')))
  const got = await scratch.run('sh', [path.join(root, '.github/scripts/p2p_peer_bootstrap.sh'), 'init'], { env: { PATH: '/usr/bin:/bin', HOME: os.tmpdir() } })
  assert.equal(got.code, 1)
  assert.match(got.stderr, /this is no released revision/)
})
