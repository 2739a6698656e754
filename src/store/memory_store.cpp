// SPDX-License-Identifier: Apache-2.0
#include "store/memory_store.hpp"

#include "base/check.hpp"

namespace ghmesh::store {
namespace {

// As many ghosts as records of 4 KiB fit: typical answers are larger, so the window is seldom cut short.
constexpr std::size_t kGhostBytesEach = 4096;

}  // namespace

MemoryStore::MemoryStore(const Limits& limits)
    : capacity_(limits.memory_bytes - limits.memory_bytes / kGhostBytesEach * 16),
      small_target_(capacity_ / 10),
      entry_limit_(capacity_ / limits.memory_entry_divisor),
      ghost_(capacity_ - small_target_,
             std::bit_floor(std::max<std::size_t>(limits.memory_bytes / kGhostBytesEach, 1))) {}

EntryPtr MemoryStore::find(const Key& key) {
  const auto at = table_.find(key);
  if (at == table_.end()) return nullptr;
  Node& node = at->second;
  if (node.reads < kMaxReads) ++node.reads;
  return node.entry;
}

bool MemoryStore::get(const Key& key, OnEntry on_entry) {
  EntryPtr entry = find(key);
  if (!entry) return false;
  on_entry(std::move(entry));
  return true;
}

void MemoryStore::put(EntryPtr entry) {
  const std::size_t cost = cost_of(*entry);
  const auto at = table_.find(entry->key);
  if (at == table_.end()) {
    if (cost <= entry_limit_) insert(std::move(entry), cost);
    return;
  }
  // A newer version of a known record: it keeps its place and what it has earned, if it fits.
  Node& node = at->second;
  if (cost > entry_limit_) return erase(at);
  std::size_t& bytes = node.in_main ? main_bytes_ : small_bytes_;
  bytes = bytes - node.cost + cost;
  node.entry = std::move(entry);
  node.cost = cost;
  if (node.reads < kMaxReads) ++node.reads;
  make_room(0);
}

void MemoryStore::insert(EntryPtr entry, std::size_t cost) {
  make_room(cost);
  const bool seen_lately = ghost_.take(entry->key);
  Node& node = table_[entry->key];
  node.entry = std::move(entry);
  node.cost = cost;
  if (seen_lately) {
    move_to_main(node);
  } else {
    small_.push_back(node);
    small_bytes_ += cost;
  }
}

bool MemoryStore::remove(const Key& key) {
  const auto at = table_.find(key);
  if (at == table_.end()) return false;
  erase(at);
  return true;
}

void MemoryStore::erase(Table::iterator at) {
  Node& node = at->second;
  (node.in_main ? main_bytes_ : small_bytes_) -= node.cost;
  table_.erase(at);  // the node leaves its list as it dies
}

void MemoryStore::make_room(std::size_t cost) {
  while (small_bytes_ + main_bytes_ + cost > capacity_) {
    GHMESH_CHECK(!table_.empty());
    // The small queue gives way only while it is above its share; else records would die in it before a second read.
    if (!small_.empty() && (small_bytes_ >= small_target_ || main_.empty()))
      evict_from_small();
    else
      evict_from_main();
  }
}

void MemoryStore::evict_from_small() {
  Node& node = small_.front();
  if (node.reads > 0) {
    node.unlink();
    small_bytes_ -= node.cost;
    // One read pays for the way; a record that was read more often keeps the rest, or the first ones to arrive would be
    // the first to go when main fills up, however often they are asked for.
    --node.reads;
    return move_to_main(node);
  }
  ghost_.remember(node.entry->key, node.cost);
  ++evictions_;
  erase(table_.find(node.entry->key));
}

void MemoryStore::evict_from_main() {
  // Each turn takes a chance from one record, and a record has at most kMaxReads, so this ends.
  for (;;) {
    Node& node = main_.front();
    if (node.reads == 0) {
      ++evictions_;
      return erase(table_.find(node.entry->key));
    }
    --node.reads;
    node.unlink();
    main_.push_back(node);
  }
}

void MemoryStore::move_to_main(Node& node) {
  node.in_main = true;
  main_.push_back(node);
  main_bytes_ += node.cost;
}

std::size_t MemoryStore::purge_entries(const std::function<bool(const Entry&)>& doomed) {
  std::size_t count = 0;
  for (auto at = table_.begin(); at != table_.end();) {
    const auto next = std::next(at);
    if (doomed(*at->second.entry)) {
      erase(at);
      ++count;
    }
    at = next;
  }
  return count;
}

std::size_t MemoryStore::purge_group(GroupId group) {
  return purge_entries([group](const Entry& entry) { return in_group(entry, group); });
}

std::size_t MemoryStore::purge(const std::function<bool(const Summary&)>& doomed) {
  return purge_entries([&](const Entry& entry) { return doomed({entry.key, entry.useful_until_s}); });
}

std::size_t MemoryStore::clear() {
  const std::size_t count = table_.size();
  table_.clear();
  small_bytes_ = main_bytes_ = 0;
  return count;
}

void MemoryStore::for_each_key(const std::function<void(const Key&)>& visit) const {
  for (const auto& [key, node] : table_) visit(key);
}

Stats MemoryStore::stats() const {
  return {.entries = table_.size(),
          .memory_bytes = small_bytes_ + main_bytes_ + ghost_.memory_bytes(),
          .evictions = evictions_};
}

}  // namespace ghmesh::store
