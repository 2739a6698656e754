// SPDX-License-Identifier: Apache-2.0
//
// The end of the job: `ghmesh stop` drains the node, writes the job summary and takes everything back. Never fails a job.

import * as core from '@actions/core'
import { spawnSync } from 'node:child_process'

const program = core.getState('program')
if (program === '') {
  core.info('no node was started, so none is stopped')
} else {
  const stop = spawnSync(program, ['stop'], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (stop.error !== undefined) core.warning(`the node could not be stopped: ${stop.error.message}`, { title: 'ghmesh' })
  else if (stop.status !== 0) core.warning(`ghmesh stop ended with ${String(stop.status ?? stop.signal)}`, { title: 'ghmesh' })
}
