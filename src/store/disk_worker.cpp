// SPDX-License-Identifier: Apache-2.0
#include "disk_worker.hpp"

#include <algorithm>

namespace ghmesh::store {
namespace {

// More than this owed and one Clear is cheaper to remember.
constexpr std::size_t kMaxOwed = 65'536;
// Segments begun by many short lives are merged when there are this many more than full ones would be.
constexpr std::size_t kSpareSegments = 32;

std::uint32_t unix_seconds(WallTime t) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count());
}

}  // namespace

DiskWorker::DiskWorker(Directory& directory, crypto::SecretKey32 key, const Limits& limits, ByteView dictionary,
                       Catalog& catalog, DiskCounters& counters, const Clock& clock, Random& random, log::Logger logger)
    : directory_(directory),
      limits_(limits),
      catalog_(catalog),
      counters_(counters),
      clock_(clock),
      logger_(std::move(logger)),
      log_(directory, std::move(key), limits, dictionary, random) {}

Result<> DiskWorker::start() {
  const auto marker = directory_.open(kIntactName, Directory::Mode::Read);
  if (!marker && marker.error().code != ErrorCode::NotFound) return std::unexpected(marker.error());
  intact_ = marker.has_value();
  if (!intact_) {
    if (auto discarded = discard_everything(); !discarded) return discarded;
  }
  auto recovered =
      log_.recover([this](const HintEntry& entry, std::uint32_t segment) { catalog_.replay(entry, segment); });
  if (!recovered) return recovered;
  counters_.corrupt.store(log_.damage().corrupt, std::memory_order_relaxed);
  counters_.foreign.store(log_.damage().foreign, std::memory_order_relaxed);
  catalog_.sweep();
  if (!intact_ && !mark_intact()) counters_.io_errors.fetch_add(1, std::memory_order_relaxed);
  update_counters();
  return {};
}

Result<> DiskWorker::discard_everything() {
  auto names = directory_.list();
  if (!names) return std::unexpected(std::move(names.error()));
  for (const std::string& name : *names) {
    if (!parse_name(name, ".seg") && !parse_name(name, ".hint")) continue;
    if (auto removed = directory_.remove(name); !removed) return removed;
  }
  return {};
}

bool DiskWorker::mark_intact() {
  // The bound of what a crash may bring back is in the files' own order; the marker needs no sync of its own.
  intact_ = directory_.open(kIntactName, Directory::Mode::Create).has_value();
  return intact_;
}

void DiskWorker::stop() {
  if (!counters_.degraded) log_.finish_segment();
  update_counters();
}

void DiskWorker::update_counters() { counters_.disk_bytes.store(log_.disk_bytes(), std::memory_order_relaxed); }

void DiskWorker::put(const PutJob& job) {
  const EntryPtr entry = catalog_.pending(job.key, job.ticket);
  if (!entry) return;
  if (!writable()) return drop_put(job);
  const auto where = log_.append(*entry);
  if (where) {
    catalog_.publish(job.key, job.ticket, *where);
    on_written();
  } else {
    if (where.error().code != ErrorCode::Limit) on_write_error(where.error());
    drop_put(job);
  }
  update_counters();
}

void DiskWorker::drop_put(const PutJob& job) {
  counters_.write_drops.fetch_add(1, std::memory_order_relaxed);
  // The version it would have replaced must not outlive it.
  if (catalog_.abandon_put(job.key, job.ticket)) remove(RemoveJob{job.key});
}

void DiskWorker::remove(const Removal& job) {
  if (!writable()) return owe(job);
  if (const auto recorded = record(job)) {
    on_written();
  } else {
    on_write_error(recorded.error());
    owe(job);
  }
  if (std::holds_alternative<PurgeGroupJob>(job)) catalog_.sweep();
  update_counters();
}

Result<> DiskWorker::record(const Removal& removal) {
  struct Append {
    SegmentLog& log;
    Result<Location> operator()(const RemoveJob& job) { return log.append_removal(job.key); }
    Result<Location> operator()(const PurgeGroupJob& job) { return log.append_purge(job.group); }
    Result<Location> operator()(const ClearJob&) { return log.append_clear(); }
  };
  auto where = std::visit(Append{log_}, removal);
  if (!where) return std::unexpected(std::move(where.error()));
  return {};
}

void DiskWorker::owe(const Removal& removal) {
  if (intact_) intact_ = !directory_.remove(kIntactName).has_value();
  if (owed_.size() >= kMaxOwed) {
    catalog_.clear();
    owed_.clear();
    owed_.push_back(ClearJob{});
    return;
  }
  owed_.push_back(removal);
}

bool DiskWorker::writable() {
  if (!counters_.degraded) return true;
  if (clock_.now() < retry_at_) return false;
  return repay();
}

void DiskWorker::on_written() {
  if (counters_.degraded.exchange(false)) logger_.info("store takes writes again");
}

