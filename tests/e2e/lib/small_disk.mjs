// SPDX-License-Identifier: Apache-2.0
//
// A file system of its own for one node, as small as a test likes: a tmpfs in a mount namespace, which nobody else sees
// and which ends with the node. Root only.

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import process from 'node:process'

// Why there can be none here; '' if there can.
export function whyNoSmallDisk () {
  if (process.getuid() !== 0) return 'mounting needs root'
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' })
    return ''
  } catch {
    return 'no tmpfs can be mounted here'
  }
}

// For startNode's `under`.
export function onSmallDisk (dir, size) {
  fs.mkdirSync(dir, { recursive: true })
  return ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o "size=$1" tmpfs "$0" && shift && exec "$@"', dir, size]
}

export function resizeDisk (pid, dir, size) {
  execFileSync('nsenter', ['-t', String(pid), '-m', 'mount', '-o', `remount,size=${size}`, dir])
}

// Bodies that no coding makes smaller, under paths of their own.
export async function makeBulky (standin, count, bytes) {
  const paths = Array.from({ length: count }, (_, i) => `/repos/octo-org/repo-1/issues/${i + 1}`)
  for (const path of paths) await standin.set(path, { url: path, body: randomBytes(bytes).toString('base64') })
  return paths
}
