// SPDX-License-Identifier: Apache-2.0
#include "owner.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::mesh {

std::uint32_t Owner::ms(Duration duration) {
  return static_cast<std::uint32_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()));
}

bool Owner::answer_if_fresh(const Waiter& waiter, const LookupKey& key, TimePoint now) {
  const Held* held = bus_.shelf.best(key, waiter.tag);
  if (held == nullptr) return false;
  const Validation* validation = held->fresh_for(waiter.tag, now);
  const bool candidate = validation == nullptr;
  if (candidate) validation = held->fresh_for_anyone(now);
  if (validation == nullptr) return false;
  const Freshness fresh = Shelf::restate(*validation, now);
  if (held->item->version == waiter.have) {
    bus_.send(waiter.reply_to, Same{.id = waiter.ask, .version = waiter.have, .fresh = fresh, .candidate = candidate});
  } else {
    bus_.send(waiter.reply_to,
              Body{.id = waiter.ask, .item = held->item, .base = waiter.have, .fresh = fresh, .candidate = candidate});
  }
  return true;
}

void Owner::on_ask(const PeerId& from, const Ask& ask, TimePoint now) {
  const Waiter waiter{
      .reply_to = from, .asker = ask.origin.value_or(from), .ask = ask.id, .tag = ask.tag, .have = ask.have};
  if (const auto it = passes_.find(ask.key); it != passes_.end()) {
    if (it->second > now) return bus_.send(from, Pass{.id = ask.id, .for_ms = ms(it->second - now)});
    passes_.erase(it);
  }
  if (answer_if_fresh(waiter, ask.key, now)) return;
  if (const auto it = flights_.find(ask.key); it != flights_.end()) return join(it->second, ask.key, waiter, now);
  if (ask.hop == 0) {
    const std::size_t rank = bus_.ranks.rank_of(bus_.self, partition_of(ask.key));
    const Ranks::Row& row = bus_.ranks.of(ask.key);
    // The asker's view is not ours. One hint; it does not follow a second.
    if (rank == kRanks && !row.empty()) return bus_.send(from, Try{.id = ask.id, .peer = row.front()});
    if (rank > 0 && rank < kRanks && relay(from, ask, now)) return;
  }
  start(ask.key, waiter, now);
}

void Owner::join(Flight& flight, const LookupKey& key, const Waiter& waiter, TimePoint now) {
  if (flight.stage == Stage::Leased && flight.holder.asker == waiter.asker && flight.holder.ask == waiter.ask) {
    flight.holder.reply_to = waiter.reply_to;
    if (!flight.shadow) send_lease(flight, key, now);
    return;
  }
  for (const Waiter& each : flight.waiters)
    if (each.ask == waiter.ask && each.reply_to == waiter.reply_to) return;
  // Too many for one key: these go alone.
  if (flight.waiters.size() >= bus_.limits.waiters) return;
  flight.waiters.push_back(waiter);
  look_soon(flight, key, now);
  if (flight.waiters.size() == 1 && flight.stage == Stage::Leased) {
    flight.next_beat = now + bus_.limits.next_beat(now - flight.granted);
    timers_.arm(flight.next_beat, key);
  }
  bus_.send(waiter.reply_to,
            wait_of(flight, waiter, flight.stage == Stage::Leased ? flight.next_beat - now : bus_.limits.peek));
}

Wait Owner::wait_of(const Flight& flight, const Waiter& waiter, Duration next) const {
  return {.id = waiter.ask,
          .next_ms = static_cast<std::uint16_t>(std::min<std::uint32_t>(ms(next), 0xffff)),
          .what = flight.stage != Stage::Leased ? Wait::For::Search
                  : flight.queued               ? Wait::For::Turn
                                                : Wait::For::Fetch};
}

void Owner::tell_to_wait(const Flight& flight, Duration next) {
  for (const Waiter& waiter : flight.waiters) bus_.send(waiter.reply_to, wait_of(flight, waiter, next));
}

// The result of a lease that another gave goes to those whom its holder knows, and this one may not be among them: with
// somebody who waits for it, whoever told of the lease is asked again.
void Owner::look_soon(Flight& flight, const LookupKey& key, TimePoint now) {
  if (flight.stage != Stage::Leased || !flight.shadow || flight.waiters.empty() || flight.heard || !meeting(now))
    return;
  flight.look = std::min(flight.look, now + 3 * bus_.limits.beat);
  timers_.arm(flight.look, key);
}

