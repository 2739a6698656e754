// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "github/pacing.hpp"

// When a node tells the keeper of a shared token what it sent and what waits (Pacer::demand): at once if a request
// waits behind all that the keeper has heard of; else the changes of a moment go together; and from time to time while
// this node wants to hear of the token's limits. One token; pure; one thread.

namespace ghmesh::github {

class DemandReport {
 public:
  // Between two reports, unless something new waits for leave: a burst is one, and a steady pace of twelve a second is
  // not three dozen.
  static constexpr Duration kEvery = std::chrono::milliseconds(20);
  // While the token is used, or its limits are shown, the keeper knows at least this often that this node listens.
  static constexpr Duration kRefresh = std::chrono::seconds(5);
  static constexpr Duration kListens = std::chrono::minutes(1);

  // A request is about to wait, or an answer made here shows the token's limits.
  void used(TimePoint now) { used_ = now; }
  bool listens(TimePoint now) const { return now - used_ <= kListens; }

  void changed(const Demand& demand, TimePoint now) {
    // All that the keeper knows of has gone: the next one waits for this report only.
    const bool is_urgent = demand.waiting > 0 && demand.sent >= told_;
    due_ = std::min(due_, is_urgent ? now : std::max(now, said_ + kEvery));
  }
  // Nothing was said for so long that it is time to: as after a change.
  bool refreshes(TimePoint now) const { return listens(now) && now - said_ >= kRefresh; }

  // TimePoint::max(): there is nothing to say.
  TimePoint due() const { return due_; }
  void said(const Demand& demand, TimePoint now) {
    due_ = TimePoint::max();
    said_ = now;
    told_ = demand.sent + demand.waiting;
  }

 private:
  TimePoint used_{};
  TimePoint said_{};
  TimePoint due_ = TimePoint::max();
  std::uint64_t told_ = 0;  // as far as the count may come, as the keeper knows
};

}  // namespace ghmesh::github
