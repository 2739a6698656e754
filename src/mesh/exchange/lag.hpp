// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "base/clock.hpp"

// How late this node itself comes to its own deadlines. What lies in its sockets meanwhile was not late, and a machine
// that has no time for us often has none for the others on it: so their deadlines are moved by as much again. Zero
// where nothing lags, as in virtual time. Private to the room; one thread.

namespace ghmesh::mesh {

class Lag {
 public:
  // Called with every tick: by how much it came after the deadline that it was for.
  void note(Duration late, TimePoint now) {
    if (now - window_began_ >= kWindow) {
      before_ = now - window_began_ >= 2 * kWindow ? Duration::zero() : worst_;
      worst_ = Duration::zero();
      window_began_ = now;
    }
    if (late >= kNoticed) worst_ = std::max(worst_, late);
  }
  // What every deadline for somebody else's answer is longer now.
  Duration slack() const { return std::min(kTimes * std::max(before_, worst_), kMost); }

 private:
  static constexpr Duration kWindow = std::chrono::seconds(1);
  // Less is a busy machine's ordinary rounding.
  static constexpr Duration kNoticed = std::chrono::milliseconds(4);
  static constexpr int kTimes = 4;
  static constexpr Duration kMost = std::chrono::seconds(2);

  TimePoint window_began_{};
  Duration worst_{};
  Duration before_{};
};

}  // namespace ghmesh::mesh
