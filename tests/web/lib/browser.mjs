// SPDX-License-Identifier: Apache-2.0
//
// Debian's Chromium, with nothing of its user's and no wish to call home, and a page in it that is watched: what it says on
// its console, and every address it asks for.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright-core'

const BINARIES = [process.env.GHMESH_CHROMIUM, '/usr/bin/chromium'].filter(Boolean)
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage']

export async function startBrowser (t, { args = [] } = {}) {
  const executablePath = BINARIES.find(binary => fs.existsSync(binary))
  if (!executablePath) throw new Error('there is no Chromium: tools/deps.sh installs it, GHMESH_CHROMIUM names another')
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'ghmesh-web-'))
  const context = await chromium.launchPersistentContext(path.join(home, 'profile'), {
    executablePath, headless: true, args: [...FLAGS, ...args], env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', TZ: 'UTC' }
  })
  t.after(async () => {
    await context.close()
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  })
  return context
}

// A page, and what it did: `complaints` are errors on its console or thrown; `asked` every URL.
export async function watchedPage (context, { viewport = { width: 1280, height: 900 }, colorScheme = 'light' } = {}) {
  const page = await context.newPage()
  await page.setViewportSize(viewport)
  await page.emulateMedia({ colorScheme })
  const seen = { complaints: [], asked: [] }
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) seen.complaints.push(message.text()) })
  page.on('pageerror', error => seen.complaints.push(String(error)))
  page.on('request', request => seen.asked.push(request.url()))
  return { page, seen }
}
