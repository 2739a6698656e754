// SPDX-License-Identifier: Apache-2.0
//
// Self-hosted machines: the runner's hooks around a workflow that knows nothing, systemd's units and its socket
// activation, the Kubernetes example.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import YAML from 'yaml'
import { BIN, Machine, root } from './lib.mjs'
import { freePort, Scratch, startStandin, stop } from '../e2e/lib/processes.mjs'
import { cacheStatus, request } from '../e2e/lib/http.mjs'

const packaging = path.join(root, 'packaging')
const onPath = name => process.env.PATH.split(':').some(dir => fs.existsSync(path.join(dir, name)))

test('hooks of the runner: a job whose workflow says nothing of a cache has one', async t => {
  const machine = await new Machine(t).open()
  const workflow = machine.scratch.write('workflows/plain.yml', YAML.stringify({
    name: 'plain', on: 'push', jobs: { ask: { 'runs-on': 'self-hosted', env: { GH_TOKEN: '${{ github.token }}' }, steps: [{ run: 'gh api repos/octo-org/repo-1 --jq .full_name; curl --fail -sS -o /dev/null -H "Authorization: Bearer $GH_TOKEN" https://api.github.com/repos/octo-org/repo-1' }] } }
  }))
  const hooks = { ACTIONS_RUNNER_HOOK_JOB_STARTED: path.join(packaging, 'runner/job-started.sh'), ACTIONS_RUNNER_HOOK_JOB_COMPLETED: path.join(packaging, 'runner/job-completed.sh') }
  const played = await machine.play({ workflow, job: 'ask', machine: hooks })
  assert.equal(played.conclusion, 'success', played.log)
  assert.match(played.log, /^octo-org\/repo-1$/m)
  assert.match(played.log, /## hook COMPLETED\nghmesh: 2 requests/)
  assert.match(played.summary, /### GitHub API cache/)
  assert.deepEqual(played.leftovers(), [])
  assert.deepEqual(played.left.filter(name => name.includes('ghmesh')), [])
  // Without the program the job runs all the same.
  for (const name of ['STARTED', 'COMPLETED']) {
    const hook = spawnSync('bash', ['-e', hooks[`ACTIONS_RUNNER_HOOK_JOB_${name}`]], { env: { PATH: process.env.PATH, GHMESH_BIN: '/nowhere/ghmesh' }, encoding: 'utf8' })
    assert.equal(hook.status, 0)
    assert.equal(hook.stdout.startsWith('::warning title=ghmesh::no cache'), name === 'STARTED')
  }
})

// The units, with the program where it is here.
function units (scratch, folder) {
  const dir = scratch.file(path.basename(folder))
  fs.mkdirSync(dir)
  const files = fs.readdirSync(folder).filter(name => /\.(service|socket)$/.test(name)).map(name => {
    fs.writeFileSync(path.join(dir, name), fs.readFileSync(path.join(folder, name), 'utf8').replaceAll('/usr/bin/ghmesh', BIN))
    return path.join(dir, name)
  })
  return { dir, files }
}

test('systemd takes the units', { skip: !onPath('systemd-analyze') }, t => {
  const scratch = new Scratch(t)
  for (const [folder, mode] of [['systemd', '--system'], ['systemd/user', '--user']]) {
    const { dir, files } = units(scratch, path.join(packaging, folder))
    assert.ok(files.length >= 2)
    const env = { PATH: process.env.PATH, HOME: scratch.dir, XDG_RUNTIME_DIR: scratch.dir, SYSTEMD_UNIT_PATH: `${dir}:`, SYSTEMD_LOG_LEVEL: 'warning' }
    const verify = more => spawnSync('systemd-analyze', [mode, '--man=no', '--recursive-errors=no', 'verify', ...more], { env, encoding: 'utf8' })
    const got = verify(files)
    const ours = got.stderr.split('\n').filter(line => line.includes('ghmesh'))
    assert.deepEqual(ours, [])
    assert.equal(got.status, 0, got.stderr)
    // The check sees what is wrong.
    fs.appendFileSync(files.find(name => name.endsWith('.service')), '[Service]\nRestart=perhaps\n')
    assert.match(verify(files).stderr, /perhaps/)
  }
})

test('the units give no flag that the program does not know', () => {
  const known = execFileSync(BIN, ['serve', '--help'], { encoding: 'utf8' })
  const texts = ['systemd/ghmesh.service', 'systemd/user/ghmesh.service', 'kubernetes/ghmesh.yaml'].map(name => fs.readFileSync(path.join(packaging, name), 'utf8'))
  const flags = new Set(texts.flatMap(text => [...text.matchAll(/(?:^ExecStart=.*|^ +- )(--[a-z0-9-]+)|(?<=serve.* )(--[a-z0-9-]+)/gm)].map(match => match[1] ?? match[2])))
  assert.ok(flags.size >= 6, [...flags].join())
  for (const flag of flags) assert.ok(known.includes(`  ${flag}`), flag)
})

test('socket activation: the first connection starts the node, and the sockets outlive it', { skip: !onPath('systemd-socket-activate') }, async t => {
  const scratch = new Scratch(t)
  const standin = await startStandin(scratch)
  const [port, admin] = [await freePort(), await freePort()]
  const socket = scratch.file('activated.sock')
  const readyFile = scratch.file('ready.json')
  const child = scratch.start('activated', 'systemd-socket-activate', [
    '-l', `127.0.0.1:${port}`, '-l', socket, '-l', `127.0.0.1:${admin}`, '--fdname=listen:listen:admin', '--setenv=HOME', '--setenv=PATH',
    BIN, 'serve', '--upstream', standin.http, '--cache-dir', 'none', '--p2p', 'off', '--ready-file', readyFile])
  const patient = async work => {
    for (;;) {
      const got = await work().catch(error => error)
      if (!(got instanceof Error)) return got
      assert.ok(!child.gone, fs.readFileSync(child.logFile, 'utf8'))
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
  const first = await patient(() => request(`http://127.0.0.1:${port}`, '/repos/octo-org/repo-1'))
  assert.equal(first.status, 200)
  const ready = JSON.parse(fs.readFileSync(readyFile))
  assert.deepEqual({ listen: ready.listen, socket: ready.socket, admin: ready.admin }, { listen: `127.0.0.1:${port}`, socket, admin: `127.0.0.1:${admin}` })
  assert.match(cacheStatus(await request('http://api.github.com', '/repos/octo-org/repo-1', { socket })), /hit/)
  assert.equal((await request(`http://127.0.0.1:${admin}`, '/healthz')).status, 200)
  assert.equal((await stop(child)).code, 0)
  assert.ok(fs.existsSync(socket), 'the socket is systemd\'s, not the node\'s')
})

test('the Kubernetes example is well formed', t => {
  const scratch = new Scratch(t)
  const documents = YAML.parseAllDocuments(fs.readFileSync(path.join(packaging, 'kubernetes/ghmesh.yaml'), 'utf8')).map(one => { assert.deepEqual(one.errors, []); return one.toJS() })
  const of = kind => documents.find(one => one.kind === kind)
  const set = of('DaemonSet').spec
  assert.deepEqual(set.selector.matchLabels, set.template.metadata.labels)
  assert.equal(of('Service').spec.clusterIP, 'None')
  const [container] = set.template.spec.containers
  const bootstrap = container.args.find(one => one.startsWith('--bootstrap='))
  assert.ok(bootstrap.includes(`/dns4/${of('Service').metadata.name}.${of('Service').metadata.namespace}.svc`))
  for (const { name } of container.volumeMounts) assert.ok(set.template.spec.volumes.some(one => one.name === name), name)
  // The settings are ones that a node takes.
  const settings = container.args.slice(1).map(one => one.replace('=/cache', `=${scratch.file('cache')}`).replace('=/run/ghmesh', `=${scratch.dir}`))
  const found = spawnSync(BIN, ['discover', ...settings], { env: { PATH: process.env.PATH, HOME: scratch.dir, GHMESH_SECRET: randomBytes(32).toString('hex') }, encoding: 'utf8' })
  assert.equal(found.status, 0, found.stderr)
  const values = YAML.parse(fs.readFileSync(path.join(packaging, 'kubernetes/runner-values.yaml'), 'utf8')).template.spec
  assert.equal(values.containers[0].env[0].value, values.containers[0].volumeMounts[1].mountPath)
  assert.match(of('ConfigMap').data['config.yml'], new RegExp(`http_unix_socket: ${container.args.find(one => one.startsWith('--socket=')).slice(9)}`))
})
