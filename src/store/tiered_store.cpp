// SPDX-License-Identifier: Apache-2.0
#include "store/tiered_store.hpp"

#include <utility>

#include "store/posix_files.hpp"

namespace ghmesh::store {

Result<std::unique_ptr<TieredStore>> TieredStore::open(TieredOptions options, const Clock& clock, Random& random,
                                                       DiskStore::Post post, const log::Logger& logger) {
  const Limits limits = options.disk.limits;
  if (options.directory.empty()) return std::make_unique<TieredStore>(limits, nullptr);
  auto disk = [&]() -> Result<std::unique_ptr<DiskStore>> {
    auto directory = open_posix_directory(options.directory);
    if (!directory) return std::unexpected(std::move(directory.error()));
    return DiskStore::open(std::move(*directory), std::move(options.disk), clock, random, std::move(post), logger);
  }();
  if (disk) return std::make_unique<TieredStore>(limits, std::move(*disk));
  if (disk.error().code == ErrorCode::Conflict) return std::unexpected(std::move(disk.error()));
  logger.warn("store runs in memory only: the directory cannot be used",
              {{"directory", options.directory}, {"error", disk.error().message}});
  return std::make_unique<TieredStore>(limits, nullptr, true);
}

TieredStore::TieredStore(const Limits& limits, std::unique_ptr<RecordStore> disk, bool degraded)
    : memory_(limits), degraded_(degraded), disk_(std::move(disk)) {}

bool TieredStore::get(const Key& key, OnEntry on_entry) {
  if (EntryPtr entry = find(key)) {
    on_entry(std::move(entry));
    return true;
  }
  return get_from_disk(key, std::move(on_entry));
}

bool TieredStore::get_from_disk(const Key& key, OnEntry on_entry) {
  if (!disk_) return false;
  if (const auto at = reading_.find(key); at != reading_.end() && !at->second.outdated) {
    at->second.waiting.push_back(std::move(on_entry));
    return true;
  }
  // A key that changed while it was being read: those who waited wanted the old state, this one the new.
  if (reading_.contains(key)) return disk_->get(key, std::move(on_entry));
  reading_[key].waiting.push_back(std::move(on_entry));
  if (disk_->get(key, [this, key](EntryPtr entry) { on_read(key, std::move(entry)); })) return true;
  reading_.erase(key);
  return false;
}

void TieredStore::on_read(const Key& key, EntryPtr entry) {
  const auto at = reading_.find(key);
  Reading reading = std::move(at->second);
  reading_.erase(at);
  if (reading.outdated) entry = nullptr;
  if (entry) memory_.put(entry);
  for (OnEntry& on_entry : reading.waiting) on_entry(entry);
}

void TieredStore::outdate(const Key& key) {
  if (const auto at = reading_.find(key); at != reading_.end()) at->second.outdated = true;
}

void TieredStore::outdate_all() {
  for (auto& [key, reading] : reading_) reading.outdated = true;
}

bool TieredStore::contains(const Key& key) const { return memory_.contains(key) || (disk_ && disk_->contains(key)); }

void TieredStore::put(EntryPtr entry) {
  outdate(entry->key);
  if (disk_) disk_->put(entry);
  memory_.put(std::move(entry));
}

bool TieredStore::remove(const Key& key) {
  outdate(key);
  const bool in_memory = memory_.remove(key);
  return (disk_ && disk_->remove(key)) || in_memory;
}

std::size_t TieredStore::purge_both(const std::function<bool(const Entry&)>& in_memory,
                                    const std::function<std::size_t()>& on_disk) {
  outdate_all();
  std::size_t count = 0;
  memory_.purge_entries([&](const Entry& entry) {
    if (!in_memory(entry)) return false;
    if (!disk_ || !disk_->contains(entry.key)) ++count;
    return true;
  });
  return disk_ ? count + on_disk() : count;
}

std::size_t TieredStore::purge_group(GroupId group) {
  return purge_both([group](const Entry& entry) { return in_group(entry, group); },
                    [&] { return disk_->purge_group(group); });
}

std::size_t TieredStore::purge(const std::function<bool(const Summary&)>& doomed) {
  return purge_both([&](const Entry& entry) { return doomed({entry.key, entry.useful_until_s}); },
                    [&] { return disk_->purge(doomed); });
}

std::size_t TieredStore::clear() {
  return purge_both([](const Entry&) { return true; }, [&] { return disk_->clear(); });
}

void TieredStore::for_each_key(const std::function<void(const Key&)>& visit) const {
  memory_.for_each_key([&](const Key& key) {
    if (!disk_ || !disk_->contains(key)) visit(key);
  });
  if (disk_) disk_->for_each_key(visit);
}

Stats TieredStore::stats() const {
  Stats sum = memory_.stats();
  sum.degraded = degraded_;
  if (!disk_) return sum;
  const Stats disk = disk_->stats();
  // Records in memory are on disk too, except those the disk dropped; counting those exactly would visit them all.
  sum.entries = std::max(sum.entries, disk.entries);
  sum.memory_bytes += disk.memory_bytes;
  sum.disk_bytes = disk.disk_bytes;
  sum.evictions += disk.evictions;
  sum.corrupt_skipped = disk.corrupt_skipped;
  sum.foreign_files = disk.foreign_files;
  sum.write_drops = disk.write_drops;
  sum.read_drops = disk.read_drops;
  sum.io_errors = disk.io_errors;
  sum.cleanings = disk.cleanings;
  sum.degraded = disk.degraded;
  return sum;
}

}  // namespace ghmesh::store
