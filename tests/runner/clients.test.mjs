// SPDX-License-Identifier: Apache-2.0
//
// Real clients in played jobs: all of them are answered by the nodes, the fleet is charged once for each question, and a
// node that is killed in the middle costs nobody a job.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import https from 'node:https'
import path from 'node:path'
import process from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import YAML from 'yaml'
import { canariesCharged, Machine, REPOSITORY, root, unhurried } from './lib.mjs'

const CLIENTS = fileURLToPath(new URL('clients.yml', import.meta.url))
const ASKED_BY_A_JOB = 10 // five clients, two questions
// What GitHub answers differently it is asked separately: gh wants any type, curl gets its JSON indented, both Octokits
// want version 3's type, Python says nothing.
const DISTINCT = 2 * 4

// github.com itself: repositories by git's plainest protocol, behind a certificate that only its own CA vouches for.
async function gitHub (t, scratch) {
  const key = scratch.file('github-key.pem')
  const ca = scratch.file('github-ca.pem')
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=github.com', '-addext', 'subjectAltName=DNS:github.com', '-keyout', key, '-out', ca], { stdio: 'ignore' })
  const seen = []
  const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(ca) }, (request, response) => {
    seen.push(request.url)
    if (request.url.includes('/info/refs')) response.end(`${'a'.repeat(40)}\trefs/heads/main\n`)
    else response.writeHead(request.url.endsWith('/HEAD') ? 200 : 404).end('ref: refs/heads/main\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => { server.closeAllConnections(); server.close() })
  return { seen, machine: { GHMESH_RESOLVE: `github.com:443:127.0.0.1:${server.address().port}`, GIT_SSL_CAINFO: ca } }
}

function assertAnswered (played) {
  assert.equal(played.conclusion, 'success', played.log)
  for (const line of ['gh octo-org/repo-1', 'gh 3', 'curl 3', 'github-script octo-org/repo-1 3', 'octokit octo-org/repo-1 3', 'python octo-org/repo-1 3', `git ${'a'.repeat(40)}\trefs/heads/main`]) assert.ok(played.log.includes(`\n${line}\n`), `${line} is missing:\n${played.log}`)
}

const playClients = (machine, more) => machine.play({ workflow: CLIENTS, job: 'ask', actions: { 'octo-org/ghmesh': root }, ...more })

test('every client of a job is answered by its node, and GitHub is asked once', async t => {
  const machine = await new Machine(t).open()
  const git = await gitHub(t, machine.scratch)
  const { result: played, ...cost } = await machine.standin.cost(() => playClients(machine, { machine: git.machine, fork: true }))
  assertAnswered(played)
  assert.match(played.summary, new RegExp(`requests of this job \\| ${ASKED_BY_A_JOB} \\|`))
  assert.equal(cost.charged, DISTINCT)
  assert.ok(git.seen.length > 0)
  assert.match(played.log, /local cache only/)
  assert.deepEqual(played.leftovers(), [])
  // What was GIT_SSL_CAINFO's before is what it is again.
  assert.equal(played.env.GIT_SSL_CAINFO, git.machine.GIT_SSL_CAINFO)
})

test('A9: three jobs with the secret are charged like one; a fork\'s job shares nothing', async t => {
  const machine = await new Machine(t).open()
  const git = await gitHub(t, machine.scratch)
  const { result: first, ...alone } = await machine.standin.cost(() => playClients(machine, { machine: git.machine, fork: true }))
  assertAnswered(first)
  assert.equal(alone.charged, DISTINCT)
  const { result: fleet, ...together } = await machine.standin.cost(() => Promise.all([1, 2, 3].map(() => playClients(machine, { machine: { ...git.machine, ...unhurried(machine) }, vars: { MEMBERS: '3' } }))))
  for (const played of fleet) {
    assertAnswered(played)
    assert.doesNotMatch(played.log, /local cache only/)
    assert.match(played.steps[1].outputs.multiaddr, /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3/)
    assert.deepEqual(played.leftovers(), [])
  }
  const canaries = canariesCharged(machine)
  t.diagnostic(`three jobs: ${together.charged} charged of ${3 * ASKED_BY_A_JOB} requests, ${canaries.charged} of them canaries`)
  assert.equal(canaries.nodes, 3)
  assert.equal(together.charged - canaries.charged, DISTINCT)
  // The mesh has held the answers; a job without the secret has to ask for them itself.
  const { result: fork, ...isolated } = await machine.standin.cost(() => playClients(machine, { machine: git.machine, fork: true }))
  assertAnswered(fork)
  assert.equal(isolated.charged, DISTINCT)
  assert.equal(fork.steps[1].outputs.bootstrap_peers, '')
})

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

// A job of one shell step after init; it goes on when told to by a file.
async function held (t, machine, steps) {
  const gate = machine.scratch.file(`gate-${machine.jobs}`)
  const workflow = machine.scratch.write(`workflows/held-${machine.jobs}.yml`, YAML.stringify({
    name: 'held', on: 'push', jobs: { ask: { 'runs-on': 'x', env: { GH_TOKEN: '${{ github.token }}', GATE: gate }, steps: [{ uses: 'actions/checkout@v4' }, { uses: 'octo-org/ghmesh@v1', with: { wait: 30 } }, { run: 'touch "$GATE.here"; while [ ! -e "$GATE" ]; do sleep 0.02; done' }, ...steps] } }
  }))
  const job = await machine.start({ workflow, job: 'ask', actions: { 'octo-org/ghmesh': root } })
  while (!fs.existsSync(`${gate}.here`)) await pause(5)
  return { ...job, ready: () => JSON.parse(fs.readFileSync(path.join(job.state, 'ready.json'))), session: () => JSON.parse(fs.readFileSync(path.join(job.state, 'session.json'))), open: () => fs.writeFileSync(gate, '') }
}

const ASK = `begin=$(date +%s%N)
curl --fail -sS -o /dev/null -H "Authorization: Bearer $GH_TOKEN" https://api.github.com/repos/${REPOSITORY}
gh api repos/${REPOSITORY} --jq .full_name
echo "took $(( ($(date +%s%N) - begin) / 1000000 )) ms"`

test('a node that is killed is replaced under the job\'s feet: nobody is refused', async t => {
  const machine = await new Machine(t).open()
  const job = await held(t, machine, [{ run: ASK }, { run: ASK }])
  const { pid } = job.ready()
  process.kill(pid, 'SIGKILL')
  job.open()
  const played = await job.wait()
  assert.equal(played.conclusion, 'success', played.log)
  const took = [...played.log.matchAll(/^took (\d+) ms$/gm)].map(match => Number(match[1]))
  assert.equal(took.length, 2)
  t.diagnostic(`the first step after the kill took ${took[0]} ms, the next ${took[1]} ms`)
  assert.deepEqual(job.leftovers(), [])
})

test('with its keeper killed as well, the next init heals it on the same address', async t => {
  const machine = await new Machine(t).open()
  const job = await held(t, machine, [{ uses: 'octo-org/ghmesh@v1', with: { wait: 30 } }, { run: ASK }])
  const { pid, listen } = job.ready()
  process.kill(job.session().keeper.pid, 'SIGKILL')
  process.kill(pid, 'SIGKILL')
  job.open()
  const played = await job.wait()
  assert.equal(played.conclusion, 'success', played.log)
  assert.match(played.log, /was not well and is replaced/)
  assert.match(played.log, new RegExp(`node ready at ${listen.replaceAll('.', '\\.')}`))
  assert.deepEqual(job.leftovers(), [])
})

test('a job that is cancelled without a post step leaves nothing either', async t => {
  const machine = await new Machine(t).open()
  const job = await held(t, machine, [])
  assert.equal(job.leftovers().filter(one => one.command.startsWith('ghmesh ')).length, 2)
  job.child.kill('SIGKILL')
  const until = Date.now() + 30_000
  while ((fs.existsSync(job.state) || job.leftovers().some(one => one.command.startsWith('ghmesh '))) && Date.now() < until) await pause(20)
  assert.deepEqual(job.leftovers().filter(one => one.command.startsWith('ghmesh ')), [])
  assert.ok(!fs.existsSync(job.state))
})
