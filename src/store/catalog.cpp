// SPDX-License-Identifier: Apache-2.0
#include "catalog.hpp"

#include <algorithm>
#include <unordered_set>

namespace ghmesh::store {
namespace {

std::span<const GroupId> groups_of(const HintEntry& entry) { return std::span(entry.groups).first(entry.group_count); }

}  // namespace

const Index::Slot* Catalog::living(const Key& key) const {
  const Index::Slot* slot = index_.find(key);
  return slot != nullptr && !groups_.dead(slot->group_set) ? slot : nullptr;
}

Index::Slot* Catalog::living(const Key& key) { return const_cast<Index::Slot*>(std::as_const(*this).living(key)); }

bool Catalog::contains(const Key& key) const {
  const std::lock_guard lock(mutex_);
  return pending_.contains(key) || living(key) != nullptr;
}

std::variant<std::monostate, EntryPtr, Location> Catalog::look_up(const Key& key) {
  const std::lock_guard lock(mutex_);
  if (const auto at = pending_.find(key); at != pending_.end()) return at->second.entry;
  Index::Slot* slot = living(key);
  if (slot == nullptr) return std::monostate();
  slot->read = 1;
  return slot->where;
}

Catalog::Ticket Catalog::begin_put(EntryPtr entry) {
  const std::lock_guard lock(mutex_);
  const Ticket ticket = next_ticket_++;
  const Key key = entry->key;
  pending_[key] = {std::move(entry), ticket};
  return ticket;
}

bool Catalog::erase(const Key& key) {
  const std::lock_guard lock(mutex_);
  const bool was_pending = pending_.erase(key) > 0;
  const bool was_living = living(key) != nullptr;
  erase_slot(key);
  return was_pending || was_living;
}

bool Catalog::erase_slot(const Key& key) {
  Index::Slot* slot = index_.find(key);
  if (slot == nullptr) return false;
  erase_slot(slot);
  return true;
}

void Catalog::erase_slot(Index::Slot* slot) {
  if (groups_.dead(slot->group_set)) --dead_;
  groups_.release(slot->group_set);
  live_bytes_ -= align_up(slot->where.length);
  index_.erase(slot);
}

void Catalog::insert_slot(const Key& key, const Location& where, std::uint32_t useful_until_s,
                          std::span<const GroupId> groups) {
  erase_slot(key);
  Index::Slot slot{.key = key, .where = where, .useful_until_s = useful_until_s};
  slot.group_set = groups_.acquire(groups) & GroupSets::kMaxId;
  index_.insert(slot);
  live_bytes_ += align_up(where.length);
}

std::size_t Catalog::retire(GroupId group) {
  const std::size_t count = groups_.retire(group);
  dead_ += count;
  return count;
}

Catalog::GroupErased Catalog::erase_group(GroupId group) {
  const std::lock_guard lock(mutex_);
  GroupErased erased;
  for (auto at = pending_.begin(); at != pending_.end();) {
    if (!in_group(*at->second.entry, group)) {
      ++at;
      continue;
    }
    ++erased.count;
    if (erase_slot(at->first)) erased.older.push_back(at->first);
    at = pending_.erase(at);
  }
  erased.count += retire(group);
  return erased;
}

std::vector<Key> Catalog::erase_if(const std::function<bool(const Summary&)>& doomed) {
  std::vector<Key> keys;
  const auto consider = [&](const Key& key, std::uint32_t useful_until_s) {
    if (doomed({key, useful_until_s})) keys.push_back(key);
  };
  const std::lock_guard lock(mutex_);
  for (const auto& [key, pending] : pending_) consider(key, pending.entry->useful_until_s);
  for (std::size_t shard = 0; shard < Index::kShards; ++shard)
    index_.for_each(shard, [&](const Index::Slot& slot) {
      if (!groups_.dead(slot.group_set) && !pending_.contains(slot.key)) consider(slot.key, slot.useful_until_s);
    });
  for (const Key& key : keys) {
    pending_.erase(key);
    erase_slot(key);
  }
  return keys;
}

std::size_t Catalog::clear() {
  const std::lock_guard lock(mutex_);
  std::size_t count = index_.size() - dead_;
  for (const auto& [key, pending] : pending_) count += living(key) == nullptr ? 1 : 0;
  pending_.clear();
  index_.clear();
  groups_ = GroupSets();
  dead_ = 0;
  live_bytes_ = 0;
  return count;
}

void Catalog::for_each_key(const std::function<void(const Key&)>& visit) const {
  // The lock is given up between the shards, so a pending record may be published meanwhile: it is visited once.
  std::unordered_set<Key, KeyHash> visited;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, pending] : pending_) {
      visited.insert(key);
      visit(key);
    }
  }
  for (std::size_t shard = 0; shard < Index::kShards; ++shard) {
    const std::lock_guard lock(mutex_);
    index_.for_each(shard, [&](const Index::Slot& slot) {
      if (!groups_.dead(slot.group_set) && !visited.contains(slot.key)) visit(slot.key);
    });
  }
}

