// SPDX-License-Identifier: Apache-2.0
//
// What the node tells: doc/operating.md and doc/formats/events.md.

export interface Quota {
  token: string
  resource: string
  limit: number
  remaining: number
  used: number
  reset: number
  spent_by_this_node: number
  spent_by_members: number
  spent_by_others: number
  forecast_remaining: number | null
  empty_at: number | null
}

export interface Stats {
  peer_id: string | null
  listen_addrs: string[]
  uptime_seconds: number
  requests: number
  local_hits: number
  peer_hits: number
  proofs: number
  peer_proofs: number
  collapsed: number
  stale_served: number
  misses: number
  bypassed: number
  errors: number
  charged_calls: number
  calls_saved: number
  entries: number
  memory_bytes: number
  disk_bytes: number
  bytes_from_peers: number
  bytes_to_peers: number
  quota: Quota[]
  fleet: { members: number, requests: number, charged_calls: number, calls_saved: number } | null
  proof_state: string
}

export interface Peer {
  peer_id: string
  address: string
  direction: string
  rtt_ms: number | null
  state: string
  role: string
  partitions: number
  bytes_in: number
  bytes_out: number
  score: number
  requests: number | null
  charged_calls: number | null
}

export interface Mesh {
  mesh: boolean
  why_none: string | null
  peer_id: string | null
  addresses: string[]
  partitions: number
  peers: Peer[]
  contacts: { address: string, source: string, failures: number, error: string }[]
}

export interface Activity {
  latency_bounds: number[]
  classes: {
    class: string
    requests: number
    hit_rate: number
    charged_calls: number
    calls_saved: number
    latency: { counts: number[], sum: number }
  }[]
  proofs: { host: string, class: string, media_type: string, state: string, matches: number, mismatches: number, retry_in_seconds: number }[]
  slowest?: { method: string, path: string, answer: string, status: number, seconds: number, at: number }[]
  costliest?: { method: string, path: string, class: string, upstream_requests: number, charged_calls: number, charged_error: number }[]
}

export interface NodeEvent {
  at: number
  [member: string]: unknown
}

export async function get<T> (path: string): Promise<T> {
  const answer = await fetch(path, { signal: AbortSignal.timeout(5000) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return await answer.json() as T
}
