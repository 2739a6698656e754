// SPDX-License-Identifier: Apache-2.0
#include "io/manual_loop.hpp"

namespace ghmesh::io {

void ManualLoop::run_until_idle(std::size_t max_batches) {
  for (std::size_t batch = 0;; ++batch) {
    GHMESH_CHECK(batch < max_batches);
    const bool fired = fire_timers(now());
    if (!run_batch() && !fired) return;
  }
}

void ManualLoop::advance(Duration by) {
  const TimePoint end = now() + std::chrono::duration_cast<TimePoint::duration>(by);
  run_until_idle();
  while (next_timer() <= end) {
    clock_.advance(next_timer() - now());
    run_until_idle();
  }
  clock_.advance(end - now());
}

bool ManualLoop::run_until(const std::function<bool()>& done, Duration limit) {
  const TimePoint end = now() + std::chrono::duration_cast<TimePoint::duration>(limit);
  while (!done()) {
    if (fire_timers(now()) || run_batch()) continue;
    if (next_timer() > end) return done();
    clock_.advance(next_timer() - now());
  }
  return true;
}

}  // namespace ghmesh::io
