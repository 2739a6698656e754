// SPDX-License-Identifier: Apache-2.0
// ghmesh's developer command as a child process.
import { spawn } from 'node:child_process'
import { basename } from 'node:path'
import { createInterface } from 'node:readline'

const binary = process.env.GHMESH_P2P
if (binary == null) throw new Error('GHMESH_P2P must name ghmesh or ghmesh_p2p_dev')
// ghmesh has it as a command among others, ghmesh_p2p_dev is nothing else.
const command = basename(binary) === 'ghmesh' ? ['p2p'] : []

export async function listen (...options) {
  const child = spawn(binary, [...command, 'listen', ...options.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const first = await new Promise((resolve, reject) => {
    lines.once('line', resolve)
    child.once('exit', code => reject(new Error(`listen ended with ${code}`)))
  })
  return {
    ...JSON.parse(first),
    pid: child.pid,
    lines,
    stop: () => new Promise(resolve => { child.once('exit', resolve); child.kill('SIGTERM') })
  }
}

// A command that is under way: its pid, its lines as they come, and what run() gives once it is over.
export function start (...args) {
  const child = spawn(binary, [...command, ...args.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const results = []
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => results.push(JSON.parse(line)))
  const late = setTimeout(() => child.kill('SIGKILL'), 60000)
  const done = new Promise(resolve => child.once('close', status => {
    clearTimeout(late)
    resolve({ status, results, last: results.at(-1) })
  }))
  return { pid: child.pid, lines, done }
}

export const run = (...args) => start(...args).done
