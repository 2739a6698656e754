// SPDX-License-Identifier: Apache-2.0
// Standing behind the owner, for a member that cannot reach it: the question goes on to it once, and its answer back.
#include "owner.hpp"

namespace ghmesh::mesh {

bool Owner::relay(const PeerId& from, const Ask& ask, TimePoint now) {
  if (relays_.size() >= bus_.limits.relays) return false;
  for (const PeerId& better : bus_.ranks.of(ask.key)) {
    if (better == bus_.self) return false;
    if (better == from || bus_.scores.avoided(better, now)) continue;
    Ask relayed = ask;
    relayed.hop = 1;
    relayed.origin = from;
    relays_[ask.id] = {.from = from, .to = better, .ask = ask, .until = now + bus_.limits.first_answer};
    relay_timers_.arm(now + bus_.limits.first_answer, ask.id);
    bus_.send(better, std::move(relayed));
    return true;
  }
  return false;
}

// Whoever was to decide does not answer.
void Owner::decide_here(std::uint64_t relayed, TimePoint now) {
  Relay relay = std::move(relays_.extract(relayed).mapped());
  relay.ask.hop = 1;
  on_ask(relay.from, relay.ask, now);
}

bool Owner::on_relayed_answer(const PeerId& from, std::uint64_t id, const Message& answer, TimePoint now) {
  const auto it = relays_.find(id);
  if (it == relays_.end() || it->second.to != from) return false;
  const Relay relay = it->second;
  bus_.send(relay.from, answer);
  if (const auto* wait = std::get_if<Wait>(&answer)) {
    it->second.until = now + bus_.limits.missed_beats_after(std::chrono::milliseconds(wait->next_ms));
    relay_timers_.arm(it->second.until, id);
    return true;
  }
  if (std::holds_alternative<Lease>(answer) && forwards_.size() < bus_.limits.relays) {
    // The asker may be unable to reach the owner: what it brings to us goes there too.
    forwards_[relay.ask.key] = {
        .asker = relay.from, .to = from, .until = now + bus_.limits.longest_queue + bus_.limits.longest_fetch};
  }
  relays_.erase(it);
  return true;
}

void Owner::relays_disconnected(const PeerId& peer, TimePoint now) {
  std::vector<std::uint64_t> unanswered;
  for (const auto& [id, relay] : relays_)
    if (relay.to == peer) unanswered.push_back(id);
  for (const std::uint64_t id : unanswered) decide_here(id, now);
}

void Owner::tick_relays(TimePoint now) {
  for (const std::uint64_t id : relay_timers_.take_due(now)) {
    const auto it = relays_.find(id);
    if (it == relays_.end() || it->second.until > now) continue;
    if (const TimePoint until = it->second.until + bus_.lag.slack(); until > now) {
      relay_timers_.arm(until, id);
      continue;
    }
    bus_.silent(it->second.to, now);
    decide_here(id, now);
  }
}

void Owner::forward_result(const PeerId& from, const LookupKey& key, Message message, TimePoint now) {
  const auto it = forwards_.find(key);
  if (it == forwards_.end()) return;
  if (it->second.asker == from && it->second.until > now) bus_.send(it->second.to, std::move(message));
  forwards_.erase(it);
}

}  // namespace ghmesh::mesh
