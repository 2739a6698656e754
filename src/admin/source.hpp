// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/activity_view.hpp"
#include "admin/mesh_view.hpp"
#include "base/result.hpp"
#include "io/task.hpp"

// What the admin listener shows, as values, and the interface by which a node gives them: admin knows neither the proxy
// nor the mesh. Every number is counted where it happens. Loop thread.

namespace ghmesh::admin {

// The numbers of one token and resource, as the origin last said them.
struct QuotaRow {
  std::string token;  // a fingerprint; never the token
  std::string resource;
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  std::int64_t used = 0;
  std::int64_t reset = 0;  // Unix seconds
  std::uint64_t spent_by_this_node = 0;
  std::int64_t spent_by_members = 0;  // of the mesh, besides this node
  std::int64_t spent_by_others = 0;   // used, less all of the above: whoever asks the origin directly
  // At the pace of this window so far: what will be left at reset (may be negative), and when nothing is left. Nothing
  // while too little was seen.
  std::optional<std::int64_t> forecast_remaining;
  std::optional<std::int64_t> empty_at;  // Unix seconds
  // spent_by_this_node by class of request, those that are not 0.
  std::vector<std::pair<std::string, std::uint64_t>> spent_by_class = {};
  // spent_by_members by peer id, as each last said.
  std::vector<std::pair<std::string, std::int64_t>> spent_by_member = {};
};

// Sums over the live members of a mesh, each counted once.
struct Fleet {
  std::uint64_t members = 0;
  std::uint64_t requests = 0;
  std::uint64_t charged_calls = 0;
  std::int64_t calls_saved = 0;
  std::uint64_t peer_hits = 0;
  std::uint64_t peer_proofs = 0;
  std::uint64_t upstream_calls = 0;
  std::uint64_t free_304s = 0;
};

struct Stats {
  std::optional<std::string> peer_id;
  std::vector<std::string> listen_addrs;
  std::uint64_t connected_peers = 0;
  double uptime_seconds = 0;
  std::uint64_t requests = 0;
  std::uint64_t local_hits = 0;
  std::uint64_t peer_hits = 0;
  std::uint64_t proofs = 0;
  std::uint64_t peer_proofs = 0;
  std::uint64_t collapsed = 0;
  std::uint64_t stale_served = 0;
  std::uint64_t misses = 0;
  std::uint64_t bypassed = 0;
  std::uint64_t upstream_calls = 0;
  std::uint64_t charged_calls = 0;
  std::uint64_t free_304s = 0;
  // Requests that a direct client would have been charged for, less charged_calls; negative if we spent more.
  std::int64_t calls_saved = 0;
  std::uint64_t bytes_from_peers = 0;
  std::uint64_t bytes_to_peers = 0;
  std::uint64_t entries = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t evictions = 0;
  std::uint64_t expirations = 0;
  std::uint64_t invalidations = 0;
  std::uint64_t errors = 0;
  std::vector<QuotaRow> quota;
  std::optional<Fleet> fleet;
  std::string proof_state;  // a word

  // Answers from something that was held or proved, of all requests; 0 while there are none.
  double hit_rate() const;
};

// What would happen to a request, as named facts in reading order.
using Explanation = std::vector<std::pair<std::string, std::string>>;

// A request that is asked about.
struct Explained {
  std::string target;                        // origin-form or a URL
  std::optional<std::string> authorization;  // as a client would send it
  std::optional<std::string> accept;         // nothing: GitHub's default, or what clients have asked with
};

class AdminSource {
 public:
  virtual ~AdminSource() = default;

  // Why the node should get no traffic now (draining, upstream misconfigured); nothing if it should.
  virtual std::optional<std::string> not_ready() const = 0;
  virtual Stats stats() const = 0;
  virtual std::vector<QuotaRow> quota() const = 0;
  virtual ActivityView activity() const = 0;
  // Malformed, Unsupported.
  virtual io::Task<Result<Explanation>> explain(Explained request) = 0;
  // Drops what pattern (a path, /repos/OWNER/REPO/*, or *) names, on members of the mesh too if asked; how many here.
  virtual io::Task<Result<std::uint64_t>> purge(std::string pattern, bool mesh) = 0;
  // A node that can join no mesh says so.
  virtual MeshView mesh() const { return {.why_none = "this node joins no mesh"}; }
  // Tries what the node can try by itself; takes some seconds at most.
  virtual io::Task<std::vector<Check>> verify() {
    co_return std::vector<Check>{{.name = "mesh", .ok = false, .detail = *mesh().why_none}};
  }
};

// One line of JSON each, with its newline; members in the order above.
std::string to_json(const Stats& stats);
std::string to_json(const std::vector<QuotaRow>& rows);  // {"quota":[…]}
std::string to_json(const Explanation& explanation);     // {"name":"value",…}

}  // namespace ghmesh::admin
