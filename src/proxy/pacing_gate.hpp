// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "github/pacing.hpp"
#include "io/loop.hpp"
#include "io/sync.hpp"
#include "io/task.hpp"

// The pacer joined to the loop: whoever wants to ask GitHub waits here for its turn (proof.md, Pacing). Loop thread.

namespace ghmesh::proxy {

class PacingGate {
 public:
  PacingGate(io::Loop& loop, Random& random, github::PacingOptions options)
      : loop_(loop), pacer_(random, options), timer_(loop, [this] { turn(); }) {}

  // Nothing: go, and call done() afterwards. A refusal: the wait would be longer than a client's patience.
  io::Task<std::optional<github::Refused>> enter(github::PacedRequest request);
  void done(const github::Partition& token, std::string_view resource, const github::LimitVerdict& verdict);
  void hold_until(const github::Partition& token, std::string_view resource, TimePoint until) {
    pacer_.hold_until(token, resource, until);
  }
  std::size_t waiting() const { return pacer_.waiting(); }

  // For tokens that other nodes draw on as well: see Pacer. changed is called with each whose demand has changed, and
  // must not come back here at once.
  void on_changed(std::function<void(const github::Partition&)> changed) { changed_ = std::move(changed); }
  void set_others(std::size_t others) { pacer_.set_others(others); }
  void grant(const github::Partition& token, std::uint64_t may_send, std::uint64_t may_write, std::size_t drawing) {
    pacer_.grant(token, may_send, may_write, drawing, loop_.now());
    turn();
  }
  void unheard(const github::Partition& token) {
    pacer_.unheard(token);
    turn();
  }
  github::Demand demand(const github::Partition& token) const { return pacer_.demand(token, loop_.now()); }

 private:
  struct Waiting {
    explicit Waiting(io::Loop& loop) : settled(loop) {}
    io::Event settled;
    std::optional<github::Refused> refused;
  };
  void turn();
  void tell_changes();

  io::Loop& loop_;
  github::Pacer pacer_;
  io::Timer timer_;
  std::function<void(const github::Partition&)> changed_;
  github::Ticket next_ticket_ = 1;
  std::map<github::Ticket, std::shared_ptr<Waiting>> waiting_;
};

}  // namespace ghmesh::proxy
