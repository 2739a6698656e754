// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "crypto/secret.hpp"
#include "store/files.hpp"
#include "store/limits.hpp"
#include "store/record_store.hpp"

// The disk tier: encrypted, append-only segments (doc/formats/store.md) behind RecordStore. The owner thread sees every
// change at once through an index in memory; one worker thread does all file work, in order. Puts wait in a bounded
// queue and are dropped when it is full; results of reads come back through post.
//
// Durability: nothing on the way is synced. What a crash of the process interrupts is at most the last record; what a
// power loss takes are the records of the last seconds. Purges and clears are synced, since they may be about rights.
// Wrong bytes are impossible in both cases: every record carries an authentication tag over key, metadata and body.

namespace ghmesh::store {

class Catalog;
class DiskWorker;
struct DiskCounters;

struct DiskOptions {
  Limits limits = {};
  Bytes dictionary = {};                                  // for zstd; empty: none
  std::optional<crypto::SecretKey32> key = std::nullopt;  // else the directory's own (store_key.hpp)
  bool own_thread = true;                                 // false: the owner calls step(), as tests and simulations do
};

class DiskStore final : public RecordStore {
 public:
  // Runs its argument later on the owner thread; called from any thread. May drop it once the store is destroyed.
  using Post = std::function<void(std::move_only_function<void()>)>;

  // Locks the directory and rebuilds the index; blocking. Conflict: another node has it. Any other error: this
  // directory cannot be used, and a node can go on in memory. clock, random and the logger's sink are used from the
  // worker.
  static Result<std::unique_ptr<DiskStore>> open(std::unique_ptr<Directory> directory, DiskOptions options,
                                                 const Clock& clock, Random& random, Post post, log::Logger logger);
  // Writes what is queued, finishes the segment, then lets go of the lock. Reads under way are dropped.
  ~DiskStore() override;

  bool get(const Key& key, OnEntry on_entry) override;
  bool contains(const Key& key) const override;
  void put(EntryPtr entry) override;
  bool remove(const Key& key) override;
  std::size_t purge_group(GroupId group) override;
  std::size_t purge(const std::function<bool(const Summary&)>& doomed) override;
  std::size_t clear() override;
  void for_each_key(const std::function<void(const Key&)>& visit) const override;
  Stats stats() const override;

  // Returns when all writes asked for before are with the file system and the results of all reads are posted.
  void flush();
  // Without a thread of its own: does one piece of work; false if there was none.
  bool step();

 private:
  struct State;
  explicit DiskStore(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::store
