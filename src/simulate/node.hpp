// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "pace.hpp"
#include "simulator.hpp"

// One simulated node: the mesh's state machine, and of its proxy what decides about requests. Private to the room.

namespace ghmesh::simulate {

struct Simulator::Pending {
  TimePoint began;
  std::function<void(const Answer&)> done;
};

struct Simulator::Node {
  PeerId peer = nobody();
  std::unique_ptr<Mesh> mesh;
  std::unique_ptr<Pace> pace;
  std::uint32_t token = 0;
  bool alive = true;
  bool refuses = false;  // not alive, but its machine is: who dials is told so
  std::uint64_t requests = 0;
  TimePoint joined{};
  TimePoint armed = TimePoint::max();
  // What the proxy's own cache would hold.
  struct Local {
    ItemPtr item;
    TimePoint fresh_until{};
  };
  std::unordered_map<std::uint32_t, Local> cache;
  std::unordered_map<std::uint32_t, std::vector<Pending>> flights;  // single flight in the process
  std::unordered_map<FindId, std::uint32_t> finds;
  std::unordered_map<FindId, Disbelieved> disbelieved;
  // With whom it has a session, and when what is short and under way there arrives.
  std::unordered_map<NodeIndex, TimePoint> contacts;
};

}  // namespace ghmesh::simulate
