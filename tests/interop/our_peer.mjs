// SPDX-License-Identifier: Apache-2.0
// ghmesh's developer command as a child process.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const binary = process.env.GHMESH_P2P_DEV
if (binary == null) throw new Error('GHMESH_P2P_DEV must name the ghmesh_p2p_dev program')

export async function listen (...options) {
  const child = spawn(binary, ['listen', ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const first = await new Promise((resolve, reject) => {
    lines.once('line', resolve)
    child.once('exit', code => reject(new Error(`listen ended with ${code}`)))
  })
  return {
    ...JSON.parse(first),
    pid: child.pid,
    stop: () => new Promise(resolve => { child.once('exit', resolve); child.kill('SIGTERM') })
  }
}

export async function run (...args) {
  const child = spawn(binary, args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
  const results = []
  createInterface({ input: child.stdout }).on('line', line => results.push(JSON.parse(line)))
  const status = await new Promise(resolve => child.once('close', resolve))
  return { status, results, last: results.at(-1) }
}
