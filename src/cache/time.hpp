// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.hpp"

// One instant on both clocks. Time spent in the cache is measured on both and the longer counts: a wall clock set back
// does not revive an expired answer, and a suspended machine, whose monotonic clock stood still, does not keep it
// young.

namespace ghmesh::cache {

// A random odd number of this process. It tells whose monotonic clock a stored time belongs to.
std::uint64_t process_run();

struct Now {
  TimePoint steady;
  WallTime wall;
  // Records made under another number are aged by the wall clock alone.
  std::uint64_t run = process_run();

  static Now of(const Clock& clock, std::uint64_t run = process_run()) { return {clock.now(), clock.wall_now(), run}; }
};

}  // namespace ghmesh::cache