void Owner::start(const LookupKey& key, const Waiter& waiter, TimePoint now) {
  if (flights_.size() >= bus_.limits.flights) return bus_.send(waiter.reply_to, Pass{.id = waiter.ask, .for_ms = 0});
  Flight& flight = flights_[key];
  flight.waiters.push_back(waiter);
  // A body here, even a stale one, makes a fetch free unless the resource changed.
  if (bus_.shelf.best(key, waiter.tag) != nullptr || (!meeting(now) && !others_may_hold(key) && !bus_.shelf.known(key)))
    return grant(flight, key, now);
  bus_.send(waiter.reply_to, wait_of(flight, waiter, bus_.limits.peek));
  peek_others(flight, key, now);
}

void Owner::grant(Flight& flight, const LookupKey& key, TimePoint now) {
  GHMESH_CHECK(!flight.waiters.empty());
  flight.stage = Stage::Leased;
  flight.shadow = flight.queued = flight.heard = false;
  flight.shadowed_by = nobody();
  flight.look = TimePoint::max();
  flight.holder = flight.waiters.front();
  flight.waiters.pop_front();
  flight.lease = bus_.random.next_u64();
  flight.granted = now;
  flight.deadline = now + bus_.limits.lease;
  flight.next_beat = now + bus_.limits.beat;
  timers_.arm(flight.waiters.empty() ? flight.deadline : flight.next_beat, key);
  send_lease(flight, key, now);
}

void Owner::send_lease(Flight& flight, const LookupKey& key, TimePoint now) {
  Lease lease{.id = flight.holder.ask, .lease = flight.lease, .key = key, .deadline_ms = ms(flight.deadline - now)};
  for (const PeerId& peer : bus_.ranks.of(key)) {
    if (peer == bus_.self || (bus_.scores.avoided(peer, now) && peer != flight.holder.asker)) continue;
    // A holder that stands behind us is its own shadow.
    if (peer != flight.holder.asker) {
      lease.shadow = flight.shadowed_by = peer;
      send_shadow(peer, flight, key, now);
    }
    break;
  }
  if (const Held* held = bus_.shelf.best(key, flight.holder.tag)) {
    lease.stale = held->item->version;
    if (lease.stale != flight.holder.have) {
      lease.item = held->item;
      lease.base = flight.holder.have;
    }
  }
  bus_.send(flight.holder.reply_to, std::move(lease));
}

// The holder speaks to whoever stood behind the owner when it got its lease. Another one may stand there now.
void Owner::keep_shadow(const Flight& flight, const LookupKey& key, TimePoint now) {
  const Ranks::Row& row = bus_.ranks.of(key);
  if (row.size() < 2 || row.front() != bus_.self || row[1] == flight.shadowed_by || row[1] == flight.holder.asker)
    return;
  send_shadow(row[1], flight, key, now);
}

void Owner::send_shadow(const PeerId& to, const Flight& flight, const LookupKey& key, TimePoint now) {
  bus_.send(to, Shadow{.lease = flight.lease,
                       .key = key,
                       .ask = flight.holder.ask,
                       .holder = flight.holder.asker,
                       .deadline_ms = ms(flight.deadline - now)});
}

void Owner::on_change(const Ranks::Change& change, TimePoint now) {
  if (flights_.empty()) return;
  const Ranks::Row& row = bus_.ranks.of(change.partition);
  for (std::size_t i = 0; i < std::min<std::size_t>(row.size(), 2); ++i)
    if (row[i] != bus_.self && std::find(change.before.begin(), change.before.end(), row[i]) == change.before.end())
      tell_leases(row[i], change.partition, now);
}

void Owner::tell_leases(const PeerId& to, std::uint8_t partition, TimePoint now) {
  for (const auto& [key, flight] : flights_)
    if (flight.stage == Stage::Leased && partition_of(key) == partition) send_shadow(to, flight, key, now);
}

void Owner::settle(const LookupKey& key, TimePoint now) {
  const auto it = flights_.find(key);
  if (it == flights_.end()) return;
  Flight& flight = it->second;
  std::erase_if(flight.waiters, [&](const Waiter& waiter) { return answer_if_fresh(waiter, key, now); });
  if (flight.waiters.empty()) {
    flights_.erase(it);
  } else {
    grant(flight, key, now);
  }
}

void Owner::learned(const LookupKey& key, bool is_new, TimePoint now) {
  if (!is_new || bus_.ranks.rank_of(bus_.self, partition_of(key)) != 0) return;
  const Ranks::Row& row = bus_.ranks.of(key);
  if (row.size() < kRanks) return;
  // Rank 2 gets the body; rank 3 must know at least that it exists.
  ledgers_[row[2]].push_back(key);
  if (ledgers_due_ == TimePoint::max()) ledgers_due_ = now + bus_.limits.ledger_every;
}

