// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "index.hpp"
#include "store/record_store.hpp"

// What the disk tier holds, as its owner sees it at once and its worker makes it true: the index of written records and
// the puts on their way. Any thread; every call is one short critical section (a look-up in the common case, one shard
// of the index where all records are visited).
//
//      owner: begin_put ─► pending ──worker writes──► publish ─► index
//                            │                           │
//             remove, purge: cancelled             remove, purge: erased; the worker records it on disk

namespace ghmesh::store {

class Catalog {
 public:
  using Ticket = std::uint64_t;

  // ----- owner's side
  bool contains(const Key& key) const;
  // The record is pending, or its place on disk, which also marks it as read, or nothing.
  std::variant<std::monostate, EntryPtr, Location> look_up(const Key& key);
  // The record answers look-ups from now on. An earlier pending put of the key is cancelled.
  Ticket begin_put(EntryPtr entry);
  // True if there was one, on disk or pending.
  bool erase(const Key& key);
  struct GroupErased {
    std::size_t count = 0;
    // Keys whose pending record was in the group, while an older one on disk was perhaps not: the group's purge alone
    // would bring the older one back at the next start.
    std::vector<Key> older;
  };
  GroupErased erase_group(GroupId group);
  std::vector<Key> erase_if(const std::function<bool(const Summary&)>& doomed);
  std::size_t clear();
  void for_each_key(const std::function<void(const Key&)>& visit) const;

  // ----- worker's side
  // Null if the put was cancelled meanwhile.
  EntryPtr pending(const Key& key, Ticket ticket) const;
  // The put is on disk. False: it was cancelled meanwhile and the written record is dead.
  bool publish(const Key& key, Ticket ticket, const Location& where);
  // The put will not be on disk. True: an older version of it was, which is erased now.
  bool abandon_put(const Key& key, Ticket ticket);
  // The record at this place is gone or damaged; false if the key moved on meanwhile.
  bool drop(const Key& key, const Location& where);
  bool relocate(const Key& key, const Location& from, const Location& to);
  // Living records of the segment in order of offset. Erases those that purges left behind.
  struct Live {
    Key key;
    Location where;
    std::uint32_t useful_until_s;
    bool read;
  };
  std::vector<Live> live_in(std::uint32_t segment);
  // Removes from the index what purged groups left there.
  void sweep();

  // ----- at the start, in the order of the log
  void replay(const HintEntry& entry, std::uint32_t segment);

  std::size_t entries() const;
  std::size_t slots() const;         // on disk alone; purged ones count until swept
  std::uint64_t live_bytes() const;  // on disk, padding included
  std::size_t memory_bytes() const;

 private:
  struct Pending {
    EntryPtr entry;
    Ticket ticket;
  };

  const Index::Slot* living(const Key& key) const;
  Index::Slot* living(const Key& key);
  bool erase_slot(const Key& key);
  void erase_slot(Index::Slot* slot);
  void insert_slot(const Key& key, const Location& where, std::uint32_t useful_until_s,
                   std::span<const GroupId> groups);
  std::size_t retire(GroupId group);
  template <typename Condition>
  void erase_where(std::size_t shard, Condition condition);

  mutable std::mutex mutex_;
  Index index_;
  GroupSets groups_;
  std::unordered_map<Key, Pending, KeyHash> pending_;
  Ticket next_ticket_ = 1;
  std::size_t dead_ = 0;          // slots of purged groups, not swept yet
  std::uint64_t live_bytes_ = 0;  // of all slots, dead ones included until swept
};

}  // namespace ghmesh::store
