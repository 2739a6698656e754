// SPDX-License-Identifier: Apache-2.0
//
// The programs of a test and where they live: a scratch directory, the stand-in for GitHub, nodes, clients. Waiting is on
// lines, files and exits. At the end only these children are stopped, and nothing they wrote may hold a token.

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Standin } from './standin.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))
export const BIN = path.resolve(process.env.GHMESH_BIN ?? path.join(root, 'build/dev/ghmesh'))
const STANDIN = path.resolve(process.env.GHMESH_STANDIN_BIN ?? path.join(path.dirname(BIN), 'ghmesh-standin'))
// A loaded machine is slow, not wrong.
const PATIENCE = 30_000

// Every name of a test's tokens begins with this, so that one search finds any of them in what a node wrote.
export const CANARY = 'ghp_canary'
let tokens = 0
export const newToken = (kind = '') => `${CANARY}${kind}${process.pid}x${++tokens}`
export const newJobToken = () => `ghs_${CANARY}${process.pid}x${++tokens}`

// The user's own settings and proxies are no part of a test.
function cleanEnvironment (home) {
  return { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', TMPDIR: home, NO_COLOR: '1', GH_NO_UPDATE_NOTIFIER: '1', GH_PROMPT_DISABLED: '1' }
}

export class Scratch {
  constructor (t) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ghmesh-e2e-'))
    this.children = []
    this.nodes = 0
    t.after(() => this.end())
  }

  file (name) { return path.join(this.dir, name) }

  write (name, text) {
    fs.mkdirSync(path.dirname(this.file(name)), { recursive: true })
    fs.writeFileSync(this.file(name), text)
    return this.file(name)
  }

  // A long-running child; its stderr goes to a file. It ends with this process, however this process ends.
  start (name, command, args, { env = {}, stdout } = {}) {
    const log = this.file(`${name}.log`)
    const fd = fs.openSync(log, 'a')
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
      cwd: this.dir, env: { ...cleanEnvironment(this.dir), ...env }, stdio: ['ignore', stdout ?? fd, fd]
    })
    fs.closeSync(fd)
    child.logFile = log
    child.exited = new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
    child.once('exit', () => { child.gone = true })
    this.children.push(child)
    return child
  }

  // Runs a client to its end.
  async run (command, args, { env = {}, input, timeout = PATIENCE, cwd } = {}) {
    const child = spawn(command, args, { cwd: cwd ?? this.dir, env: { ...cleanEnvironment(this.dir), ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
    const out = []
    const err = []
    child.stdout.on('data', piece => out.push(piece))
    child.stderr.on('data', piece => err.push(piece))
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout)
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status, signal) => resolve(status ?? signal))
    })
    clearTimeout(timer)
    return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString(), text: Buffer.concat(out).toString() }
  }

  async end () {
    for (const child of this.children) await stop(child)
    try {
      this.assertNoToken()
    } finally {
      if (!process.env.GHMESH_E2E_KEEP) fs.rmSync(this.dir, { recursive: true, force: true })
    }
  }

  // Logs, ready files and cache directories, as bytes.
  assertNoToken () {
    for (const file of filesUnder(this.dir)) {
      if (path.basename(file).startsWith('client-')) continue // a client's own settings may hold its token
      if (fs.readFileSync(file).includes(CANARY)) throw new Error(`a token was written to ${file}`)
    }
  }
}

export function filesUnder (dir) {
  return fs.readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath ?? entry.path, entry.name))
}

export async function stop (child, signal = 'SIGTERM') {
  if (child.gone) return child.exited
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE)
  const ended = await child.exited
  clearTimeout(timer)
  return ended
}

export const logOf = child => fs.readFileSync(child.logFile, 'utf8')

async function orDeath (child, what, promise) {
  let timer
  const late = new Promise((resolve, reject) => { timer = setTimeout(() => reject(new Error(`${what} did not come in ${PATIENCE} ms; log:\n${logOf(child)}`)), PATIENCE) })
  const death = child.exited.then(({ code, signal }) => { throw new Error(`ended with ${code ?? signal} before ${what}; log:\n${logOf(child)}`) })
  death.catch(() => {})
  try {
    return await Promise.race([promise, death, late])
  } finally {
    clearTimeout(timer)
  }
}

// tokens: {value: rights}, rights as POST /_model/token takes them.
export async function startStandin (scratch, { args = [], tokens = {} } = {}) {
  const ca = scratch.file('standin-ca.pem')
  const child = scratch.start('standin', STANDIN, ['--ca-file', ca, ...args], { stdout: 'pipe' })
  const lines = readline.createInterface({ input: child.stdout })
  const line = await orDeath(child, 'its addresses', new Promise(resolve => lines.once('line', resolve)))
  const standin = new Standin(child, JSON.parse(line))
  for (const [value, rights] of Object.entries(tokens)) await standin.token(value, rights)
  return standin
}

// Resolves when the file is there: it appears by a rename, so it is whole.
function appearance (file) {
  return new Promise((resolve, reject) => {
    const look = () => {
      if (!fs.existsSync(file)) return
      watcher.close()
      resolve(JSON.parse(fs.readFileSync(file, 'utf8')))
    }
    const watcher = fs.watch(path.dirname(file), look)
    watcher.on('error', reject)
    look()
  })
}

// A node in front of `upstream`; under: words before its own. Resolves when all its listeners are bound.
export async function startNode (scratch, upstream, { args = [], cacheDir = 'none', listen = '127.0.0.1:0', env = {}, admin = '127.0.0.1:0', command = 'serve', p2p = ['--p2p', 'off'], under = [] } = {}) {
  const name = `node-${++scratch.nodes}`
  const readyFile = scratch.file(`${name}.ready.json`)
  const socket = scratch.file(`${name}.sock`)
  const [program, ...words] = [...under, BIN, command]
  const child = scratch.start(name, program, [...words, '--upstream', upstream, '--listen', listen, '--admin', admin, '--socket', socket,
    ...p2p, '--cache-dir', cacheDir, '--log-level', 'debug', '--ready-file', readyFile, ...args], { env })
  const ready = await orDeath(child, 'its ready file', appearance(readyFile))
  return {
    child,
    ready,
    readyFile,
    socket,
    url: `http://${ready.listen}`,
    port: Number(ready.listen.split(':').at(-1)),
    stats: async () => (await fetch(`http://${ready.admin}/api/stats`)).json(),
    peers: async () => (await fetch(`http://${ready.admin}/api/peers`)).json(),
    admin: ready.admin,
    stop: signal => stop(child, signal),
    log: () => logOf(child)
  }
}

// A node that is expected not to come up.
export const runNode = (scratch, args) => scratch.run(BIN, args)
export const ghmesh = (scratch, args, options) => scratch.run(BIN, args, options)

export function freePort () {
  return new Promise((resolve, reject) => {
    const server = net.createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

// The usual arrangement: one stand-in, one node before it, one token that may see everything.
export async function world (t, { standin: standinOptions = {}, node: nodeOptions = {}, https = false } = {}) {
  const scratch = new Scratch(t)
  const token = newToken()
  const standin = await startStandin(scratch, { ...standinOptions, tokens: { [token]: { login: 'octocat', everything: true }, ...standinOptions.tokens } })
  const upstream = https ? standin.https : standin.http
  const args = [...(https ? ['--upstream-ca', standin.caFile] : []), ...(nodeOptions.args ?? [])]
  const node = await startNode(scratch, upstream, { ...nodeOptions, args })
  return { scratch, standin, node, token }
}
