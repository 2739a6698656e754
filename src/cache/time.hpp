// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.hpp"

// One instant on both clocks. Time spent in the cache is measured on both and the longer counts: a wall clock set back
// does not revive an expired answer, and a suspended machine, whose monotonic clock stood still, does not keep it
// young.

namespace ghmesh::cache {

struct Now {
  TimePoint steady;
  WallTime wall;
  // Which run of the monotonic clock: records made under another number are aged by the wall clock alone. A random
  // number per process (or per boot, where the clock is the machine's); 0 if records never outlive the process in
  // memory.
  std::uint64_t run = 0;

  static Now of(const Clock& clock, std::uint64_t run = 0) { return {clock.now(), clock.wall_now(), run}; }
};

}  // namespace ghmesh::cache
