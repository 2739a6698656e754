// SPDX-License-Identifier: Apache-2.0
//
// A machine with runners: jobs are processes, each with a directory of its own below the scratch directory, and one home.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import YAML from 'yaml'
import { newJobToken, Scratch, startStandin } from '../e2e/lib/processes.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const BIN = path.resolve(process.env.GHMESH_BIN ?? path.join(root, 'build/dev/ghmesh'))
const here = path.dirname(fileURLToPath(import.meta.url))
export const REPOSITORY = 'octo-org/repo-1'
export const WORKFLOWS = ['amd64-ci', 'arm64-ci', 'multiarch-ci']

// Every combination that a workflow's jobs have.
export function jobsOf (file) {
  const workflow = YAML.parse(fs.readFileSync(file, 'utf8'))
  return Object.entries(workflow.jobs).flatMap(([job, { strategy }]) => (strategy?.matrix?.include ?? [{}]).map(matrix => ({ workflow: file, job, matrix })))
}

// Programs that a played job has on its PATH before the machine's: heavy work is noted, not done.
export function stubs (scratch, names) {
  const dir = scratch.file('stubs')
  fs.mkdirSync(dir, { recursive: true })
  for (const name of names) fs.writeFileSync(path.join(dir, name), `#!/bin/sh\necho "stub: ${name} $*"\n`, { mode: 0o755 })
  return dir
}

export class Machine {
  constructor (t) {
    this.t = t
    this.scratch = new Scratch(t)
    this.secret = randomBytes(32).toString('hex')
    this.jobs = 0
    this.stubs = stubs(this.scratch, ['make', 'apt-get'])
  }

  async open () {
    this.standin = await startStandin(this.scratch)
    return this
  }

  // A job's own token: budgeted with its repository's others, and different from them.
  async token () {
    const token = newJobToken()
    await this.standin.token(token, { installation: true, repositories: [REPOSITORY] })
    return token
  }

  // Plays one job to its end; wait() is its result, pid its Runner.Worker. during is for who wants to meddle.
  async start ({ workflow, job, matrix = {}, fork = false, machine = {}, actions = {}, token, vars = {} }) {
    const number = ++this.jobs
    const trackingId = `github_${randomBytes(8).toString('hex')}`
    const spec = {
      workflow, job, matrix, token: token ?? await this.token(), secrets: fork ? {} : { GHMESH_SECRET: this.secret }, vars,
      event: fork ? 'pull_request' : 'push', repository: REPOSITORY, runId: number, runnerName: `runner ${number}`, trackingId,
      dir: this.scratch.file(`job-${number}`), home: this.scratch.file('home'), path: `${this.stubs}:${process.env.PATH}`, sources: root,
      actions,
      machine: {
        GHMESH_BIN: BIN, GHMESH_UPSTREAM: this.standin.http, GH_NO_UPDATE_NOTIFIER: '1', GH_PROMPT_DISABLED: '1', NO_COLOR: '1', ...machine
      }
    }
    fs.mkdirSync(spec.dir, { recursive: true })
    const child = spawn(process.execPath, ['--no-warnings', path.join(here, 'worker.mjs')], { cwd: spec.dir, stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env.PATH } })
    child.stdin.end(JSON.stringify(spec))
    const out = []
    const err = []
    child.stdout.on('data', piece => out.push(piece))
    child.stderr.on('data', piece => err.push(piece))
    const ended = new Promise((resolve, reject) => child.once('close', code => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(out).toString()))
      else reject(new Error(`the worker ended with ${code}: ${Buffer.concat(err).toString()}`))
    }))
    ended.catch(() => {})
    this.t.after(() => { for (const { pid } of processesOf(trackingId)) kill(pid) })
    return { child, spec, state: path.join(spec.dir, '_temp/ghmesh'), wait: () => ended, leftovers: () => processesOf(trackingId) }
  }

  async play (options) {
    const played = await this.start(options)
    return { ...played, ...(await played.wait()) }
  }
}

// A test judges what the fleet decides, not how quick this machine is while seven jobs start on it. Each node is asked for
// its metrics before it is stopped.
const PATIENCE = '5s'
export function unhurried (machine) {
  const file = machine.scratch.write('bin/ghmesh', `#!/bin/sh
case $1 in
  init) set -- "$@" --wait 60 ;;
  stop) node -e 'const fs = require("fs"); fetch("http://" + JSON.parse(fs.readFileSync(process.env.GHMESH_NODE)).admin + "/metrics").then(answer => answer.text()).then(text => fs.writeFileSync(process.argv[1], text))' "$0.$$.metrics" ;;
esac
exec '${BIN}' "$@"
`)
  fs.chmodSync(file, 0o755)
  return { GHMESH_BIN: file, GHMESH_MESH_PATIENCE: PATIENCE }
}

// A random tag in place of a peer's bytes, one proof in 256, is paid by its node alone.
export function canariesCharged (machine) {
  const dir = machine.scratch.file('bin')
  const texts = fs.readdirSync(dir).filter(name => name.endsWith('.metrics')).map(name => fs.readFileSync(path.join(dir, name), 'utf8'))
  return { nodes: texts.length, charged: texts.reduce((sum, text) => sum + Number(/^ghmesh_canaries_charged_total (\d+)$/m.exec(text)[1]), 0) }
}

function kill (pid) {
  try { process.kill(pid, 'SIGKILL') } catch { /* it has just ended */ }
}

// Processes of a job, however far they have gone: the runner finds orphans by this variable, too.
export function processesOf (trackingId) {
  const found = []
  for (const pid of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      if (!fs.readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`RUNNER_TRACKING_ID=${trackingId}`)) continue
      found.push({ pid: Number(pid), command: fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim() })
    } catch { /* gone, or somebody else's */ }
  }
  return found
}
