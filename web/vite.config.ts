// SPDX-License-Identifier: Apache-2.0
//
// Four files with names that stay, so that the program can carry them: dist is committed, and tests/web builds it anew and
// compares. `npm run dev` serves the sources in front of a running node (GHMESH_ADMIN, by default 127.0.0.1:8417).

import process from 'node:process'
import { defineConfig } from 'vite'

const node = `http://${process.env.GHMESH_ADMIN ?? '127.0.0.1:8417'}`
const words = 'SPDX-License-Identifier: Apache-2.0. Built from web/src; uPlot is MIT, see /licences.txt'

export default defineConfig({
  plugins: [{
    name: 'licence',
    generateBundle: (_, bundle) => {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') file.code = `/*! ${words} */\n${file.code}`
        else if (file.fileName.endsWith('.css')) file.source = `/*! ${words} */\n${file.source}`
      }
    }
  }],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: 'page.js', assetFileNames: info => info.names.some(name => name.endsWith('.css')) ? 'page.css' : '[name][extname]' }
    }
  },
  server: { proxy: { '/api': { target: node, changeOrigin: true, headers: { origin: node } }, '/metrics': { target: node, changeOrigin: true } } }
})
