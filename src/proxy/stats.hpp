// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/metrics.hpp"
#include "github/resource.hpp"

// What the request path counts, where it happens (design: /api/stats). Each client request ends in exactly one kind of
// answer; each upstream call in exactly one of charged, free or unbilled. Loop thread.

namespace ghmesh::proxy {

enum class AnswerKind {
  MemoryHit,
  DiskHit,
  PeerHit,
  Proof,
  PeerProof,
  Stale,
  Miss,       // fetched (or found changed)
  Collapsed,  // waited for another request's fetch
  Bypass,
  Error,  // made here: 4xx/5xx of ours
};
std::string_view to_string(AnswerKind kind);
inline constexpr int kAnswerKinds = 10;

// github::ResourceClass for reads, in its order; then what has no class.
enum class RequestClass : std::uint8_t {
  Immutable,
  Volatile,
  Default,
  PerUser,
  NeverStore,
  Search,
  Download,
  GraphQl,
  Write,
  Other,  // other hosts, tunnels, requests that were refused
};
std::string_view to_string(RequestClass cls);
inline constexpr int kRequestClasses = 10;

// What one client request has cost so far.
struct Tally {
  std::uint32_t calls = 0;    // to the upstream
  std::uint32_t charged = 0;  // of those
  std::uint32_t direct = 0;   // what a client that asks GitHub itself would have been charged
  int upstream_status = 0;    // of the last answer; 0 without one
};

class Stats {
 public:
  explicit Stats(metrics::Registry& registry);

  void count_answer(AnswerKind kind, RequestClass cls, double seconds);
  // status 0: no usable answer came.
  void count_upstream(int status, double seconds);
  std::uint64_t answers(AnswerKind kind) const;
  std::uint64_t requests() const;

  metrics::Counter& upstream_calls;
  metrics::Counter& charged_calls;
  metrics::Counter& free_304s;
  metrics::Counter& direct_calls;  // what the same requests would have cost clients that ask GitHub themselves
  metrics::Counter& invalidations;
  metrics::Counter& expirations;  // requests whose stored answer was no longer fresh
  metrics::Counter& upstream_errors;
  metrics::Counter& client_errors;
  metrics::Counter& canaries;  // charged answers that had to show that the upstream tells tags apart
  metrics::Counter& tunnels;
  metrics::Counter& terminated;
  metrics::Counter& refused;

 private:
  metrics::Registry& registry_;
  std::array<std::array<metrics::Counter*, kRequestClasses>, kAnswerKinds> answers_;
  metrics::Histogram* latency_[kAnswerKinds];
  metrics::Histogram& upstream_latency_;
  std::map<int, metrics::Counter*> by_status_;  // 100 to 599 and 0: bounded by what a status may be
};

}  // namespace ghmesh::proxy
