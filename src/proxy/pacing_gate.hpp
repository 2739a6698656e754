// SPDX-License-Identifier: Apache-2.0
#pragma once

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

 private:
  struct Waiting {
    explicit Waiting(io::Loop& loop) : settled(loop) {}
    io::Event settled;
    std::optional<github::Refused> refused;
  };
  void turn();

  io::Loop& loop_;
  github::Pacer pacer_;
  io::Timer timer_;
  github::Ticket next_ticket_ = 1;
  std::map<github::Ticket, std::shared_ptr<Waiting>> waiting_;
};

}  // namespace ghmesh::proxy
