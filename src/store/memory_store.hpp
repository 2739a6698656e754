// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unordered_map>

#include "base/intrusive_list.hpp"
#include "store/ghost_table.hpp"
#include "store/limits.hpp"
#include "store/record_store.hpp"

// The hot tier. Eviction is S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023):
//
//        put ──► small (10 % of bytes) ──not read again──► ghost (keys only)
//                   │ read meanwhile                          │ put again
//                   ▼                                         ▼
//                 main (90 %) ◄───────────────────────────────┘
//                   └─► at its head: read since → back to the tail with one chance less; else gone
//
// Why not SIEVE, which is smaller: it has no small queue, so a scan passes through the whole cache. The sweeps that CI
// jobs make over list pages are scans: each page is read once, and the small queue is where they die without pushing
// out what every job reads.
// The bound counts bytes: record, both vectors, and all bookkeeping, at kOverhead a record. It holds after every call;
// records that readers still hold are theirs to count. A hit is one table look-up and one store; nothing is moved or
// copied. One owner thread, no locks.

namespace ghmesh::store {

class MemoryStore final : public RecordStore {
 public:
  // Node, its table slot and hash node, shared_ptr block and the allocator's rounding of the four allocations.
  static constexpr std::size_t kOverhead = 256;
  static std::size_t cost_of(const Entry& entry) {
    return kOverhead + 3 * entry.metadata.capacity() + entry.body.capacity() +
           entry.groups.capacity() * sizeof(GroupId);
  }

  explicit MemoryStore(const Limits& limits);

  // The record, or null. Valid as long as the caller keeps it.
  EntryPtr find(const Key& key);

  bool get(const Key& key, OnEntry on_entry) override;
  bool contains(const Key& key) const override { return table_.contains(key); }
  void put(EntryPtr entry) override;
  bool remove(const Key& key) override;
  std::size_t purge_group(GroupId group) override;
  std::size_t purge(const std::function<bool(const Summary&)>& doomed) override;
  std::size_t purge_entries(const std::function<bool(const Entry&)>& doomed);
  std::size_t clear() override;
  void for_each_key(const std::function<void(const Key&)>& visit) const override;
  Stats stats() const override;

  std::size_t capacity() const { return capacity_; }

 private:
  struct Node : ListNode {
    EntryPtr entry;
    std::size_t cost = 0;
    std::uint8_t reads = 0;  // saturates at kMaxReads
    bool in_main = false;
  };
  static constexpr std::uint8_t kMaxReads = 3;
  using Table = std::unordered_map<Key, Node, KeyHash>;

  void insert(EntryPtr entry, std::size_t cost);
  void erase(Table::iterator at);
  void make_room(std::size_t cost);
  void evict_from_small();
  void evict_from_main();
  void move_to_main(Node& node);

  const std::size_t capacity_;
  const std::size_t small_target_;
  const std::size_t entry_limit_;
  Table table_;
  IntrusiveList<Node> small_;  // front is the oldest
  IntrusiveList<Node> main_;
  GhostTable ghost_;
  std::size_t small_bytes_ = 0;
  std::size_t main_bytes_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace ghmesh::store
