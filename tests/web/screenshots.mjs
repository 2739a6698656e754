// SPDX-License-Identifier: Apache-2.0
//
// The pictures of doc/pictures: the dashboard of a fleet of five at work, light, dark and on a phone. By hand, when the page
// has changed:   node tests/web/screenshots.mjs [OUTPUT DIRECTORY]

import fs from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Scratch } from '../e2e/lib/processes.mjs'
import { startBrowser, watchedPage } from './lib/browser.mjs'
import { startFleet } from './lib/fleet.mjs'

const out = path.resolve(process.argv[2] ?? fileURLToPath(new URL('../../doc/pictures', import.meta.url)))
fs.mkdirSync(out, { recursive: true })
const ends = []
const owner = { after: end => ends.unshift(end) }
try {
  const scratch = new Scratch(owner)
  const fleet = await startFleet(scratch)
  const { page } = await watchedPage(await startBrowser(owner))
  await page.goto(`http://${fleet.nodes[0].admin}/`)
  // A picture of work, not of a race: some two minutes in which rounds come now thicker, now thinner.
  for (let i = 0; i < 260; ++i) {
    await fleet.round(i)
    await sleep(250 + 200 * Math.sin(i / 17))
  }
  let working = true
  const work = (async () => { for (let i = 0; working; ++i) await Promise.all([fleet.round(i), sleep(250)]) })()
  const shots = [['light', 1280, 1400, 'light'], ['dark', 1280, 1400, 'dark'], ['phone', 390, 1400, 'light']]
  for (const [name, width, height, colorScheme] of shots) {
    await page.setViewportSize({ width, height })
    await page.emulateMedia({ colorScheme })
    await page.waitForResponse(/api\/activity/)
    await sleep(400) // widths glide
    await page.screenshot({ path: path.join(out, `dashboard-${name}.png`) })
  }
  working = false
  await work
} finally {
  for (const end of ends) await end()
}