bool DiskWorker::repay() {
  while (!owed_.empty()) {
    if (const auto recorded = record(owed_.front()); !recorded) {
      on_write_error(recorded.error());
      return false;
    }
    owed_.pop_front();
  }
  // Without the marker the disk could not take an empty file: it is not well yet.
  if (intact_ || mark_intact()) return true;
  retry_at_ = clock_.now() + limits_.retry_after;
  return false;
}

void DiskWorker::on_write_error(const Error& error) {
  counters_.io_errors.fetch_add(1, std::memory_order_relaxed);
  retry_at_ = clock_.now() + limits_.retry_after;
  if (counters_.degraded.exchange(true)) return;
  logger_.warn("store runs in memory only: the disk does not take writes", {{"error", error.message}});
}

void DiskWorker::count_read_error(const Error& error) {
  (error.code == ErrorCode::Authentic ? counters_.corrupt : counters_.io_errors)
      .fetch_add(1, std::memory_order_relaxed);
}

EntryPtr DiskWorker::read(const Key& key) {
  const auto found = catalog_.look_up(key);
  if (const auto* entry = std::get_if<EntryPtr>(&found)) return *entry;
  const auto* where = std::get_if<Location>(&found);
  if (where == nullptr) return nullptr;
  auto entry = log_.read(*where, key);
  if (entry) return std::move(*entry);
  count_read_error(entry.error());
  if (catalog_.drop(key, *where)) remove(RemoveJob{key});
  return nullptr;
}

// ----- bounds

bool DiskWorker::over_bound() {
  if (log_.disk_bytes() + limits_.segment_bytes > limits_.disk_bytes) return true;
  if (catalog_.slots() > limits_.disk_entries) return true;
  // Asking the file system costs a call; once per quarter of a segment is often enough.
  const std::uint64_t bytes = log_.disk_bytes();
  if (bytes < bytes_at_space_check_ + limits_.segment_bytes / 4 && bytes >= bytes_at_space_check_) return false;
  bytes_at_space_check_ = bytes;
  const auto space = directory_.space();
  if (!space) return false;
  return static_cast<double>(space->available_bytes) < static_cast<double>(space->total_bytes) * limits_.min_free_share;
}

bool DiskWorker::mostly_garbage() const {
  const std::uint64_t live = catalog_.live_bytes();
  const std::uint64_t dead = log_.disk_bytes() - std::min(log_.disk_bytes(), live);
  // Rewriting everything once frees all that is dead, so at half and half each byte freed costs at most one copied.
  return dead > live + 2 * std::uint64_t{limits_.segment_bytes} ||
         log_.segment_count() > log_.disk_bytes() / limits_.segment_bytes + kSpareSegments;
}

void DiskWorker::maintain(const std::function<void()>& between_records) {
  if (counters_.degraded) return;
  if (over_bound()) {
    do {
      if (!clean_oldest(Keep::Read, between_records)) return;
    } while (over_bound());
  } else if (mostly_garbage()) {
    clean_oldest(Keep::All, between_records);
  }
}

bool DiskWorker::worth_keeping(const Catalog::Live& live, Keep keep, std::uint64_t budget) const {
  // Time that steps back only keeps a record longer.
  if (live.useful_until_s != 0 && live.useful_until_s < unix_seconds(clock_.wall_now())) return false;
  return align_up(live.where.length) <= budget && (keep == Keep::All || live.read);
}

bool DiskWorker::move_to_end(const Catalog::Live& live) {
  const auto stored = log_.fetch(live.where, live.key);
  if (!stored) {
    count_read_error(stored.error());
    catalog_.drop(live.key, live.where);
    return true;
  }
  const auto moved = log_.append(*stored);
  if (!moved) return false;
  catalog_.relocate(live.key, live.where, *moved);
  return true;
}

bool DiskWorker::clean_oldest(Keep keep, const std::function<void()>& between_records) {
  if (log_.oldest_finished() == 0) log_.finish_segment();
  const std::uint32_t segment = log_.oldest_finished();
  if (segment == 0) return false;
  // Evicting keeps at most half of what it goes through, so the log shrinks even if every record was read.
  std::uint64_t budget = keep == Keep::All ? UINT64_MAX : log_.segment_bytes(segment) / 2;
  for (const Catalog::Live& live : catalog_.live_in(segment)) {
    between_records();
    if (worth_keeping(live, keep, budget) && move_to_end(live)) {
      budget -= keep == Keep::All ? 0 : align_up(live.where.length);
      continue;
    }
    // Too old, not read, or the disk is full: then room has to be made without writing.
    if (catalog_.drop(live.key, live.where)) counters_.evictions.fetch_add(1, std::memory_order_relaxed);
  }
  if (const auto removed = log_.remove(segment); !removed) {
    on_write_error(removed.error());
    return false;
  }
  counters_.cleanings.fetch_add(1, std::memory_order_relaxed);
  update_counters();
  return true;
}

}  // namespace ghmesh::store