void Owner::send_ledgers(TimePoint now) {
  if (now < ledgers_due_) return;
  ledgers_due_ = TimePoint::max();
  for (auto& [peer, keys] : ledgers_)
    for (std::size_t i = 0; i < keys.size(); i += WireLimits::kLedgerKeys) {
      const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(i);
      const auto end = keys.begin() + static_cast<std::ptrdiff_t>(std::min(keys.size(), i + WireLimits::kLedgerKeys));
      bus_.send(peer, Ledger{.keys = {begin, end}});
    }
  ledgers_.clear();
}

void Owner::on_put(const PeerId& from, const Put& said, TimePoint now) {
  Put put = said;
  const LookupKey& key = put.item->key;
  // Only one that ranks for the key hands on what others fetched.
  if (put.item->publisher != from && bus_.ranks.rank_of(from, partition_of(key)) == kRanks) {
    auto named = std::make_shared<Item>(*put.item);
    named->publisher = from;
    put.item = std::move(named);
  }
  forward_result(from, key, put, now);
  const auto it = flights_.find(key);
  const bool of_lease = it != flights_.end() && it->second.lease == put.lease;
  // Without a lease only something newer counts: a fetch that was given up may end late.
  if (!of_lease)
    if (const Held* held = bus_.shelf.best(key, put.fresh.tag))
      if (const Validation* validation = held->fresh_for_anyone(now);
          validation != nullptr && validation->said.fetched_at_ms > put.fresh.fetched_at_ms)
        return;
  const bool is_new = !bus_.shelf.known(key);
  // A write came between: the bytes may be from before it, so they are kept but not called fresh. News of a write goes
  // before bodies, and without the lease we do not know when these were fetched.
  const bool outdated =
      bus_.written_since(put.item->groups, of_lease ? it->second.granted : now - bus_.limits.remember_invalidated);
  bus_.shelf.put(put.item, outdated ? nullptr : &put.fresh, from, now);
  learned(key, is_new, now);
  settle(key, now);
}

void Owner::on_renew(const PeerId& from, const Renew& renew, TimePoint now) {
  forward_result(from, renew.key, renew, now);
  const auto it = flights_.find(renew.key);
  const Held* held = bus_.shelf.at(renew.key, renew.version);
  const bool outdated =
      held != nullptr && it != flights_.end() && bus_.written_since(held->item->groups, it->second.granted);
  if (held != nullptr) {
    if (!outdated) bus_.shelf.confirm(renew.key, renew.version, renew.fresh, now);
    return settle(renew.key, now);
  }
  if (bus_.ranks.rank_of(bus_.self, partition_of(renew.key)) == kRanks) return settle(renew.key, now);
  // Confirmed, but not held here: whoever confirmed it has it.
  Flight& flight = flights_[renew.key];
  peek_at(from, flight, renew.key, now);
}

void Owner::on_release(const PeerId& from, const Release& release, TimePoint now) {
  forward_result(from, release.key, release, now);
  // Only whoever holds the lease may say that a key is not to be shared.
  const auto it = flights_.find(release.key);
  if (it == flights_.end() || it->second.lease != release.lease) return;
  if (release.outcome == ReleaseOutcome::Failed) {
    Flight& flight = it->second;
    if (!flight.shadow) return settle(release.key, now);
    // Who waits here may wait there, too: the owner gives the next lease, and tells of it.
    flight.deadline = now + bus_.limits.first_move;
    return timers_.arm(flight.deadline, release.key);
  }
  const Duration pause = release.outcome == ReleaseOutcome::Pass ? bus_.limits.pass : bus_.limits.negative;
  if (passes_.size() >= bus_.limits.flights)
    std::erase_if(passes_, [&](const auto& each) { return each.second <= now; });
  if (passes_.size() < bus_.limits.flights) passes_[release.key] = now + pause;
  for (const Waiter& waiter : it->second.waiters)
    bus_.send(waiter.reply_to, Pass{.id = waiter.ask, .for_ms = ms(pause)});
  flights_.erase(it);
}