EntryPtr Catalog::pending(const Key& key, Ticket ticket) const {
  const std::lock_guard lock(mutex_);
  const auto at = pending_.find(key);
  return at != pending_.end() && at->second.ticket == ticket ? at->second.entry : nullptr;
}

bool Catalog::publish(const Key& key, Ticket ticket, const Location& where) {
  const std::lock_guard lock(mutex_);
  const auto at = pending_.find(key);
  if (at == pending_.end() || at->second.ticket != ticket) return false;
  const EntryPtr entry = std::move(at->second.entry);
  pending_.erase(at);
  insert_slot(key, where, entry->useful_until_s, entry->groups);
  return true;
}

bool Catalog::abandon_put(const Key& key, Ticket ticket) {
  const std::lock_guard lock(mutex_);
  const auto at = pending_.find(key);
  if (at == pending_.end() || at->second.ticket != ticket) return false;
  pending_.erase(at);
  return erase_slot(key);
}

bool Catalog::drop(const Key& key, const Location& where) {
  const std::lock_guard lock(mutex_);
  Index::Slot* slot = index_.find(key);
  if (slot == nullptr || slot->where != where) return false;
  erase_slot(slot);
  return true;
}

bool Catalog::relocate(const Key& key, const Location& from, const Location& to) {
  const std::lock_guard lock(mutex_);
  Index::Slot* slot = living(key);
  if (slot == nullptr || slot->where != from) return false;
  slot->where = to;
  slot->read = 0;
  return true;
}

template <typename Condition>
void Catalog::erase_where(std::size_t shard, Condition condition) {
  std::vector<Key> keys;
  index_.for_each(shard, [&](const Index::Slot& slot) {
    if (condition(slot)) keys.push_back(slot.key);
  });
  for (const Key& key : keys) erase_slot(key);
}

std::vector<Catalog::Live> Catalog::live_in(std::uint32_t segment) {
  std::vector<Live> found;
  for (std::size_t shard = 0; shard < Index::kShards; ++shard) {
    const std::lock_guard lock(mutex_);
    erase_where(shard, [&](const Index::Slot& slot) {
      if (slot.where.segment != segment) return false;
      if (groups_.dead(slot.group_set)) return true;
      found.push_back({slot.key, slot.where, slot.useful_until_s, slot.read != 0});
      return false;
    });
  }
  std::ranges::sort(found, {}, [](const Live& live) { return live.where.offset; });
  return found;
}

void Catalog::sweep() {
  for (std::size_t shard = 0; shard < Index::kShards; ++shard) {
    const std::lock_guard lock(mutex_);
    if (dead_ == 0) return;
    erase_where(shard, [&](const Index::Slot& slot) { return groups_.dead(slot.group_set); });
  }
}

void Catalog::replay(const HintEntry& entry, std::uint32_t segment) {
  const std::lock_guard lock(mutex_);
  switch (entry.kind) {
    case RecordKind::Put:
      return insert_slot(entry.key, {segment, entry.offset, entry.length}, entry.useful_until_s, groups_of(entry));
    case RecordKind::Remove: erase_slot(entry.key); return;
    case RecordKind::PurgeGroup:
      for (const GroupId group : groups_of(entry)) retire(group);
      return;
    case RecordKind::Clear:
      index_.clear();
      groups_ = GroupSets();
      dead_ = 0;
      live_bytes_ = 0;
      return;
  }
}

std::size_t Catalog::entries() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = index_.size() - dead_;
  for (const auto& [key, pending] : pending_) count += living(key) == nullptr ? 1 : 0;
  return count;
}

std::size_t Catalog::slots() const {
  const std::lock_guard lock(mutex_);
  return index_.size();
}

std::uint64_t Catalog::live_bytes() const {
  const std::lock_guard lock(mutex_);
  return live_bytes_;
}

std::size_t Catalog::memory_bytes() const {
  const std::lock_guard lock(mutex_);
  return index_.memory_bytes() + groups_.memory_bytes();
}

}  // namespace ghmesh::store
