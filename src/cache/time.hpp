// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

// One instant on both clocks. Time spent in the cache is measured on both and the longer counts: a wall clock set back
// does not revive an expired answer, and a suspended machine, whose monotonic clock stood still, does not keep it
// young.

namespace ghmesh::cache {

struct Now {
  TimePoint steady;
  WallTime wall;

  static Now of(const Clock& clock) { return {clock.now(), clock.wall_now()}; }
};

}  // namespace ghmesh::cache
