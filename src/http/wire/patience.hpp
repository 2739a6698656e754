// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

// The one rule by which HTTP/1.1 and HTTP/2 judge who is too slow, whichever way the octets go: a side that stalls for
// longer than it may, and one that only moves enough to hold what it has.

namespace ghmesh::http::wire {

// Octets a second below which the other side only wants to hold its connection.
inline constexpr std::size_t kMinRate = 1024;

// How long the other side is still waited for. Waiting for it uses patience up, and octets that moved give some back at
// kMinRate, to no more than there was at first.
class Patience {
 public:
  explicit Patience(Duration most) : most_(std::chrono::duration_cast<TimePoint::duration>(most)), left_(most_) {}

  // Begins to wait for the other side, or goes on.
  void waits(TimePoint now) {
    if (!since_) since_ = now;
  }
  // The other side is not what is waited for.
  void rests(TimePoint now) {
    spend(now);
    since_.reset();
  }
  void moved(std::size_t octets, TimePoint now) {
    spend(now);
    left_ = std::min(most_, left_ + std::chrono::duration_cast<TimePoint::duration>(std::chrono::seconds(1)) *
                                        static_cast<std::int64_t>(octets) / static_cast<std::int64_t>(kMinRate));
  }
  // When it is used up; never while nobody waits.
  TimePoint ends() const { return since_ ? *since_ + left_ : TimePoint::max(); }

 private:
  void spend(TimePoint now) {
    if (!since_) return;
    left_ -= now - *since_;
    since_ = now;
  }

  TimePoint::duration most_;
  TimePoint::duration left_;
  std::optional<TimePoint> since_;
};

}  // namespace ghmesh::http::wire
