// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "store/record.hpp"

// Which groups records are in, said once per distinct list. The records of one repository and token share their list,
// so an index entry needs four bytes for it and purging a group is marking a few lists as dead, at once and exactly,
// however many records carry them. Plain value, one thread at a time.

namespace ghmesh::store {

class GroupSets {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = 0;                // the empty list; never dead
  static constexpr Id kMaxId = (1u << 30) - 1;  // the index keeps two bits beside it

  GroupSets() : sets_(1) {}

  // The id of the list, made if it is new, with one more reference. Never a dead one.
  Id acquire(std::span<const GroupId> groups);
  void release(Id id);
  bool dead(Id id) const { return sets_[id].dead; }

  // Marks every list with the group dead; the number of references they have.
  std::size_t retire(GroupId group);

  std::size_t count() const { return sets_.size() - free_.size() - 1; }
  std::size_t memory_bytes() const;

 private:
  struct Set {
    std::vector<GroupId> groups;
    std::uint32_t references = 0;
    bool dead = false;
  };
  static std::uint64_t hash(std::span<const GroupId> groups);
  void forget(Id id);

  std::vector<Set> sets_;
  std::vector<Id> free_;
  std::unordered_multimap<std::uint64_t, Id> by_hash_;  // living ones
};

}  // namespace ghmesh::store
