// SPDX-License-Identifier: Apache-2.0
//
// Finds the program: the input, GHMESH_BIN, PATH, or a release: the one that inputs or variables name, or this revision's
// own. What earlier jobs of this machine have downloaded is taken again.

import * as core from '@actions/core'
import * as tools from '@actions/tool-cache'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import * as path from 'node:path'

const HEX = /^[0-9a-f]{64}$/

function executable (file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.X_OK)
    return fs.statSync(file).isFile()
  } catch {
    return false
  }
}

function onPath (name: string): string | undefined {
  return (process.env.PATH ?? '').split(path.delimiter).filter(Boolean)
    .map(folder => path.join(folder, name)).find(executable)
}

export function architecture (): string {
  return process.arch === 'x64' ? 'amd64' : process.arch
}

// One checksum, or "amd64=… arm64=…".
export function wantedSum (text: string, arch: string): string | undefined {
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const [name, value] = word.includes('=') ? word.split('=', 2) : [arch, word]
    if (name === arch && value !== undefined) return value.toLowerCase()
  }
  return undefined
}

const sumOf = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex')

async function download (template: string, sums: string): Promise<string> {
  const arch = architecture()
  const url = template.replaceAll('{arch}', arch).replaceAll('{os}', 'linux')
  if (!/^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/])/.test(url)) throw new Error(`release-url must begin with https://, not ${url}`)
  const want = wantedSum(sums, arch)
  if (want === undefined || !HEX.test(want)) throw new Error(`release-sha256 has no SHA-256 for ${arch}; a program without one is not run`)
  // The checksum is the version: what is found under it is what was asked for.
  const version = `0.0.0-${want.slice(0, 40)}`
  const kept = tools.find('ghmesh', version)
  if (kept !== '' && sumOf(path.join(kept, 'ghmesh')) === want) return path.join(kept, 'ghmesh')
  const file = await tools.downloadTool(url)
  try {
    const got = sumOf(file)
    if (got !== want) throw new Error(`${url} has the SHA-256 ${got}, not ${want}; it is not run`)
    fs.chmodSync(file, 0o755)
    return path.join(await tools.cacheFile(file, 'ghmesh', 'ghmesh', version), 'ghmesh')
  } finally {
    fs.rmSync(file, { force: true })
  }
}

// A released revision of the action says where its program is and what it must be (tools/dist index).
function ownRelease (): Record<string, string> {
  let text: string
  try {
    text = fs.readFileSync(path.join(__dirname, '../release.env'), 'utf8')
  } catch {
    return {}
  }
  return Object.fromEntries(text.split('\n').filter(line => /^\w+=/.test(line)).map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
}

export async function findProgram (): Promise<string> {
  const named = core.getInput('binary') || (process.env.GHMESH_BIN ?? '')
  if (named !== '') {
    if (!executable(named)) throw new Error(`${named} is no program (input binary, GHMESH_BIN)`)
    return path.resolve(named)
  }
  const found = onPath('ghmesh')
  if (found !== undefined) return found
  const url = core.getInput('release-url') || (process.env.GHMESH_RELEASE_URL ?? '')
  if (url !== '') return await download(url, core.getInput('release-sha256') || (process.env.GHMESH_RELEASE_SHA256 ?? ''))
  const own = ownRelease()
  if (own.url === undefined) throw new Error('ghmesh is not on PATH and this is no released revision of the action; give the inputs release-url and release-sha256, or binary')
  return await download(own.url, own.sha256 ?? '')
}
