// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "github/demand_report.hpp"
#include "github/pacing.hpp"
#include "mesh/exchange/mesh.hpp"

// A simulated node's pace: the pacer of a real one, joined to the keeper of its token as proxy/fleet_draw.hpp joins it.
// Private to the room.

namespace ghmesh::simulate {

using namespace mesh;

class Pace {
 public:
  // at: runs an action so much later, if the node still lives.
  using At = std::function<void(Duration, std::function<void()>)>;
  Pace(Mesh& mesh, const TokenTag& token, Random& random, At at, std::function<TimePoint()> now);

  // May it go to GitHub (perhaps at once), or would it wait for too long?
  using Turn = std::function<void(bool may_go)>;
  void enter(TimePoint since, Turn turn);
  void done();  // one that went has its answer
  void on_drawn(const Drawn& drawn);
  void on_unheard();

 private:
  void turn();
  void tell_changes();
  void report();
  void refresh();

  Mesh& mesh_;
  TokenTag tag_;
  At at_;
  std::function<TimePoint()> now_;
  github::Partition token_{};  // the only one of its pacer
  github::Pacer pacer_;
  github::DemandReport report_;
  github::Ticket next_ticket_ = 1;
  std::map<github::Ticket, Turn> waiting_;
  TimePoint turn_at_ = TimePoint::max();
  TimePoint report_at_ = TimePoint::max();
  std::uint32_t answers_ = 0;
  TimePoint answered_{};
};

}  // namespace ghmesh::simulate
