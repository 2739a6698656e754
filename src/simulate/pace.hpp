// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <vector>

#include "mesh/exchange/mesh.hpp"

// What a node's proxy says to the keeper of its token (github/pacing.hpp and proxy/fleet_draw.hpp decide it, which this
// room may not know): how many requests it sent, what waits and what is in flight, when it may go. Here so that a
// simulated fleet sends the messages of a real one. Private to the room.

namespace ghmesh::mesh::simulate {

class Pace {
 public:
  // at: runs an action so much later, if the node still lives.
  using At = std::function<void(Duration, std::function<void()>)>;
  Pace(Mesh& mesh, const TokenTag& token, At at, std::function<TimePoint()> now);

  // go is called when it may go to GitHub: perhaps at once.
  void enter(std::function<void()> go);
  void done();  // one that went has its answer
  void on_drawn(const Drawn& drawn);
  void on_unheard();

 private:
  void turn();
  bool may_go() const;
  void mark();
  void flush();
  void refresh();

  Mesh& mesh_;
  At at_;
  std::function<TimePoint()> now_;
  Draw said_;
  std::uint64_t may_send_ = 0;
  std::uint64_t told_ = 0;  // as far as the count may come, as the keeper knows
  bool unheard_ = false;
  bool dirty_ = false;
  std::deque<std::function<void()>> waiting_;
  std::deque<TimePoint> recent_;
  TimePoint last_sent_{};
  TimePoint flushed_{};
  TimePoint flush_at_ = TimePoint::max();
  std::uint32_t answers_ = 0;
  TimePoint answered_{};
};

}  // namespace ghmesh::mesh::simulate
