// SPDX-License-Identifier: Apache-2.0
#include "index.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::store {
namespace {

constexpr std::uint32_t kFirstCapacity = 16;

}  // namespace

const Index::Slot* Index::find(const Key& key) const {
  const Shard& s = shards_[shard_of(key)];
  if (s.size == 0) return nullptr;
  std::uint32_t at = s.home(key);
  for (std::uint32_t distance = 0; distance < s.capacity; ++distance, at = s.next(at)) {
    const Slot& slot = s.slots[at];
    if (slot.where.segment == 0 || s.distance(at, slot.key) < distance) return nullptr;
    if (slot.key == key) return &slot;
  }
  return nullptr;
}

Index::Slot& Index::insert(const Slot& slot) {
  Shard& s = shards_[shard_of(slot.key)];
  if (std::uint64_t{s.size + 1} * 10 > std::uint64_t{s.capacity} * 9) s.grow();
  ++s.size;
  return *s.place(slot);
}

// Puts slot where it belongs and moves those along that are nearer to their home than it is.
Index::Slot* Index::Shard::place(Slot slot) {
  Slot* placed = nullptr;
  std::uint32_t at = home(slot.key);
  for (std::uint32_t far = 0;; ++far, at = next(at)) {
    Slot& here = slots[at];
    if (here.where.segment == 0) {
      here = slot;
      return placed != nullptr ? placed : &here;
    }
    const std::uint32_t theirs = distance(at, here.key);
    if (theirs >= far) continue;
    std::swap(here, slot);
    if (placed == nullptr) placed = &here;
    far = theirs;
  }
}

void Index::Shard::grow() {
  Shard larger;
  larger.capacity = std::max(kFirstCapacity, capacity + capacity / 2);
  larger.slots = std::make_unique<Slot[]>(larger.capacity);
  larger.size = size;
  for (std::uint32_t i = 0; i < capacity; ++i)
    if (slots[i].where.segment != 0) larger.place(slots[i]);
  *this = std::move(larger);
}

void Index::erase(Slot* slot) {
  Shard& s = shards_[shard_of(slot->key)];
  auto at = static_cast<std::uint32_t>(slot - s.slots.get());
  GHMESH_CHECK(at < s.capacity && s.slots[at].where.segment != 0);
  // Those behind it move one step nearer to home, up to the first that is at home already.
  for (;;) {
    const std::uint32_t behind = s.next(at);
    Slot& follower = s.slots[behind];
    if (follower.where.segment == 0 || s.distance(behind, follower.key) == 0) break;
    s.slots[at] = follower;
    at = behind;
  }
  s.slots[at] = {};
  --s.size;
}

void Index::clear() { shards_ = {}; }

std::size_t Index::size() const {
  std::size_t sum = 0;
  for (const Shard& s : shards_) sum += s.size;
  return sum;
}

std::size_t Index::memory_bytes() const {
  std::size_t sum = sizeof *this;
  for (const Shard& s : shards_) sum += s.capacity * sizeof(Slot);
  return sum;
}

}  // namespace ghmesh::store
