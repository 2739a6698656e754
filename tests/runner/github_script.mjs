// SPDX-License-Identifier: Apache-2.0
//
// What actions/github-script does with its input: the script as the body of a function, `github` from @actions/github,
// which takes its proxy from the environment as the action's own bundle does.

import process from 'node:process'
import * as core from '@actions/core'
import { context, getOctokit } from '@actions/github'

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor
try {
  const github = getOctokit(core.getInput('github-token', { required: true }))
  const value = await new AsyncFunction('github', 'context', 'core', core.getInput('script', { required: true }))(github, context, core)
  if (value !== undefined) core.setOutput('result', value)
} catch (error) {
  core.setFailed(`Unhandled error: ${error}`)
}
process.exit()
