// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "base/clock.hpp"

// Deadlines of many small things: armed freely, and whoever is called looks whether its time has really come. Private
// to the room.

namespace ghmesh::mesh {

template <typename Id>
class Timers {
 public:
  void arm(TimePoint when, const Id& id) { queue_.emplace(when, id); }
  TimePoint next() const { return queue_.empty() ? TimePoint::max() : queue_.begin()->first; }
  // The next that is still waited for; those before it are forgotten, so that nobody wakes for what has ended.
  template <typename Waits>
  TimePoint next(const Waits& waits) {
    while (!queue_.empty() && !waits(queue_.begin()->first, queue_.begin()->second)) queue_.erase(queue_.begin());
    return next();
  }
  // Those whose time has come.
  std::vector<Id> take_due(TimePoint now) {
    std::vector<Id> due;
    while (!queue_.empty() && queue_.begin()->first <= now) {
      due.push_back(queue_.begin()->second);
      queue_.erase(queue_.begin());
    }
    return due;
  }

 private:
  std::multimap<TimePoint, Id> queue_;
};

}  // namespace ghmesh::mesh
