// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/disk_store.hpp"
#include "store/memory_store.hpp"

// The store a cache uses: the hot tier over the disk tier. Puts go to both, so whatever leaves memory is still on disk;
// what is read from disk comes back to memory. One owner thread.

namespace ghmesh::store {

struct TieredOptions {
  std::string directory;  // empty: memory only
  DiskOptions disk;       // its limits hold for both tiers
};

class TieredStore final : public RecordStore {
 public:
  // Conflict: another node uses the directory. If it cannot be used for any other reason the store comes up in memory
  // only, degraded, with a warning.
  static Result<std::unique_ptr<TieredStore>> open(TieredOptions options, const Clock& clock, Random& random,
                                                   DiskStore::Post post, const log::Logger& logger);

  // disk may be null; degraded says that there should have been one.
  TieredStore(const Limits& limits, std::unique_ptr<RecordStore> disk, bool degraded = false);

  // From memory alone: the path of a hit, without a callback. Null says nothing about the disk.
  EntryPtr find(const Key& key) { return memory_.find(key); }
  // From disk alone, then kept in memory; as get. Requests for one key share one read. The result is null if the key
  // was written, removed or purged in between: ask find() again.
  bool get_from_disk(const Key& key, OnEntry on_entry);

  bool get(const Key& key, OnEntry on_entry) override;
  bool contains(const Key& key) const override;
  void put(EntryPtr entry) override;
  bool remove(const Key& key) override;
  std::size_t purge_group(GroupId group) override;
  std::size_t purge(const std::function<bool(const Summary&)>& doomed) override;
  std::size_t clear() override;
  void for_each_key(const std::function<void(const Key&)>& visit) const override;
  // Of both; entries counts the larger tier, since the other is nearly always a part of it.
  Stats stats() const override;

 private:
  struct Reading {
    std::vector<OnEntry> waiting;
    bool outdated = false;  // the key changed after the read began
  };

  void on_read(const Key& key, EntryPtr entry);
  void outdate(const Key& key);
  void outdate_all();
  std::size_t purge_both(const std::function<bool(const Entry&)>& in_memory,
                         const std::function<std::size_t()>& on_disk);

  MemoryStore memory_;
  std::unordered_map<Key, Reading, KeyHash> reading_;
  const bool degraded_;
  std::unique_ptr<RecordStore> disk_;
};

}  // namespace ghmesh::store
