// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "mesh/wire/message.hpp"

// The fleet's counters: every member's own, monotonic since its process started, passed on with the probes of
// membership: told to every member within two rounds of them. Each member counts once, however many told of it; one
// that left or died keeps its last known figures for an hour. The meaning of the values is the caller's; members of one
// protocol version agree on it. One thread.

namespace ghmesh::mesh {

struct FleetMember {
  CounterRow row;
  TimePoint heard{};  // its row; of one that is gone: its end
  bool live = true;
};

class Fleet {
 public:
  static constexpr Duration kKeepGone = std::chrono::hours(1);
  static constexpr std::size_t kMembers = 4096;

  Fleet(const PeerId& self, std::uint64_t started_ms)
      : own_{.peer = self, .started_ms = started_ms, .sequence = 0, .values = {}} {}

  void set_own(std::vector<std::uint64_t> values);
  // Newer rows replace older ones; a row about ourselves is ignored. is_live: whether membership has it in the mesh.
  void merge(const std::vector<CounterRow>& rows, const std::function<bool(const PeerId&)>& is_live, TimePoint now);
  void on_gone(const PeerId& peer, TimePoint now);
  void on_live(const PeerId& peer);
  const CounterRow& own() const { return own_; }
  // The others' rows told least lately, to go with the next probes.
  std::vector<CounterRow> rows_to_tell(std::size_t count, TimePoint now);

  // Sums over this node, the live members and those gone for less than an hour.
  std::vector<std::uint64_t> totals(TimePoint now);
  std::vector<FleetMember> members() const;

 private:
  struct Known {
    FleetMember member;
    std::uint64_t told = 0;
    // A process that restarted counts from zero; what its life before counted is kept apart, once.
    std::vector<std::uint64_t> earlier;
  };
  void drop_old(TimePoint now);
  bool has_room();

  CounterRow own_;
  std::unordered_map<PeerId, Known> known_;
  std::uint64_t tellings_ = 0;
};

}  // namespace ghmesh::mesh
