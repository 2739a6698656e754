// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "group_sets.hpp"
#include "segment_log.hpp"

// Where each record lies on disk: 52 bytes a slot, open addressing in 64 shards.
//   - Robin Hood probing: a slot is never farther from home than those it passed, so a miss ends early, and removal
//     shifts back instead of leaving marks.
//   - Shards grow by half and one at a time: between 60 and 90 bytes a record, no moment at which the whole table
//   exists
//     twice, no long pause.
// Keys are uniform (KeyHash), so their own bits choose shard and home. Plain value, one thread at a time.

namespace ghmesh::store {

class Index {
 public:
  static constexpr std::size_t kShards = 64;

  struct Slot {
    Key key;
    Location where;  // segment 0: empty
    std::uint32_t useful_until_s = 0;
    std::uint32_t group_set : 31 = 0;
    std::uint32_t read : 1 = 0;  // since it was written or last moved
  };
  static_assert(sizeof(Slot) == 52);

  // Null if absent. Valid until the next insert or erase.
  Slot* find(const Key& key) { return const_cast<Slot*>(std::as_const(*this).find(key)); }
  const Slot* find(const Key& key) const;
  // key must be absent.
  Slot& insert(const Slot& slot);
  void erase(Slot* slot);
  void clear();

  std::size_t size() const;
  std::size_t memory_bytes() const;

  // Visits the slots of one shard; visit must not insert or erase.
  template <typename Visit>
  void for_each(std::size_t shard, Visit visit) const {
    const Shard& s = shards_[shard];
    for (std::size_t i = 0; i < s.capacity; ++i)
      if (s.slots[i].where.segment != 0) visit(s.slots[i]);
  }

 private:
  struct Shard {
    std::unique_ptr<Slot[]> slots;
    std::uint32_t capacity = 0;
    std::uint32_t size = 0;

    std::uint32_t home(const Key& key) const {
      return static_cast<std::uint32_t>((std::uint64_t{load_le<std::uint32_t>(key.data() + 4)} * capacity) >> 32);
    }
    std::uint32_t distance(std::uint32_t at, const Key& key) const {
      const std::uint32_t from = home(key);
      return at >= from ? at - from : at + capacity - from;
    }
    std::uint32_t next(std::uint32_t at) const { return at + 1 == capacity ? 0 : at + 1; }
    Slot* place(Slot slot);
    void grow();
  };
  static std::size_t shard_of(const Key& key) { return key[0] % kShards; }

  std::array<Shard, kShards> shards_;
};

}  // namespace ghmesh::store
