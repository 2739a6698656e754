// SPDX-License-Identifier: Apache-2.0
#include "finder.hpp"

#include <algorithm>

namespace ghmesh::mesh {
namespace {

bool is_in(const std::vector<PeerId>& peers, const PeerId& peer) {
  return std::find(peers.begin(), peers.end(), peer) != peers.end();
}

}  // namespace

void Finder::arm(FindId id, Search& search, TimePoint when) {
  search.next = when;
  timers_.arm(when, id);
}

FindId Finder::find(const LookupKey& key, const TokenTag& tag, const Version& have, const Disbelieved& disbelieved,
                    TimePoint now) {
  const FindId id = ++next_id_;
  if (!disbelieved.from.empty()) bus_.shelf.drop(key, disbelieved.version);
  const Held* held = bus_.shelf.best(key, tag);
  if (held != nullptr) {
    if (const Validation* validation = held->fresh_for(tag, now)) {
      results_.push_back({.find = id,
                          .kind = FindResult::Kind::Fresh,
                          .item = held->item,
                          .same = held->item->version == have,
                          .fresh = Shelf::restate(*validation, now),
                          .from = held->publisher});
      return id;
    }
  }
  Search& search = searches_[id];
  search.key = key;
  search.tag = tag;
  search.have = have;
  // What the shelf holds need not travel again.
  if (have == Version{} && held != nullptr) search.have = held->item->version;
  search.disbelieved = disbelieved.from;
  search.began = now;
  search.patience_ends = now + bus_.limits.patience;
  if (bypasses(key, now) || searches_.size() > bus_.limits.searches ||
      !ask_anyone(id, search, disbelieved.publisher, now))
    go_alone(id, search, now);
  return id;
}

// Where nobody answers, requests go on as if there were no mesh, and one a second finds out when that has changed.
bool Finder::bypasses(const LookupKey& key, TimePoint now) {
  if (unanswered_ < bus_.limits.bypass_after) return false;
  // What is decided here asks nobody, so it finds out nothing.
  if (const Ranks::Row& row = bus_.ranks.of(key); !row.empty() && row.front() == bus_.self) return false;
  if (now < next_try_) return true;
  next_try_ = now + 1s;
  return false;
}

// Who was slow lately is passed over; but a machine that is slow for all must not send everybody to GitHub.
bool Finder::ask_anyone(FindId id, Search& search, const PeerId& first, TimePoint now) {
  if (first != nobody() && first != bus_.self && !is_in(search.disbelieved, first) && bus_.is_member(first) &&
      !bus_.scores.avoided(first, now)) {
    ask(id, search, first, now);
    return true;
  }
  if (ask_next(id, search, now)) return true;
  if (may_go_alone(search, now)) return false;
  for (const PeerId& peer : bus_.ranks.of(search.key)) {
    if (bus_.scores.banned(peer, now) || is_in(search.disbelieved, peer)) continue;
    extend(search, now);
    ask(id, search, peer, now);
    return true;
  }
  return false;
}

void Finder::extend(Search& search, TimePoint now) {
  search.extended = true;
  search.patience_ends = now + (bus_.limits.patience_over_budget - bus_.limits.patience);
}

bool Finder::ask_next(FindId id, Search& search, TimePoint now) {
  for (const PeerId& peer : bus_.ranks.of(search.key)) {
    if (is_in(search.asked, peer) || is_in(search.disbelieved, peer)) continue;
    // What lay here was not true, and as an owner we would get it again from where it came.
    if (peer == bus_.self && !search.disbelieved.empty()) continue;
    if (peer != bus_.self && bus_.scores.avoided(peer, now)) continue;
    ask(id, search, peer, now);
    return true;
  }
  return false;
}

void Finder::ask(FindId id, Search& search, const PeerId& peer, TimePoint now) {
  const Ranks::Row& row = bus_.ranks.of(search.key);
  // Behind an owner that we do not believe, the next one must decide for itself.
  const bool believed = row.empty() || row.front() == bus_.self || !bus_.scores.disbelieved(row.front(), now);
  search.stage = Stage::Asking;
  search.current = peer;
  search.asked.push_back(peer);
  bus_.send(peer, question(id, search, !believed || !search.disbelieved.empty() ? 1 : 0));
  arm(id, search, std::min(now + bus_.limits.first_answer, search.patience_ends));
}

Ask Finder::question(FindId id, const Search& search, std::uint8_t hop) const {
  return {.id = id, .key = search.key, .tag = search.tag, .have = search.have, .hop = hop, .origin = std::nullopt};
}

bool Finder::may_go_alone(const Search& search, TimePoint now) {
  // The budget is the fleet's; this is our part of it. A part of less than one has to be saved up for.
  const double part = std::min(1.0, bus_.limits.alone_members / static_cast<double>(bus_.members + 1));
  const double burst = bus_.limits.alone_burst * part;
  if (!alone_filled_) {
    alone_tokens_ = burst;
  } else {
    const double seconds = std::chrono::duration<double>(now - *alone_filled_).count();
    alone_tokens_ = std::min(std::max(1.0, burst), alone_tokens_ + seconds * bus_.limits.alone_per_second * part);
  }
  alone_filled_ = now;
  if (alone_tokens_ >= 1) {
    alone_tokens_ -= 1;
    return true;
  }
  // Over budget: worth a longer wait only where somebody answers at all, and only once.
  return search.extended || now - last_answer_ > 1s;
}

void Finder::go_alone(FindId id, Search& search, TimePoint now) {
  fetch(search, now);
  results_.push_back({.find = id,
                      .kind = FindResult::Kind::Alone,
                      .item = nullptr,
                      .same = false,
                      .fresh = {},
                      .from = nobody(),
                      .share = search.share});
  if (const Held* held = bus_.shelf.best(search.key, search.tag)) results_.back().item = held->item;
}

void Finder::fetch(Search& search, TimePoint now) {
  search.stage = Stage::Fetching;
  search.fetch_began = now;
}

void Finder::finish(FindId id, FindResult result) {
  result.find = id;
  results_.push_back(std::move(result));
}

bool Finder::is_older_than(const Search& search, const Freshness& fresh, TimePoint now) {
  return std::chrono::milliseconds(fresh.fresh_ms - std::min(fresh.left_ms, fresh.fresh_ms)) > now - search.began;
}

bool Finder::on_lease(FindId id, Search& search, const PeerId& from, const Lease& lease, TimePoint now) {
  for (const Grant& grant : search.grants)
    if (grant.lease == lease.lease) return true;
  waited_for_nothing(search, from, now);
  search.grants.push_back({from, lease.lease});
  if (lease.shadow && !search.shadow) search.shadow = lease.shadow;
  search.base = lease.stale;
  if (search.stage == Stage::Fetching) {
    // Went ahead already; this owner gets the result too, and hears until then that it will.
    if (search.grants.size() == 1) arm(id, search, now);
    return true;
  }
  FindResult result{.kind = FindResult::Kind::Lease, .from = from};
  if (lease.item != nullptr && lease.item->key == search.key) {
    bus_.shelf.put(lease.item, nullptr, from, now);
    result.item = lease.item;
  } else if (lease.stale != Version{} && lease.stale == search.have) {
    result.same = true;
    if (const Held* held = bus_.shelf.at(search.key, search.have)) result.item = held->item;
  }
  fetch(search, now);
  arm(id, search, now + bus_.limits.hold_every);
  // Standing behind the owner ourselves, we are the shadow, and hear of our own fetch as any other would.
  if (from != bus_.self && bus_.ranks.rank_of(bus_.self, partition_of(search.key)) < kRanks) {
    shadow_here_(
        {.lease = lease.lease, .key = search.key, .ask = id, .holder = bus_.self, .deadline_ms = lease.deadline_ms},
        now);
    search.grants.push_back({bus_.self, lease.lease});
  }
  finish(id, std::move(result));
  return true;
}

bool Finder::on_answer(const PeerId& from, std::uint64_t id, const Message& answer, TimePoint now) {
  const auto it = searches_.find(id);
  if (it == searches_.end()) return false;
  Search& search = it->second;
  if (!is_in(search.asked, from)) return true;
  if (from != bus_.self) {
    last_answer_ = now;
    unanswered_ = 0;
  }
  if (const auto* lease = std::get_if<Lease>(&answer)) return on_lease(id, search, from, *lease, now);
  if (search.stage == Stage::Fetching) return true;
  if (const auto* wait = std::get_if<Wait>(&answer)) {
    on_wait(id, search, from, *wait, now);
    return true;
  }
  if (const auto* same = std::get_if<Same>(&answer)) {
    if (same->version != search.have || search.have == Version{}) {
      bus_.scores.note(from, Experience::ProtocolError, now);
      return true;
    }
    FindResult result{.kind = same->candidate ? FindResult::Kind::Candidate : FindResult::Kind::Fresh,
                      .same = true,
                      .fresh = same->fresh,
                      .from = from};
    if (!same->candidate) {
      bus_.shelf.confirm(search.key, same->version, same->fresh, now);
      if (is_older_than(search, same->fresh, now)) waited_for_nothing(search, from, now);
    }
    if (const Held* held = bus_.shelf.at(search.key, same->version)) result.item = held->item;
    finish(id, std::move(result));
  } else if (const auto* body = std::get_if<Body>(&answer)) {
    if (body->item->key != search.key || (!body->candidate && body->fresh.tag != search.tag)) {
      bus_.scores.note(from, Experience::ProtocolError, now);
      return true;
    }
    bus_.shelf.put(body->item, body->candidate ? nullptr : &body->fresh, from, now);
    if (!body->candidate && is_older_than(search, body->fresh, now)) waited_for_nothing(search, from, now);
    finish(id, {.kind = body->candidate ? FindResult::Kind::Candidate : FindResult::Kind::Fresh,
                .item = body->item,
                .fresh = body->fresh,
                .from = from});
  } else if (std::holds_alternative<Pass>(answer)) {
    search.share = false;
    go_alone(id, search, now);
    return true;
  } else if (const auto* hint = std::get_if<Try>(&answer)) {
    if (!search.hinted && hint->peer != bus_.self && !is_in(search.asked, hint->peer) &&
        !is_in(search.disbelieved, hint->peer)) {
      search.hinted = true;
      ask(id, search, hint->peer, now);
    } else if (search.current == from && !ask_next(id, search, now)) {
      go_alone(id, search, now);
    }
    return true;
  }
  // Served. A candidate goes on: its own 304 is told to the owner.
  if (results_.back().kind == FindResult::Kind::Candidate) {
    fetch(search, now);
  } else {
    searches_.erase(it);
  }
  return true;
}

void Finder::on_wait(FindId id, Search& search, const PeerId& from, const Wait& wait, TimePoint now) {
  if (search.stage != Stage::Waiting) search.wait_ends = search.began + bus_.limits.longest_wait;
  search.stage = Stage::Waiting;
  search.current = from;
  if (wait.what == Wait::For::Turn)
    search.wait_ends = std::min(now + bus_.limits.longest_wait, search.began + bus_.limits.longest_queue);
  // Before that rank 2 need not have heard of a lease: its owner looks for the body still.
  if (wait.what != Wait::For::Search) {
    if (!search.second_opinion) search.second_opinion = now + bus_.limits.second_opinion;
    if (!is_in(search.told_to_wait, from)) search.told_to_wait.push_back(from);
  }
  const TimePoint missed = now + bus_.limits.missed_beats_after(std::chrono::milliseconds(wait.next_ms));
  arm(id, search, std::min({missed, search.wait_ends, search.second_opinion.value_or(TimePoint::max())}));
}

// Whoever stands behind the owner has the shadow of a lease that it gave; without one it finds out for itself. Where
// ranks change just now that says nothing yet.
void Finder::ask_second(FindId id, Search& search, TimePoint now) {
  const Ranks::Row& row = bus_.ranks.of(search.key);
  if (row.empty() || !is_in(search.asked, row.front())) {
    search.second_opinion = now + bus_.limits.second_opinion;
    return;
  }
  search.second_opinion = TimePoint::max();
  if (row.size() < 2 || is_in(search.asked, row[1]) || is_in(search.disbelieved, row[1])) return;
  search.asked.push_back(row[1]);
  search.second = row[1];
  bus_.send(row[1], question(id, search, 1));
}

// From another than who said that somebody fetches it there comes a lease, or what was fetched before we asked.
void Finder::waited_for_nothing(Search& search, const PeerId& from, TimePoint now) {
  for (const PeerId& peer : std::exchange(search.told_to_wait, {}))
    if (peer != from) bus_.scores.note(peer, Experience::Misled, now);
}

std::uint64_t Finder::lease_for(const Search& search, const PeerId& peer) const {
  for (const Grant& grant : search.grants)
    if (grant.peer == peer) return grant.lease;
  return search.grants.empty() ? 0 : search.grants.front().lease;
}

std::vector<PeerId> Finder::targets(const Search& search, TimePoint now) const {
  std::vector<PeerId> to;
  const auto add = [&](const PeerId& peer) {
    if (std::find(to.begin(), to.end(), peer) == to.end()) to.push_back(peer);
  };
  for (const Grant& grant : search.grants) add(grant.peer);
  if (search.shadow) add(*search.shadow);
  const Ranks::Row& row = bus_.ranks.of(search.key);
  // Ranks 1 and 2 as we see them now: they may have changed since the lease.
  for (std::size_t i = 0; i < std::min<std::size_t>(row.size(), 2); ++i)
    if (row[i] == bus_.self || !bus_.scores.avoided(row[i], now)) add(row[i]);
  return to;
}

void Finder::put(FindId find, ItemPtr item, const Freshness& fresh, TimePoint now) {
  const auto it = searches_.find(find);
  if (it == searches_.end()) return;
  const Search search = std::move(it->second);
  searches_.erase(it);
  const bool outdated = bus_.written_since(item->groups, search.fetch_began);
  if (item->key != search.key) return;
  if (search.share)
    for (const PeerId& peer : targets(search, now))
      bus_.send(peer, Put{.lease = lease_for(search, peer), .item = item, .base = search.base, .fresh = fresh});
  bus_.shelf.put(std::move(item), outdated ? nullptr : &fresh, bus_.self, now);
}

void Finder::renew(FindId find, const Version& version, const Freshness& fresh, TimePoint now) {
  const auto it = searches_.find(find);
  if (it == searches_.end()) return;
  const Search search = std::move(it->second);
  searches_.erase(it);
  if (search.share)
    for (const PeerId& peer : targets(search, now))
      bus_.send(peer, Renew{.lease = lease_for(search, peer), .key = search.key, .version = version, .fresh = fresh});
  const Held* held = bus_.shelf.at(search.key, version);
  if (held != nullptr && !bus_.written_since(held->item->groups, search.fetch_began))
    bus_.shelf.confirm(search.key, version, fresh, now);
}

void Finder::abandon(FindId find, ReleaseOutcome outcome, TimePoint now) {
  const auto it = searches_.find(find);
  if (it == searches_.end()) return;
  const Search search = std::move(it->second);
  searches_.erase(it);
  if (search.stage != Stage::Fetching) return;
  // Refusals are told only by whoever holds a lease: others learn nothing they wait for.
  if (search.grants.empty()) return;
  for (const PeerId& peer : targets(search, now))
    bus_.send(peer, Release{.lease = lease_for(search, peer), .key = search.key, .outcome = outcome});
}

// Who gave the lease may be dead, and nobody else surely knows of it: the holder's own word counts.
bool Finder::on_peek(const PeerId& from, const Peek& peek, TimePoint now) {
  if (const Held* held = bus_.shelf.best(peek.key, TokenTag{});
      held != nullptr && held->fresh_for_anyone(now) != nullptr)
    return false;
  for (auto& [id, search] : searches_) {
    if (search.key != peek.key || search.stage != Stage::Fetching || search.grants.empty()) continue;
    const std::uint64_t lease = lease_for(search, from);
    if (std::ranges::none_of(search.grants, [&](const Grant& grant) { return grant.peer == from; }))
      search.grants.push_back({from, lease});
    bus_.send(from, Shadow{.lease = lease,
                           .key = peek.key,
                           .ask = id,
                           .holder = bus_.self,
                           .deadline_ms = static_cast<std::uint32_t>(bus_.limits.lease / 1ms)});
    return true;
  }
  return false;
}

void Finder::on_disconnected(const PeerId& peer, TimePoint now) {
  std::vector<FindId> affected;
  for (auto& [id, search] : searches_)
    if (search.stage != Stage::Fetching && search.current == peer) affected.push_back(id);
  for (const FindId id : affected) {
    Search& search = searches_.at(id);
    if (search.stage == Stage::Waiting) {
      search.patience_ends = now + bus_.limits.patience;
      // Whoever was asked for a second opinion knows of the fetch, or says so now.
      if (const std::optional<PeerId> second = std::exchange(search.second, std::nullopt); second && second != peer) {
        search.current = *second;
        arm(id, search, std::min(now + bus_.limits.missed_beats_after(bus_.limits.longest_silence), search.wait_ends));
        continue;
      }
    }
    if (!ask_next(id, search, now)) go_alone(id, search, now);
  }
}

void Finder::queued(FindId find, bool waits, TimePoint now) {
  const auto it = searches_.find(find);
  if (it == searches_.end() || it->second.stage != Stage::Fetching || it->second.queued == waits) return;
  it->second.queued = waits;
  it->second.fetch_began = now;
}

void Finder::hold(FindId id, Search& search, TimePoint now) {
  const Duration next = bus_.limits.next_hold(now - search.fetch_began);
  const auto word = [&](std::uint64_t lease) {
    return Hold{
        .lease = lease, .key = search.key, .next_ms = static_cast<std::uint16_t>(next / 1ms), .queued = search.queued};
  };
  for (const Grant& grant : search.grants) bus_.send(grant.peer, word(grant.lease));
  if (search.shadow) bus_.send(*search.shadow, word(search.grants.front().lease));
  arm(id, search, now + next);
}

void Finder::look_at(FindId id, TimePoint now) {
  const auto it = searches_.find(id);
  if (it == searches_.end() || it->second.next > now) return;
  Search& search = it->second;
  if (search.stage != Stage::Fetching) {
    // Where we come late ourselves the answer may lie unread, and others may be as late.
    if (now < search.next + bus_.lag.slack()) return timers_.arm(search.next + bus_.lag.slack(), id);
    search.patience_ends += now - search.next;
  }
  switch (search.stage) {
    case Stage::Fetching:
      if (now - search.fetch_began > (search.queued ? bus_.limits.longest_queue : bus_.limits.longest_fetch))
        return abandon(id, ReleaseOutcome::Failed, now);
      return hold(id, search, now);
    case Stage::Waiting:
      if (now >= search.wait_ends) return go_alone(id, search, now);
      if (search.second_opinion && now >= *search.second_opinion) {
        ask_second(id, search, now);
        return arm(id, search,
                   std::min({now + bus_.limits.missed_beats_after(bus_.limits.longest_silence), search.wait_ends,
                             *search.second_opinion}));
      }
      // The owner went silent during somebody's fetch; the next rank has the shadow.
      bus_.silent(search.current, now);
      search.patience_ends = now + bus_.limits.patience;
      if (!ask_next(id, search, now)) go_alone(id, search, now);
      return;
    case Stage::Asking:
      if (now >= search.patience_ends) {
        if (search.current != bus_.self) {
          bus_.silent(search.current, now);
          ++unanswered_;
        }
        if (may_go_alone(search, now)) return go_alone(id, search, now);
        extend(search, now);
        return arm(id, search, search.patience_ends);
      }
      bus_.silent(search.current, now);
      if (!ask_next(id, search, now)) arm(id, search, search.patience_ends);
      return;
  }
}

TimePoint Finder::next_deadline() {
  return timers_.next([&](TimePoint when, FindId id) {
    const auto it = searches_.find(id);
    return it != searches_.end() && it->second.next <= when;
  });
}

void Finder::tick(TimePoint now) {
  for (const FindId id : timers_.take_due(now)) look_at(id, now);
}

}  // namespace ghmesh::mesh
