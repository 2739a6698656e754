// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/loop.hpp"

namespace ghmesh::io {

// A loop without sockets whose clock only the test moves: the same code as on the real loop, but every run is the same.
// Days pass in microseconds. One thread; post_from_any_thread is post.
class ManualLoop final : public Loop {
 public:
  const Clock& clock() const override { return clock_; }
  ManualClock& manual_clock() { return clock_; }
  void post_from_any_thread(std::move_only_function<void()> action) override { post(std::move(action)); }

  // Runs until nothing is ready at this instant. Dies after max_batches: something spins.
  void run_until_idle(std::size_t max_batches = 1'000'000);
  // Moves the clock by that much, stopping at every timer on the way.
  void advance(Duration by);
  // Runs, moving the clock from timer to timer, until done() or until nothing is left to wait for or limit of virtual
  // time has passed. Returns done().
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::hours(1));

 private:
  ManualClock clock_;
};

}  // namespace ghmesh::io