void Owner::on_hold(const PeerId& from, const Hold& hold, TimePoint now) {
  const auto it = flights_.find(hold.key);
  if (it == flights_.end() || it->second.lease != hold.lease || it->second.stage != Stage::Leased) return;
  static_cast<void>(from);
  if (now - it->second.granted > bus_.limits.longest_queue + bus_.limits.longest_fetch) return;
  it->second.queued = hold.queued;
  // It knows us, so the result comes here, too.
  it->second.heard = true;
  it->second.look = TimePoint::max();
  it->second.deadline = now + bus_.limits.lease_after(std::chrono::milliseconds(hold.next_ms)) +
                        (it->second.shadow ? bus_.limits.first_move : Duration::zero());
  timers_.arm(it->second.deadline, hold.key);
  keep_shadow(it->second, hold.key, now);
}

void Owner::on_shadow(const PeerId& from, const Shadow& shadow, TimePoint now) {
  static_cast<void>(from);
  if (flights_.size() >= bus_.limits.flights) return;
  Flight& flight = flights_[shadow.key];
  if (flight.stage == Stage::Leased && flight.lease != 0 && !flight.shadow && flight.lease != shadow.lease) return;
  flight.stage = Stage::Leased;
  flight.shadow = true;
  flight.heard = flight.heard && flight.lease == shadow.lease;
  flight.look = TimePoint::max();
  flight.shadowed_by = nobody();
  flight.lease = shadow.lease;
  flight.holder = {.reply_to = shadow.holder, .asker = shadow.holder, .ask = shadow.ask, .tag = {}, .have = {}};
  flight.granted = now;
  flight.deadline =
      now + std::chrono::milliseconds(std::min<std::uint32_t>(shadow.deadline_ms, 10'000)) + bus_.limits.first_move;
  flight.next_beat = now + bus_.limits.beat;
  timers_.arm(flight.waiters.empty() ? flight.deadline : flight.next_beat, shadow.key);
  look_soon(flight, shadow.key, now);
}

void Owner::on_disconnected(const PeerId& peer, TimePoint now) {
  relays_disconnected(peer, now);
  std::vector<LookupKey> lost, unanswered;
  for (auto& [key, flight] : flights_) {
    std::erase_if(flight.waiters, [&](const Waiter& waiter) { return waiter.reply_to == peer; });
    if (flight.stage == Stage::Leased) {
      if (flight.holder.asker == peer) lost.push_back(key);
    } else if (std::erase(flight.open, peer) != 0 && flight.open.empty()) {
      unanswered.push_back(key);
    }
  }
  for (const LookupKey& key : unanswered) end_peek(key, now);
  for (const LookupKey& key : lost) {
    // The shadow leaves the first move to the owner.
    Flight& flight = flights_.at(key);
    if (!flight.shadow) {
      settle(key, now);
    } else if (flight.waiters.empty()) {
      flights_.erase(key);
    }
  }
}

void Owner::look_at(const LookupKey& key, TimePoint now) {
  const auto it = flights_.find(key);
  if (it == flights_.end()) return;
  Flight& flight = it->second;
  // That a lease is asked about does not end it, also where they have all met meanwhile.
  if (flight.stage == Stage::Leased && now >= flight.look && !flight.waiters.empty())
    return look_again(flight, key, now);
  // Where we come late ourselves, what we wait for may lie unread.
  const TimePoint deadline = flight.deadline + bus_.lag.slack();
  if (now >= deadline) {
    switch (flight.stage) {
      case Stage::Peeking:
        if (await_copy(flight, key, now)) return;
        [[fallthrough]];
      case Stage::AskingAll: return end_peek(key, now);
      case Stage::Leased:
        // Told of it late: the result goes to those whom the holder knew.
        if (flight.shadow && !flight.waiters.empty() && meeting(now)) return look_again(flight, key, now);
        // The fetcher died, or its result went astray.
        return settle(key, now);
    }
  }
  TimePoint next = now < flight.deadline ? flight.deadline : deadline;
  if (flight.stage == Stage::Leased && !flight.waiters.empty()) {
    if (now >= flight.next_beat) {
      flight.next_beat = now + bus_.limits.next_beat(now - flight.granted);
      tell_to_wait(flight, flight.next_beat - now);
    }
    next = std::min({next, flight.next_beat, flight.look});
  }
  timers_.arm(next, key);
}

void Owner::tick(TimePoint now) {
  for (const LookupKey& key : timers_.take_due(now)) look_at(key, now);
  tick_relays(now);
  send_ledgers(now);
}

TimePoint Owner::next_deadline() {
  const TimePoint flight = timers_.next([&](TimePoint, const LookupKey& key) { return flights_.contains(key); });
  const TimePoint relay = relay_timers_.next([&](TimePoint, std::uint64_t id) { return relays_.contains(id); });
  return std::min({flight, relay, ledgers_due_});
}

}  // namespace ghmesh::mesh
