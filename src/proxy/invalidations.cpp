// SPDX-License-Identifier: Apache-2.0
#include "proxy/invalidations.hpp"

namespace ghmesh::proxy {

Invalidations::Invalidations(store::TieredStore& store, const store::Key& floor_key)
    : store_(store), floor_key_(floor_key) {
  const bool found = store_.get(floor_key_, [this](store::EntryPtr record) {
    floor_ = WallTime::min();
    ++changes_;
    if (!record || record->metadata.size() != 8) return;
    const auto nanoseconds = static_cast<std::int64_t>(load_be<std::uint64_t>(record->metadata.data()));
    floor_ = WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::nanoseconds(nanoseconds)));
  });
  if (!found) floor_ = WallTime::min();
}

void Invalidations::touch(const std::vector<store::GroupId>& groups, WallTime now) {
  if (groups.empty()) return;
  ++changes_;
  if (touched_.size() + groups.size() > kMaxGroups) {
    touched_.clear();
    floor_ = now;
  }
  for (const store::GroupId group : groups) touched_[group] = now;
  store::Entry record;
  record.key = floor_key_;
  record.metadata.resize(8);
  const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  store_be(record.metadata.data(), static_cast<std::uint64_t>(since));
  store_.put(store::share(std::move(record)));
}

bool Invalidations::doubts(const std::vector<store::GroupId>& groups, WallTime received) const {
  if (received <= floor_) return true;
  if (touched_.empty()) return false;
  for (const store::GroupId group : groups)
    if (const auto found = touched_.find(group); found != touched_.end() && received <= found->second) return true;
  return false;
}

}  // namespace ghmesh::proxy
