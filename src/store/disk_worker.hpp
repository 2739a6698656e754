// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <variant>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "catalog.hpp"
#include "segment_log.hpp"

// What the disk tier's thread does: turns queued changes into records, reads records, keeps the log inside its bounds
// and steps back when the disk fails. It has no thread and no queue of its own (disk_store.hpp has), so a test drives
// it call by call. One thread at a time; blocking.
//
// When a write fails the worker is degraded for Limits::retry_after: puts are dropped and counted, one warning is
// logged. Removals cannot be dropped: an answer that was taken back must not return with the next start. They are owed
// until the disk takes them, and as long as any is owed the file "intact" is gone. Deleting works on a full disk where
// writing does not; a start that finds no such file discards everything.

namespace ghmesh::store {

struct PutJob {
  Key key;
  Catalog::Ticket ticket;
};
struct RemoveJob {
  Key key;
};
struct PurgeGroupJob {
  GroupId group;
};
struct ClearJob {};
using Removal = std::variant<RemoveJob, PurgeGroupJob, ClearJob>;

// Written by the worker, read by anyone.
struct DiskCounters {
  std::atomic<std::uint64_t> disk_bytes{0};
  std::atomic<std::uint64_t> evictions{0};
  std::atomic<std::uint64_t> corrupt{0};
  std::atomic<std::uint64_t> foreign{0};
  std::atomic<std::uint64_t> write_drops{0};
  std::atomic<std::uint64_t> io_errors{0};
  std::atomic<std::uint64_t> cleanings{0};
  std::atomic<bool> degraded{false};
};

class DiskWorker {
 public:
  // Borrows everything but the key; outlived by all of it.
  DiskWorker(Directory& directory, crypto::SecretKey32 key, const Limits& limits, ByteView dictionary, Catalog& catalog,
             DiskCounters& counters, const Clock& clock, Random& random, log::Logger logger);

  // Fills the catalog from the directory.
  Result<> start();
  // Ends the segment, so that the next start need not scan it.
  void stop();

  void put(const PutJob& job);
  void remove(const Removal& job);
  // Null if absent or damaged; then it is gone from the catalog too.
  EntryPtr read(const Key& key);
  // Brings the log back inside its bounds; between_records is called often, for reads that wait.
  void maintain(const std::function<void()>& between_records);

 private:
  enum class Keep { All, Read };

  // False while degraded and too early for another attempt, or the attempt to pay what is owed failed.
  bool writable();
  bool repay();
  Result<> record(const Removal& removal);
  void owe(const Removal& removal);
  void drop_put(const PutJob& job);
  void on_written();
  void on_write_error(const Error& error);
  void count_read_error(const Error& error);
  void update_counters();

  bool over_bound();
  bool mostly_garbage() const;
  bool clean_oldest(Keep keep, const std::function<void()>& between_records);
  bool worth_keeping(const Catalog::Live& live, Keep keep, std::uint64_t budget) const;
  // False: the log takes no more.
  bool move_to_end(const Catalog::Live& live);

  bool mark_intact();
  Result<> discard_everything();

  Directory& directory_;
  const Limits limits_;
  Catalog& catalog_;
  DiskCounters& counters_;
  const Clock& clock_;
  log::Logger logger_;
  SegmentLog log_;
  TimePoint retry_at_{};
  std::deque<Removal> owed_;
  bool intact_ = false;
  std::uint64_t bytes_at_space_check_ = 0;
};

}  // namespace ghmesh::store
