// SPDX-License-Identifier: Apache-2.0
// octokit.mjs: @octokit/rest with undici's proxy agent, then @actions/github, which finds the proxy by itself. Both with
// the API's own address, as in a job. What they got as JSON on stdout.
import process from 'node:process'
import { getOctokit } from '@actions/github'
import { Octokit } from '@octokit/rest'
import { ProxyAgent, fetch } from 'undici'

const token = process.env.TOKEN
// @actions/github looks there by itself.
const where = process.env.GITHUB_API_URL ? { baseUrl: process.env.GITHUB_API_URL } : {}
const what = { owner: 'octo-org', repo: 'repo-1' }
const dispatcher = new ProxyAgent(process.env.HTTPS_PROXY)
const octokit = new Octokit({ auth: token, ...where, request: { fetch: (url, options) => fetch(url, { ...options, dispatcher }) } })
const one = await octokit.rest.issues.get({ ...what, issue_number: 2 })
const pages = await octokit.paginate(octokit.rest.issues.listForRepo, { ...what, per_page: 10 })
const actions = getOctokit(token)
const two = await actions.rest.issues.get({ ...what, issue_number: 2 })
process.stdout.write(JSON.stringify({ one: one.data, pages: pages.length, two: two.data, url: one.url, status: two.headers['cache-status'] }))
await dispatcher.close()
