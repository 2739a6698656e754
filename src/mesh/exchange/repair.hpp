// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unordered_map>

#include "bus.hpp"
#include "timers.hpp"

// Bodies follow ownership: a member that comes to rank 1 or 2 of a partition copies it from those who had it, and one
// that leaves in order hands its partitions over. Private to the room; one thread.

namespace ghmesh::mesh {

class Repair {
 public:
  explicit Repair(Bus& bus) : bus_(bus) {}

  // The ranks of a partition changed, already in the bus.
  void on_change(const Ranks::Change& change, bool founding, TimePoint now);
  void on_pull(const PeerId& from, const Pull& pull, TimePoint now);
  void on_chunk(const PeerId& from, const Chunk& chunk, TimePoint now);
  // We leave: give the partition to whoever comes up for us.
  void hand_over(const Ranks::Change& change, TimePoint now);
  void on_disconnected(const PeerId& peer, TimePoint now);
  void tick(TimePoint now);
  TimePoint next_deadline() const { return timers_.next(); }

 private:
  struct Copying {
    std::uint64_t id = 0;
    std::vector<PeerId> sources;  // next first
    PeerId current = nobody();
    TimePoint until{};
  };
  void pull_next(std::uint8_t partition, TimePoint now);
  void end(std::uint8_t partition);
  void send_partition(const PeerId& to, std::uint64_t id, std::uint8_t partition,
                      const std::unordered_map<std::uint64_t, std::uint64_t>& theirs, TimePoint now);

  Bus& bus_;
  std::unordered_map<std::uint8_t, Copying> copying_;
  Timers<std::uint8_t> timers_;
};

}  // namespace ghmesh::mesh
