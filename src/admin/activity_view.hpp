// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Where time and quota went, as /api/activity shows it (doc/formats/events.md). Values only.

namespace ghmesh::admin {

struct ActivityClass {
  std::string name;
  std::vector<std::pair<std::string, std::uint64_t>> answers;  // kinds that occurred
  std::uint64_t requests = 0;
  double hit_rate = 0;
  std::uint64_t upstream_calls = 0;
  std::uint64_t charged = 0;
  std::uint64_t direct = 0;
  double seconds = 0;                  // of all answers
  std::vector<std::uint64_t> latency;  // one for each bound, and one beyond
};

struct ActivityRequest {
  std::string method, path, answer, cls;
  int status = 0;
  double seconds = 0;
  std::int64_t at = 0;  // Unix milliseconds
};

struct ActivityCost {
  std::string method, path, cls;
  std::uint64_t requests = 0;
  std::uint64_t charged = 0;
  std::uint64_t error = 0;
};

// Whether the node can prove answers of a kind of resource.
struct ActivityProof {
  std::string host, cls, media_type;
  std::string state;  // learning, proven, tripped
  std::uint64_t matches = 0;
  std::uint64_t mismatches = 0;
  double retry_in = 0;  // seconds, of a tripped one
};

struct ActivityView {
  std::vector<double> latency_bounds;  // seconds
  std::vector<ActivityClass> classes;
  std::vector<ActivityRequest> slowest;
  std::vector<ActivityCost> costliest;
  std::vector<ActivityProof> proofs = {};
};

// One line with its newline. Without paths the two lists of requests are left out.
std::string to_json(const ActivityView& view, bool with_paths);

}  // namespace ghmesh::admin
