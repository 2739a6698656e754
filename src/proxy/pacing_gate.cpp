// SPDX-License-Identifier: Apache-2.0
#include "proxy/pacing_gate.hpp"

namespace ghmesh::proxy {

io::Task<std::optional<github::Refused>> PacingGate::enter(github::PacedRequest request) {
  const github::Ticket ticket = next_ticket_++;
  auto place = std::make_shared<Waiting>(loop_);
  waiting_.emplace(ticket, place);
  // Destroyed while it waits (its client went away), the request leaves the queue.
  struct Leave {
    ~Leave() {
      if (gate.waiting_.erase(ticket) == 0) return;
      gate.pacer_.cancel(ticket);
      gate.tell_changes();
    }
    PacingGate& gate;
    github::Ticket ticket;
  } leave{*this, ticket};
  pacer_.enqueue(ticket, std::move(request), loop_.now());
  turn();
  co_await place->settled.wait();
  co_return place->refused;
}

void PacingGate::done(const github::Partition& token, std::string_view resource, const github::LimitVerdict& verdict) {
  pacer_.done(token, resource, verdict, loop_.now());
  if (pacer_.waiting() > 0) turn();
  tell_changes();
}

void PacingGate::turn() {
  github::Pacer::Turn turn = pacer_.turn(loop_.now());
  const auto settle = [this](github::Ticket ticket, std::optional<github::Refused> refused) {
    const auto found = waiting_.find(ticket);
    if (found == waiting_.end()) return;
    found->second->refused = std::move(refused);
    found->second->settled.set();
    waiting_.erase(found);
  };
  for (const github::Ticket ticket : turn.released) settle(ticket, std::nullopt);
  for (github::Refused& refused : turn.refused) settle(refused.ticket, refused);
  if (turn.ask_again) timer_.arm_at(*turn.ask_again);
  tell_changes();
}

void PacingGate::tell_changes() {
  for (const github::Partition& token : pacer_.take_changed(loop_.now()))
    if (changed_) changed_(token);
}

}  // namespace ghmesh::proxy
