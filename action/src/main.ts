// SPDX-License-Identifier: Apache-2.0
//
// The action's step: finds the program and lets `ghmesh init` do the rest, which writes variables and outputs itself.
// A cache that cannot be had is a warning: the job runs as without one, unless `strict` says otherwise.

import * as core from '@actions/core'
import { spawnSync } from 'node:child_process'
import { flagsOf } from './flags'
import { findProgram } from './program'

async function main (): Promise<void> {
  const strict = core.getBooleanInput('strict')
  try {
    const environment = { ...process.env }
    const secret = core.getInput('secret')
    if (secret !== '') {
      core.setSecret(secret)
      // By the environment: arguments can be read by every user of the machine.
      environment.GHMESH_SECRET = secret
    }
    const token = core.getInput('github-token')
    if (token !== '') {
      core.setSecret(token)
      environment.GITHUB_TOKEN = token
    }
    const program = await findProgram()
    core.saveState('program', program)
    const init = spawnSync(program, ['init', ...flagsOf(core.getInput, strict)], { env: environment, stdio: ['ignore', 'inherit', 'inherit'] })
    if (init.error !== undefined) throw init.error
    if (init.status !== 0) throw new Error(`ghmesh init ended with ${String(init.status ?? init.signal)}; its own line says why`)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (strict) core.setFailed(why)
    else core.warning(`no cache for this job: ${why}; it runs as without one`, { title: 'ghmesh' })
  }
}

void main()
