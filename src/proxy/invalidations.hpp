// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "store/tiered_store.hpp"

// Which entries a write has made doubtful. Their bytes stay: a free 304 may well find them current; but until GitHub
// has been asked again they are not fresh, whatever their age. Kept as the time of the last write per group; the time
// of the very last one also lies in the store, so that after a restart everything older is asked about once. Loop
// thread.

namespace ghmesh::proxy {

class Invalidations {
 public:
  Invalidations(store::TieredStore& store, const store::Key& floor_key);

  void touch(const std::vector<store::GroupId>& groups, WallTime now);
  // As if everything had been written. For this run: the last write on disk is not moved.
  void touch_all(WallTime now) {
    floor_ = std::max(floor_, now);
    ++changes_;
  }
  // Whether any of an entry's groups was touched after it was last received or validated.
  bool doubts(const std::vector<store::GroupId>& groups, WallTime received) const;
  // Grows whenever an answer of doubts() may have changed.
  std::uint64_t changes() const { return changes_; }

 private:
  // A busy runner writes some thousand times an hour; beyond this everything before now is doubted at once.
  static constexpr std::size_t kMaxGroups = 16 * 1024;

  store::TieredStore& store_;
  store::Key floor_key_;
  WallTime floor_ = WallTime::max();  // until the store has told, nothing from before is believed
  std::unordered_map<store::GroupId, WallTime> touched_;
  std::uint64_t changes_ = 0;
};

}  // namespace ghmesh::proxy
