// SPDX-License-Identifier: Apache-2.0
//
// GitHub's parser imports JSON the way bundlers do; Node wants an attribute for it. Imported before it, this gives it one.

import { register } from 'node:module'

const hooks = `
import { readFile } from 'node:fs/promises'
export async function load (url, context, next) {
  if (!url.endsWith('.json')) return next(url, context)
  return { format: 'module', shortCircuit: true, source: 'export default ' + await readFile(new URL(url), 'utf8') }
}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
