// SPDX-License-Identifier: Apache-2.0
#include "repair.hpp"

#include <algorithm>

namespace ghmesh::mesh {
namespace {

// Ranks 1 and 2 hold bodies.
bool holds_bodies(const Ranks::Row& row, const PeerId& peer) {
  const auto end = row.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(row.size(), 2));
  return std::find(row.begin(), end, peer) != end;
}

std::uint64_t start_of(ByteView bytes) { return load_be<std::uint64_t>(bytes.data()); }

}  // namespace

void Repair::on_change(const Ranks::Change& change, bool founding, TimePoint now) {
  const std::uint8_t partition = change.partition;
  const Ranks::Row& row = bus_.ranks.of(partition);
  bus_.previous[partition] = change.before;
  if (!holds_bodies(row, bus_.self)) return end(partition);
  // While a fleet founds itself, who appears here may have held this before we came.
  if (!founding && holds_bodies(change.before, bus_.self)) return;
  Copying copying;
  const auto add = [&](const PeerId& peer) {
    if (peer != bus_.self && std::find(copying.sources.begin(), copying.sources.end(), peer) == copying.sources.end())
      copying.sources.push_back(peer);
  };
  if (founding)
    for (const PeerId& peer : row)
      if (std::find(change.before.begin(), change.before.end(), peer) == change.before.end()) add(peer);
  for (const Ranks::Row* from : {&change.before, &row})
    for (const PeerId& peer : *from) add(peer);
  bus_.cold |= std::uint64_t{1} << partition;
  bus_.overdue &= ~(std::uint64_t{1} << partition);
  copying_[partition] = std::move(copying);
  pull_next(partition, now);
}

void Repair::end(std::uint8_t partition) {
  bus_.cold &= ~(std::uint64_t{1} << partition);
  copying_.erase(partition);
}

void Repair::pull_next(std::uint8_t partition, TimePoint now) {
  Copying& copying = copying_.at(partition);
  std::erase_if(copying.sources, [&](const PeerId& peer) { return bus_.scores.banned(peer, now); });
  if (copying.sources.empty()) return end(partition);
  // Who was slow lately comes last, but what only it has is lost without it.
  const auto next = std::find_if(copying.sources.begin(), copying.sources.end(),
                                 [&](const PeerId& peer) { return !bus_.scores.avoided(peer, now); });
  if (next != copying.sources.end()) std::rotate(copying.sources.begin(), next, next + 1);
  copying.current = copying.sources.front();
  copying.sources.erase(copying.sources.begin());
  copying.id = bus_.random.next_u64() | 1;
  copying.until = now + bus_.limits.repair_timeout;
  timers_.arm(copying.until, partition);
  Pull pull{.id = copying.id, .partition = partition, .have = {}};
  bus_.shelf.for_each([&](const LookupKey& key, const Held& held) {
    if (partition_of(key) == partition && pull.have.size() < WireLimits::kPullKeys)
      pull.have.push_back({start_of(key), start_of(held.item->version)});
  });
  bus_.send(copying.current, std::move(pull));
}

void Repair::send_partition(const PeerId& to, std::uint64_t id, std::uint8_t partition,
                            const std::unordered_map<std::uint64_t, std::uint64_t>& theirs, TimePoint now) {
  Chunk chunk{.id = id, .partition = partition, .last = false};
  std::size_t size = 0;
  const auto flush = [&] {
    bus_.send(to, std::exchange(chunk, Chunk{.id = id, .partition = partition, .last = false}));
    size = 0;
  };
  bus_.shelf.for_each([&](const LookupKey& key, const Held& held) {
    if (partition_of(key) != partition) return;
    const auto it = theirs.find(start_of(key));
    if (it != theirs.end() && it->second == start_of(held.item->version)) return;
    ChunkEntry entry{.item = held.item, .freshnesses = {}};
    for (const Validation& each : held.validations)
      if (each.until > now) entry.freshnesses.push_back(Shelf::restate(each, now));
    size += held.item->body.size() + held.item->metadata.size();
    chunk.entries.push_back(std::move(entry));
    if (size >= WireLimits::kChunkBytes || chunk.entries.size() == WireLimits::kChunkEntries) flush();
  });
  bus_.shelf.for_each_known([&](const LookupKey& key) {
    if (partition_of(key) != partition) return;
    chunk.ledger.push_back(key);
    if (chunk.ledger.size() == WireLimits::kLedgerKeys) flush();
  });
  chunk.last = true;
  flush();
}

void Repair::on_pull(const PeerId& from, const Pull& pull, TimePoint now) {
  if (pull.partition >= kPartitions) return;
  std::unordered_map<std::uint64_t, std::uint64_t> theirs;
  for (const auto& [key, version] : pull.have) theirs.emplace(key, version);
  send_partition(from, pull.id, pull.partition, theirs, now);
}

void Repair::on_chunk(const PeerId& from, const Chunk& chunk, TimePoint now) {
  const auto it = copying_.find(chunk.partition);
  const bool asked = it != copying_.end() && it->second.id == chunk.id && it->second.current == from;
  if (!asked && chunk.id != 0) return;
  for (const ChunkEntry& entry : chunk.entries) {
    if (partition_of(entry.item->key) != chunk.partition) continue;
    bus_.shelf.put(entry.item, nullptr, from, now);
    for (const Freshness& fresh : entry.freshnesses)
      if (!bus_.written_since(entry.item->groups, now - bus_.limits.remember_invalidated))
        bus_.shelf.confirm(entry.item->key, entry.item->version, fresh, now);
  }
  for (const LookupKey& key : chunk.ledger)
    if (partition_of(key) == chunk.partition) bus_.shelf.note_known(key);
  if (!asked) return;
  if (chunk.last) {
    end(chunk.partition);
  } else {
    it->second.until = now + bus_.limits.repair_timeout;
    timers_.arm(it->second.until, chunk.partition);
  }
}

void Repair::hand_over(const Ranks::Change& change, TimePoint now) {
  if (!holds_bodies(change.before, bus_.self)) return;
  const Ranks::Row& row = bus_.ranks.of(change.partition);
  for (std::size_t i = 0; i < std::min<std::size_t>(row.size(), 2); ++i)
    if (!holds_bodies(change.before, row[i])) send_partition(row[i], 0, change.partition, {}, now);
}

void Repair::on_disconnected(const PeerId& peer, TimePoint now) {
  std::vector<std::uint8_t> stuck;
  for (const auto& [partition, copying] : copying_)
    if (copying.current == peer) stuck.push_back(partition);
  for (const std::uint8_t partition : stuck) pull_next(partition, now);
}

void Repair::tick(TimePoint now) {
  for (const std::uint8_t partition : timers_.take_due(now)) {
    const auto it = copying_.find(partition);
    if (it != copying_.end() && it->second.until <= now) pull_next(partition, now);
  }
}

}  // namespace ghmesh::mesh
