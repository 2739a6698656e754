// SPDX-License-Identifier: Apache-2.0
//
// The kinds of answers, the cheapest first: where each stands in the statistics, and its name. Every request is in exactly
// one of them. Colours are in style.css, chosen to be told apart by people who see fewer of them.

import type { Stats } from './api'

export interface Kind {
  id: string
  of: (stats: Stats) => number
  label: string
  note: string
}

export const KINDS: Kind[] = [
  { id: 'local', of: s => s.local_hits, label: 'held here', note: 'from memory or disk, no call' },
  { id: 'peer', of: s => s.peer_hits, label: 'from a peer', note: 'held by a peer for the same token, no call' },
  { id: 'proof', of: s => s.proofs, label: 'proved', note: 'held here, and a free 304 said that it is current' },
  { id: 'peer-proof', of: s => s.peer_proofs, label: 'peer, proved', note: 'a peer’s bytes, proved for this token by a free 304' },
  { id: 'collapsed', of: s => s.collapsed, label: 'waited', note: 'another request was fetching the same' },
  { id: 'stale', of: s => s.stale_served, label: 'stale', note: 'GitHub failed or the quota is spent' },
  { id: 'miss', of: s => s.misses, label: 'fetched', note: 'from GitHub, charged' },
  { id: 'bypass', of: s => s.bypassed, label: 'passed on', note: 'writes and what cannot be kept' },
  { id: 'error', of: s => s.errors, label: 'error', note: 'refused or failed at this node' }
]
