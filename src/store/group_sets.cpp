// SPDX-License-Identifier: Apache-2.0
#include "group_sets.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::store {

std::uint64_t GroupSets::hash(std::span<const GroupId> groups) {
  std::uint64_t h = 0;
  for (const GroupId group : groups) h = (h ^ group) * 0x9e3779b97f4a7c15u ^ (h >> 29);
  return h;
}

GroupSets::Id GroupSets::acquire(std::span<const GroupId> groups) {
  if (groups.empty()) return kNone;
  const std::uint64_t h = hash(groups);
  for (auto [at, end] = by_hash_.equal_range(h); at != end; ++at) {
    Set& set = sets_[at->second];
    if (!std::ranges::equal(set.groups, groups)) continue;
    ++set.references;
    return at->second;
  }
  Id id;
  if (free_.empty()) {
    id = static_cast<Id>(sets_.size());
    GHMESH_CHECK(id <= kMaxId);
    sets_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  sets_[id] = {.groups = {groups.begin(), groups.end()}, .references = 1};
  by_hash_.emplace(h, id);
  return id;
}

void GroupSets::release(Id id) {
  if (id == kNone) return;
  Set& set = sets_[id];
  GHMESH_CHECK(set.references > 0);
  if (--set.references > 0) return;
  if (!set.dead) forget(id);
  set = {};
  free_.push_back(id);
}

void GroupSets::forget(Id id) {
  auto [at, end] = by_hash_.equal_range(hash(sets_[id].groups));
  at = std::find_if(at, end, [id](const auto& each) { return each.second == id; });
  GHMESH_CHECK(at != end);
  by_hash_.erase(at);
}

std::size_t GroupSets::retire(GroupId group) {
  std::size_t references = 0;
  for (Id id = 1; id < sets_.size(); ++id) {
    Set& set = sets_[id];
    if (set.dead || set.references == 0 || std::ranges::find(set.groups, group) == set.groups.end()) continue;
    forget(id);
    set.dead = true;
    references += set.references;
  }
  return references;
}

std::size_t GroupSets::memory_bytes() const {
  // A list's heap block and its place in the hash table, with the allocator's rounding.
  constexpr std::size_t kEach = 64 + 48;
  return sets_.capacity() * sizeof(Set) + count() * kEach;
}

}  // namespace ghmesh::store
