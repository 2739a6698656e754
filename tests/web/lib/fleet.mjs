// SPDX-License-Identifier: Apache-2.0
//
// Five nodes before one GitHub, and clients with two tokens that ask them.

import { request } from '../../e2e/lib/http.mjs'
import { startMesh } from '../../e2e/lib/mesh.mjs'
import { newToken, startStandin } from '../../e2e/lib/processes.mjs'

const REPO = '/repos/octo-org/repo-1'
const PATHS = ['', '/labels', '/branches', '/issues', '/commits', '/pulls', '/contributors', '/releases'].map(end => REPO + end)

export async function startFleet (scratch) {
  const tokens = [newToken(), newToken()]
  const standin = await startStandin(scratch, { tokens: Object.fromEntries(tokens.map((token, i) => [token, { login: `user-${i}`, everything: true }])) })
  const { nodes, secret, contacts } = await startMesh(scratch, standin.http, 5)
  let asked = 0
  // Half of all pairs of node and path, with either token; the next round has the other half.
  async function round (number) {
    const work = []
    nodes.forEach((node, i) => PATHS.forEach((path, j) => {
      if ((i + j + number) % 2 === 0) work.push(request(node.url, path, { token: tokens[(i + j + number) % 4 < 2 ? 0 : 1] }))
    }))
    asked += work.length
    await Promise.all(work)
  }
  return { standin, nodes, secret, contacts, tokens, round, asked: () => asked }
}
