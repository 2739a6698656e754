// SPDX-License-Identifier: Apache-2.0
// Before a fetch that would be charged: the other ranks, then everybody, are asked for a lost body, and answer.
#include <algorithm>

#include "owner.hpp"

namespace ghmesh::mesh {

// Bodies that never came here: the copy is on its way, or as rank 3 we only stand in for two that were slow.
bool Owner::others_may_hold(const LookupKey& key) const {
  const std::uint8_t partition = partition_of(key);
  return ((bus_.cold >> partition) & 1) != 0 || bus_.ranks.rank_of(bus_.self, partition) + 1 == kRanks;
}

void Owner::begin_peek(Flight& flight, TimePoint now) {
  flight.stage = Stage::Peeking;
  flight.peek = bus_.random.next_u64();
  flight.deadline = now + bus_.limits.peek;
  flight.look = TimePoint::max();
  flight.open.clear();
}

void Owner::peek_others(Flight& flight, const LookupKey& key, TimePoint now) {
  begin_peek(flight, now);
  if (meeting(now)) return peek_everybody(flight, key, now);
  const std::uint8_t partition = partition_of(key);
  // Who may have what we have not is asked even if it was slow lately: nobody else can know.
  const bool all = others_may_hold(key);
  const auto passed_over = [&](const PeerId& peer) {
    return all ? bus_.scores.banned(peer, now) : bus_.scores.avoided(peer, now);
  };
  for (const Ranks::Row* row : {&bus_.ranks.of(partition), static_cast<const Ranks::Row*>(&bus_.previous[partition])})
    for (const PeerId& peer : *row)
      if (peer != bus_.self && peer != flight.waiters.front().asker && !passed_over(peer) &&
          std::find(flight.open.begin(), flight.open.end(), peer) == flight.open.end())
        flight.open.push_back(peer);
  for (const PeerId& peer : flight.open) bus_.send(peer, Peek{.id = flight.peek, .key = key, .have = {}});
  if (flight.open.empty()) return nothing_found(flight, key, now);
  timers_.arm(flight.deadline, key);
}

// Members that have not all met see different owners, and who decided before may stand in no row that is known here.
// All answer, so this takes as long as the slowest of them; the full wait is for one that has just died.
void Owner::peek_everybody(Flight& flight, const LookupKey& key, TimePoint now) {
  flight.shadow = false;
  bool prompt = true;
  for (const PeerId& peer : bus_.everybody()) {
    if (bus_.scores.banned(peer, now)) continue;
    prompt &= !bus_.scores.avoided(peer, now);
    flight.open.push_back(peer);
    bus_.send(peer, Peek{.id = flight.peek, .key = key, .have = {}});
  }
  if (flight.open.empty()) return nothing_found(flight, key, now);
  if (prompt) flight.deadline = now + bus_.limits.copy_wait;
  timers_.arm(flight.deadline, key);
}

// Whether a lease that another gave stands still, and whether its result is there: who holds it says so before its
// answer, and what nobody speaks for is given anew.
void Owner::look_again(Flight& flight, const LookupKey& key, TimePoint now) {
  // A look may take as long as two beats.
  tell_to_wait(flight, bus_.limits.copy_wait);
  begin_peek(flight, now);
  peek_everybody(flight, key, now);
}

// Ours since a moment ago, and those who had it before are slow to answer: their copy is on its way. True: until then.
bool Owner::await_copy(Flight& flight, const LookupKey& key, TimePoint now) {
  const std::uint64_t bit = std::uint64_t{1} << partition_of(key);
  if (flight.waiters.empty() || flight.open.empty() || (bus_.cold & bit) == 0 || (bus_.overdue & bit) != 0)
    return false;
  if (flight.awaits_copy) {
    // Nor do other keys wait for it.
    bus_.overdue |= bit;
    return false;
  }
  flight.awaits_copy = true;
  flight.deadline = now + bus_.limits.copy_wait;
  timers_.arm(flight.deadline, key);
  tell_to_wait(flight, bus_.limits.copy_wait);
  return true;
}

void Owner::on_copied(std::uint8_t partition, TimePoint now) {
  const bool whole = ((bus_.cold >> partition) & 1) == 0;
  std::vector<LookupKey> ready;
  for (const auto& [key, flight] : flights_)
    if (flight.awaits_copy && flight.stage == Stage::Peeking && partition_of(key) == partition &&
        (whole || bus_.shelf.holds(key)))
      ready.push_back(key);
  for (const LookupKey& key : ready) {
    if (bus_.shelf.holds(key)) {
      settle(key, now);
    } else {
      end_peek(key, now);
    }
  }
}

void Owner::nothing_found(Flight& flight, const LookupKey& key, TimePoint now) {
  // "Never seen" is fetched at once; "known but lost" is worth a question to all.
  if (!flight.asked_all && bus_.shelf.known(key)) return ask_everybody(flight, key, now);
  grant(flight, key, now);
}

void Owner::ask_everybody(Flight& flight, const LookupKey& key, TimePoint now) {
  flight.stage = Stage::AskingAll;
  flight.asked_all = true;
  flight.peek = bus_.random.next_u64();
  flight.deadline = now + bus_.limits.who_has;
  ++asked_everybody_;
  flight.open.clear();
  for (const PeerId& peer : bus_.everybody()) {
    if (peer == bus_.self || bus_.scores.avoided(peer, now)) continue;
    flight.open.push_back(peer);
    bus_.send(peer, WhoHas{.id = flight.peek, .key = key});
  }
  if (flight.open.empty()) return nothing_found(flight, key, now);
  timers_.arm(flight.deadline, key);
}

void Owner::on_peek(const PeerId& from, const Peek& peek, bool fetched_here, TimePoint now) {
  Found found{.id = peek.id, .key = peek.key};
  const Held* held = bus_.shelf.best(peek.key, TokenTag{});
  // Whoever peeks is about to give a lease of its own; where one is given already it waits for that instead.
  if (const auto it = flights_.find(peek.key);
      !fetched_here && it != flights_.end() && it->second.stage == Stage::Leased)
    if (held == nullptr || held->fresh_for_anyone(now) == nullptr) send_shadow(from, it->second, peek.key, now);
  if (held != nullptr) {
    found.version = held->item->version;
    if (found.version != peek.have) found.item = held->item;
    for (const Validation& each : held->validations)
      if (each.until > now) found.freshnesses.push_back(Shelf::restate(each, now));
  }
  bus_.send(from, std::move(found));
}

void Owner::on_found(const PeerId& from, const Found& found, TimePoint now) {
  const auto it = flights_.find(found.key);
  if (it == flights_.end() || it->second.peek != found.id) return;
  Flight& flight = it->second;
  // Also behind the word of a third that somebody fetches it, which may be older.
  if (found.item != nullptr && found.item->key == found.key) {
    bus_.shelf.put(found.item, nullptr, from, now);
    if (!bus_.written_since(found.item->groups, now - bus_.limits.remember_invalidated))
      for (const Freshness& fresh : found.freshnesses) bus_.shelf.confirm(found.key, found.version, fresh, now);
    return settle(found.key, now);
  }
  if (flight.stage != Stage::Peeking) return;
  if (std::erase(flight.open, from) != 0 && flight.open.empty()) end_peek(found.key, now);
}

void Owner::end_peek(const LookupKey& key, TimePoint now) {
  Flight& flight = flights_.at(key);
  if (flight.waiters.empty()) {
    flights_.erase(key);
  } else {
    nothing_found(flight, key, now);
  }
}

void Owner::on_who_has(const PeerId& from, const WhoHas& question, TimePoint now) {
  const Held* held = bus_.shelf.best(question.key, TokenTag{});
  if (held == nullptr) return;
  bus_.send(
      from,
      Have{
          .id = question.id, .key = question.key, .version = held->item->version, .age_ms = ms(now - held->confirmed)});
}

void Owner::on_have(const PeerId& from, const Have& have, TimePoint now) {
  const auto it = flights_.find(have.key);
  if (it == flights_.end() || it->second.peek != have.id || it->second.stage != Stage::AskingAll) return;
  Flight& flight = it->second;
  peek_at(from, flight, have.key, now);
}

// The one that is known to have it.
void Owner::peek_at(const PeerId& peer, Flight& flight, const LookupKey& key, TimePoint now) {
  begin_peek(flight, now);
  flight.open = {peer};
  timers_.arm(flight.deadline, key);
  bus_.send(peer, Peek{.id = flight.peek, .key = key, .have = {}});
}

}  // namespace ghmesh::mesh
