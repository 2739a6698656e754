// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/metrics.hpp"

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

class Stats {
 public:
  explicit Stats(metrics::Registry& registry);

  void count_answer(AnswerKind kind, double seconds);
  std::uint64_t answers(AnswerKind kind) const { return answers_[static_cast<int>(kind)]->value(); }
  std::uint64_t requests() const;

  metrics::Counter& upstream_calls;
  metrics::Counter& charged_calls;
  metrics::Counter& free_304s;
  metrics::Counter& direct_calls;  // what the same requests would have cost clients that ask GitHub themselves
  metrics::Counter& invalidations;
  metrics::Counter& expirations;  // requests whose stored answer was no longer fresh
  metrics::Counter& upstream_errors;
  metrics::Counter& client_errors;
  metrics::Counter& tunnels;
  metrics::Counter& refused;

 private:
  metrics::Counter* answers_[kAnswerKinds];
  metrics::Histogram* latency_[kAnswerKinds];
};

}  // namespace ghmesh::proxy
