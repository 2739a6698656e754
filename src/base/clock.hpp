// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

// Time comes in as an argument. Durations and deadlines use the monotonic clock (a jump of the wall clock must not
// revive an expired entry); the wall clock is for dates in messages and certificates only.

namespace ghmesh {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

using namespace std::chrono_literals;

// Any thread may ask. now() of a test's clock stands still until the test moves it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const override { return std::chrono::system_clock::now(); }
};

// Starts at a fixed date (2026-01-01T00:00:00Z) so that failures reproduce. One thread.
class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall_now() const override { return wall_; }
  void advance(Duration by) {
    now_ += std::chrono::duration_cast<TimePoint::duration>(by);
    wall_ += std::chrono::duration_cast<WallTime::duration>(by);
  }
  // A step of the wall clock alone, as an administrator or a resumed machine makes it.
  void step_wall(Duration by) { wall_ += std::chrono::duration_cast<WallTime::duration>(by); }

 private:
  TimePoint now_ = TimePoint(std::chrono::hours(1));
  WallTime wall_ = WallTime(std::chrono::seconds(1767225600));
};

}  // namespace ghmesh
