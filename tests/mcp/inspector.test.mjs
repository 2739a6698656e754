// SPDX-License-Identifier: Apache-2.0
//
// The MCP inspector's command line lists and calls, over both transports.

import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { BIN, world } from '../e2e/lib/processes.mjs'

const INSPECTOR = fileURLToPath(new URL('node_modules/@modelcontextprotocol/inspector/cli/build/cli.js', import.meta.url))

for (const kind of ['http', 'stdio']) {
  test(`${kind}: the inspector lists and calls`, async t => {
    const { scratch, node, token } = await world(t)
    const inspect = async (...words) => {
      const target = kind === 'http'
        ? [`http://${node.ready.admin}/mcp`, '--transport', 'http', '--header', `Authorization: Bearer ${token}`]
        : ['-e', `GH_TOKEN=${token}`, BIN, 'mcp', '--ready-file', node.readyFile]
      const { code, text, stderr } = await scratch.run('node', ['--no-warnings', INSPECTOR, '--cli', ...target, ...words], { timeout: 60_000 })
      assert.equal(code, 0, stderr)
      return JSON.parse(text)
    }
    const { tools } = await inspect('--method', 'tools/list')
    assert.ok(tools.length === 8 && tools.every(tool => tool.outputSchema))
    const got = await inspect('--method', 'tools/call', '--tool-name', 'github_get', '--tool-arg', 'path=/repos/octo-org/repo-1')
    assert.equal(got.structuredContent.body.full_name, 'octo-org/repo-1')
    const { resources } = await inspect('--method', 'resources/list')
    assert.equal(resources.length, 3)
    const { prompts } = await inspect('--method', 'prompts/list')
    assert.equal(prompts.length, 2)
  })
}
