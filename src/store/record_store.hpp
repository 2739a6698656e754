// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "store/record.hpp"

// A table of records, in memory or on disk; record_store_conformance.hpp is the suite both pass. All functions belong
// to one owner thread. Everything here is a cache: a record may vanish at any time, but what comes back under a key is
// exactly what was last put under it, and nothing that was removed or purged ever comes back.

namespace ghmesh::store {

struct Stats {
  std::uint64_t entries = 0;
  std::uint64_t memory_bytes = 0;  // memory tier: records and their bookkeeping; disk tier: its index
  std::uint64_t disk_bytes = 0;
  std::uint64_t evictions = 0;        // records dropped to make room
  std::uint64_t corrupt_skipped = 0;  // records, hints or segments that did not verify
  std::uint64_t foreign_files = 0;    // files in the directory that are not ours, or not under our key
  std::uint64_t write_drops = 0;      // puts that did not reach the disk: queue full, too large, or degraded
  std::uint64_t read_drops = 0;       // reads answered "absent" because the queue was full
  std::uint64_t io_errors = 0;
  std::uint64_t cleanings = 0;  // segments rewritten or evicted
  bool degraded = false;        // the disk does not take writes at present
};

// What purge() may decide by.
struct Summary {
  const Key& key;
  std::uint32_t useful_until_s;
};

class RecordStore {
 public:
  using OnEntry = std::move_only_function<void(EntryPtr)>;

  virtual ~RecordStore() = default;

  // False: absent, and on_entry is dropped. True: on_entry is called once on the owner thread, perhaps before get
  // returns, with the record, or with null if it turned out damaged or was removed meanwhile. A store that is destroyed
  // first drops it.
  virtual bool get(const Key& key, OnEntry on_entry) = 0;
  virtual bool contains(const Key& key) const = 0;
  // Replaces what the key held. A record that cannot be kept leaves the key absent, never the older record.
  virtual void put(EntryPtr entry) = 0;
  // True if there was one.
  virtual bool remove(const Key& key) = 0;

  // How many went.
  virtual std::size_t purge_group(GroupId group) = 0;
  virtual std::size_t purge(const std::function<bool(const Summary&)>& doomed) = 0;
  virtual std::size_t clear() = 0;

  // In no order; visit must not call the store.
  virtual void for_each_key(const std::function<void(const Key&)>& visit) const = 0;
  virtual Stats stats() const = 0;
};

}  // namespace ghmesh::store
