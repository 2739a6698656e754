// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include "github/demand_report.hpp"
#include "io/loop.hpp"
#include "proxy/live_fields.hpp"
#include "proxy/pacing_gate.hpp"
#include "proxy/sharing.hpp"

// Joins this node's pace and its book of limits to the other members': what was sent and what waits goes to whoever
// keeps the token's bucket in the mesh, and its word to the gate; readings go both ways (doc/formats/mesh.md, Pace).
// github::DemandReport says when. Loop thread; borrows what it is given.

namespace ghmesh::proxy {

class FleetDraw {
 public:
  FleetDraw(io::Loop& loop, Sharing& sharing, PacingGate& gate, LiveFields& live);
  ~FleetDraw();
  FleetDraw(const FleetDraw&) = delete;
  FleetDraw& operator=(const FleetDraw&) = delete;

  // A request of this token is about to wait for its turn, or its answer came from the mesh.
  void introduce(const Plan& plan);
  // Who is told of buckets that are no token's.
  void on_other(std::function<void(const mesh::Drawn&)> other) { other_ = std::move(other); }

 private:
  struct Known {
    mesh::TokenTag tag{};
    github::DemandReport report;
  };

  void mark(const github::Partition& token);
  void flush_at(TimePoint when);
  void flush();
  void refresh();
  void on_drawn(const mesh::Drawn& drawn);

  io::Loop& loop_;
  Sharing& sharing_;
  PacingGate& gate_;
  LiveFields& live_;
  std::unordered_map<github::Partition, Known, store::KeyHash> known_;
  std::unordered_map<store::Key, github::Partition, store::KeyHash> by_tag_;
  std::vector<github::Partition> changed_;                 // whose report is due some time
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);  // the link may outlive this, or be gone before
  std::function<void(const mesh::Drawn&)> other_;
  io::Timer flush_timer_;
  io::Timer refresh_timer_;
};

}  // namespace ghmesh::proxy
