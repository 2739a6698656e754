// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <vector>

#include "base/random.hpp"
#include "lag.hpp"
#include "limits.hpp"
#include "mesh/membership/membership.hpp"
#include "mesh/membership/ranks.hpp"
#include "scores.hpp"
#include "shelf.hpp"

// What the parts of the exchange share: the node's own id, its shelf, the ranks, and the way out. Messages to oneself
// take the same way and come back in, so that an owner that asks itself needs no second path. Private to the room.

namespace ghmesh::mesh {

struct Bus {
  Bus(PeerId self_id, const ExchangeLimits& room_limits, Random& source)
      : self(self_id), limits(room_limits), random(source), shelf(room_limits), scores(room_limits) {}

  PeerId self;
  const ExchangeLimits& limits;
  Random& random;
  Shelf shelf;
  PeerScores scores;
  Lag lag;
  std::size_t members = 0;  // others in the mesh
  Ranks ranks;
  std::array<Ranks::Row, kPartitions> previous;  // rows before the last change: where bodies may still be
  std::uint64_t cold = 0;                        // partitions of ours whose repair has not ended, as bits
  std::uint64_t overdue = 0;                     // those of them whose copy was waited for in vain
  TimePoint met_by = TimePoint::min();           // until then owners may know few of the others
  std::vector<Outgoing> out;
  std::vector<Outgoing> to_self;
  std::vector<PeerId> doubted;  // to be looked at by membership
  std::function<std::vector<PeerId>()> everybody;
  std::function<bool(const PeerId&)> is_member;
  std::deque<std::pair<TimePoint, GroupId>> invalidated;

  void send(const PeerId& to, Message message) { (to == self ? to_self : out).push_back({to, std::move(message)}); }
  void silent(const PeerId& peer, TimePoint now) {
    if (peer == self) return;
    scores.note(peer, Experience::Silent, now);
    doubted.push_back(peer);
  }
  // Whether an answer of these groups, fetched from `since` on, may be older than a write.
  bool written_since(const std::vector<GroupId>& groups, TimePoint since) const {
    for (const auto& [when, group] : invalidated)
      if (when >= since && std::find(groups.begin(), groups.end(), group) != groups.end()) return true;
    return false;
  }
};

}  // namespace ghmesh::mesh
