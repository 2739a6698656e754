// SPDX-License-Identifier: Apache-2.0
#include "cache/policy.hpp"

namespace ghmesh::cache {

FreshnessPolicy http_policy(Partition partition, const HttpSwitches& switches) {
  FreshnessPolicy policy;
  policy.partition = partition;
  policy.heuristics = switches.heuristics;
  policy.targeted = switches.targeted;
  policy.stale_when_disconnected = switches.stale_when_disconnected;
  return policy;
}

}  // namespace ghmesh::cache
