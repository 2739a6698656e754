// SPDX-License-Identifier: Apache-2.0
//
// Octokit outside of an action: fetch heeds no proxy by itself, so its user gives it undici's agent, which reads the
// environment.

import { Octokit } from '@octokit/rest'
import { EnvHttpProxyAgent, fetch } from 'undici'

const dispatcher = new EnvHttpProxyAgent()
const octokit = new Octokit({ auth: process.env.GH_TOKEN, request: { fetch: (url, options) => fetch(url, { ...options, dispatcher }) } })
const [owner, repo] = process.env.GITHUB_REPOSITORY.split('/')
const { data } = await octokit.rest.repos.get({ owner, repo })
const labels = await octokit.paginate(octokit.rest.issues.listLabelsForRepo, { owner, repo })
console.log('octokit', data.full_name, labels.length)
await dispatcher.close()
