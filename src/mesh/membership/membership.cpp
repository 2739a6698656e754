// SPDX-License-Identifier: Apache-2.0
#include "membership.hpp"

#include <algorithm>

namespace ghmesh::mesh {
namespace {

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// FNV-1a: the same on every machine, which std::hash is not bound to be.
std::uint64_t hash_of(const PeerId& peer) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::uint8_t byte : peer.bytes()) hash = (hash ^ byte) * 0x100000001b3u;
  return mix(hash);
}

// Suspicion is local colour: views that differ only in it are the same.
std::uint64_t stamp(const Member& member) {
  return (std::uint64_t{member.incarnation} << 8) | (member.in_mesh() ? 0u : 1u) | (member.draining ? 2u : 0u);
}

std::uint32_t age_ms(TimePoint from, TimePoint now) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - from).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 0, 0xffffffff));
}

bool is_eligible(const Member& member) { return member.in_mesh() && member.reachable && !member.draining; }

}  // namespace

Membership::Membership(SelfDescription self, MembershipLimits limits, Random& random, TimePoint now)
    : limits_(limits), random_(random) {
  self_.peer = self.peer;
  self_.reachable = self.reachable;
  self_.stable = self.stable;
  self_.addresses = std::move(self.addresses);
  self_.joined = self_.since = now;
  // Phases are spread, so that a thousand nodes started together do not probe together.
  const auto phase = [&](Duration of) { return now + Duration(random_.below(static_cast<std::uint64_t>(of.count()))); };
  next_probe_ = phase(limits_.probe_every);
  next_gossip_ = phase(limits_.gossip_every);
  next_revival_ = phase(limits_.revive_every);
  last_sync_ = now - limits_.sync_every;
  count_digest(self_);
  announce(self_.peer);
  coming_of_age_.emplace_back(now + limits_.owner_age, self_.peer);
  changed_.push_back(self_.peer);
}

Member* Membership::known(const PeerId& peer) {
  if (peer == self_.peer) return &self_;
  const auto it = members_.find(peer);
  return it == members_.end() ? nullptr : &it->second;
}

const Member* Membership::find(const PeerId& peer) const { return const_cast<Membership*>(this)->known(peer); }

bool Membership::owns_keys(const Member& member, TimePoint now) const {
  return is_eligible(member) && (now - member.joined >= limits_.owner_age || member.joined <= founded_by_);
}

void Membership::look_for_first(const PeerId& changed) {
  const Member* member = find(changed);
  const bool eligible = member != nullptr && is_eligible(*member);
  if (eligible && (!first_ || member->joined < first_->joined)) {
    first_ = First{changed, member->joined};
  } else if (first_ && first_->peer == changed && (!eligible || member->joined > first_->joined)) {
    // It was the first and is not any more: the only time that all are looked at.
    first_.reset();
    const auto look = [&](const Member& each) {
      if (is_eligible(each) && (!first_ || each.joined < first_->joined)) first_ = First{each.peer, each.joined};
    };
    look(self_);
    for (const auto& [peer, each] : members_) look(each);
  }
}

TimePoint Membership::end_of_founding(TimePoint now) const {
  // Behind somebody of twice the age, whoever came within one of him is old enough anyway.
  return !first_ || first_->joined <= now - 2 * limits_.owner_age ? TimePoint::min()
                                                                  : first_->joined + limits_.owner_age;
}

std::vector<PeerId> Membership::take_changed(TimePoint now) {
  if (changed_.empty()) return {};
  for (const PeerId& peer : changed_) look_for_first(peer);
  const TimePoint founded_by = end_of_founding(now);
  if (std::exchange(founded_by_, founded_by) != founded_by) {
    changed_.push_back(self_.peer);
    for (const auto& [peer, member] : members_) changed_.push_back(peer);
  }
  return std::exchange(changed_, {});
}

// The digest is a sum that can be taken back: called before and after a change, with odd and even effect. Only of those
// in the mesh: who came after a death never heard of it, and views that differ in the dead alone have nothing to tell
// each other.
void Membership::count_digest(const Member& member) {
  if (!member.in_mesh()) return;
  digest_ ^= mix(hash_of(member.peer) + 0x9e3779b97f4a7c15u * (stamp(member) + 1));
}

void Membership::set_state(Member& member, MemberState state, TimePoint now) {
  if (member.state == state) return;
  const bool was_in = member.in_mesh();
  count_digest(member);
  member.state = state;
  member.since = now;
  member.accusers.clear();
  count_digest(member);
  if (was_in != member.in_mesh()) live_ += was_in ? std::size_t(-1) : 1;
  if (!member.in_mesh()) gone_.emplace_back(now, member.peer);
  if (state == MemberState::Suspect) suspects_.emplace_back(now + slowed(limits_.suspicion_confirmed), member.peer);
  announce(member.peer);
  changed_.push_back(member.peer);
}

MemberUpdate Membership::describe(const Member& member, TimePoint now) const {
  MemberUpdate update{.peer = member.peer,
                      .incarnation = member.incarnation,
                      .state = member.state,
                      .reachable = member.reachable,
                      .stable = member.stable,
                      .draining = member.draining,
                      .age_ms = age_ms(member.joined, now),
                      .addresses = {}};
  // Addresses matter of those who may be dialled.
  if (member.state == MemberState::Alive) update.addresses = member.addresses;
  return update;
}

void Membership::on_admitted(const PeerId& peer, std::vector<Bytes> addresses, TimePoint now) {
  if (peer == self_.peer) return;
  const auto it = members_.find(peer);
  if (it != members_.end()) {
    // A dead one that proves itself may come back by refuting; its next message does that.
    if (!it->second.in_mesh()) send_ping(peer, ++sequence_, now);
  } else if (!met_anyone_ || now >= last_sync_ + limits_.sync_every) {
    // Its own word brings it into the view, so that its age and flags are right from the start.
    send_sync(peer, true, now);
  } else {
    send_ping(peer, ++sequence_, now);
  }
  if (!met_anyone_) {
    met_anyone_ = true;
    last_sync_ = now;
  }
  static_cast<void>(addresses);
}

void Membership::doubt(const PeerId& peer, TimePoint now) {
  const auto it = members_.find(peer);
  if (it == members_.end() || it->second.state != MemberState::Alive || probe_.open) return;
  probe(peer, now);
}

void Membership::set_reachable(bool reachable, TimePoint now) {
  if (self_.reachable == reachable) return;
  count_digest(self_);
  self_.reachable = reachable;
  ++self_.incarnation;
  count_digest(self_);
  announce_self(now);
}

void Membership::drain(TimePoint now) {
  count_digest(self_);
  self_.draining = true;
  ++self_.incarnation;
  count_digest(self_);
  announce_self(now);
  gossip(now);
}

void Membership::leave(TimePoint now) {
  count_digest(self_);
  self_.state = MemberState::Left;
  ++self_.incarnation;
  count_digest(self_);
  announce_self(now);
  for (const PeerId& peer : sample(limits_.gossip_to * 2)) send(peer, News{.updates = {describe(self_, now)}});
}

void Membership::send_ping(const PeerId& to, std::uint32_t sequence, TimePoint now) {
  std::vector<CounterRow> counters = counters_;
  if (!own_counters_.values.empty()) counters.push_back(own_counters_);
  send(to, Ping{.sequence = sequence,
                .digest = digest_,
                .updates = pick_news(limits_.gossip_updates / 2, now, &to),
                .counters = std::move(counters)});
}

void Membership::probe(const PeerId& target, TimePoint now) {
  probe_ = {.target = target,
            .sequence = ++sequence_,
            .ask_others_at = now + slowed(limits_.probe_timeout),
            .ends = now + slowed(limits_.probe_every),
            .asked_others = false,
            .open = true};
  send_ping(target, probe_.sequence, now);
}

void Membership::start_probe(TimePoint now) {
  next_probe_ = now + slowed(limits_.probe_every);
  if (probe_.open) return;
  for (std::size_t tries = 0; tries < order_.size() + 1; ++tries) {
    if (next_in_order_ >= order_.size()) {
      next_in_order_ = 0;
      std::erase_if(order_, [&](const PeerId& peer) { return !members_.contains(peer); });
      for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
      if (order_.empty()) return;
    }
    const PeerId target = order_[next_in_order_++];
    const auto it = members_.find(target);
    if (it != members_.end() && it->second.in_mesh()) return probe(target, now);
  }
}

void Membership::end_probe(TimePoint now) {
  probe_.open = false;
  const auto it = members_.find(probe_.target);
  if (it == members_.end() || it->second.state != MemberState::Alive) return;
  // Perhaps it is us: a node that misses answers of many accuses more slowly.
  unwell_ = std::min(unwell_ + 1, limits_.max_unwell);
  set_state(it->second, MemberState::Suspect, now);
}

void Membership::forget_longest_gone() {
  const auto [when, peer] = gone_.front();
  gone_.pop_front();
  const auto it = members_.find(peer);
  if (it == members_.end() || it->second.in_mesh() || it->second.since != when) return;
  news_ -= it->second.is_news ? 1 : 0;
  members_.erase(it);
}

void Membership::revive_someone(TimePoint now) {
  next_revival_ = now + limits_.revive_every;
  while (!gone_.empty() && now - gone_.front().first > limits_.forget_dead) forget_longest_gone();
  // Rarer when there are many: a fleet's dead are mostly dead.
  if (gone_.empty() || random_.below(std::max<std::size_t>(live_, 1) / 8 + 1) != 0) return;
  const auto it = members_.find(gone_[random_.below(gone_.size())].second);
  if (it != members_.end() && it->second.state == MemberState::Dead) send_ping(it->first, ++sequence_, now);
}

void Membership::expire(TimePoint now) {
  for (std::size_t n = suspects_.size(); n > 0 && !suspects_.empty(); --n) {
    const auto [when, peer] = suspects_.front();
    suspects_.pop_front();
    const auto it = members_.find(peer);
    if (it == members_.end() || it->second.state != MemberState::Suspect) continue;
    const Member& member = it->second;
    const TimePoint dies =
        member.since + slowed(member.accusers.size() >= 2 ? limits_.suspicion_confirmed : limits_.suspicion);
    if (now >= dies) {
      set_state(it->second, MemberState::Dead, now);
    } else {
      suspects_.emplace_back(when > now ? when : std::min(dies, now + 250ms), peer);
    }
  }
  while (!coming_of_age_.empty() && coming_of_age_.front().first <= now) {
    changed_.push_back(coming_of_age_.front().second);
    coming_of_age_.pop_front();
  }
  std::erase_if(relayed_, [&](const Relayed& relay) { return relay.until <= now; });
}

void Membership::tick(TimePoint now) {
  if (probe_.open && !probe_.asked_others && now >= probe_.ask_others_at) {
    probe_.asked_others = true;
    for (const PeerId& helper : sample(limits_.indirect_probes))
      if (helper != probe_.target) send(helper, PingRequest{.sequence = probe_.sequence, .target = probe_.target});
  }
  if (probe_.open && now >= probe_.ends) end_probe(now);
  if (now >= next_probe_) start_probe(now);
  if (now >= next_gossip_) gossip(now);
  if (now >= next_revival_) revive_someone(now);
  expire(now);
}

TimePoint Membership::next_deadline() const {
  TimePoint next = std::min({next_probe_, next_revival_});
  if (news_ > 0 && live_ > 0) next = std::min(next, next_gossip_);
  if (probe_.open) next = std::min(next, probe_.asked_others ? probe_.ends : probe_.ask_others_at);
  for (const auto& suspect : suspects_) next = std::min(next, suspect.first);
  if (!coming_of_age_.empty()) next = std::min(next, coming_of_age_.front().first);
  return next;
}

void Membership::apply_about_self(const MemberUpdate& update, TimePoint now) {
  const bool wrong = update.state != self_.state || update.incarnation > self_.incarnation;
  if (!wrong || update.incarnation < self_.incarnation || self_.state == MemberState::Left) return;
  count_digest(self_);
  self_.incarnation = update.incarnation + 1;
  count_digest(self_);
  if (update.state == MemberState::Suspect) unwell_ = std::min(unwell_ + 1, limits_.max_unwell);
  announce_self(now);
}

void Membership::apply(const MemberUpdate& update, const PeerId& from, TimePoint now) {
  if (update.peer == self_.peer) return apply_about_self(update, now);
  const auto it = members_.find(update.peer);
  if (it == members_.end()) {
    if (!(update.state <= MemberState::Suspect)) return;
    // Runners of one job each: those that ended in a quarter of an hour may be many times those that live.
    while (members_.size() >= limits_.members && !gone_.empty()) forget_longest_gone();
    if (members_.size() >= limits_.members) return;
    Member member{.peer = update.peer,
                  .incarnation = update.incarnation,
                  .state = update.state,
                  .reachable = update.reachable,
                  .stable = update.stable,
                  .draining = update.draining,
                  .joined = now - std::chrono::milliseconds(update.age_ms),
                  .since = now,
                  .addresses = update.addresses,
                  .accusers = {}};
    count_digest(member);
    ++live_;
    // In at a random place, so that a new member is probed neither first nor last by everybody.
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(random_.below(order_.size() + 1)), update.peer);
    if (member.state == MemberState::Suspect)
      suspects_.emplace_back(now + slowed(limits_.suspicion_confirmed), member.peer);
    if (const TimePoint of_age = member.joined + limits_.owner_age; of_age > now) {
      const auto place = std::upper_bound(coming_of_age_.begin(), coming_of_age_.end(), of_age,
                                          [](TimePoint t, const auto& entry) { return t < entry.first; });
      coming_of_age_.emplace(place, of_age, member.peer);
    }
    members_.emplace(update.peer, std::move(member));
    announce(update.peer);
    changed_.push_back(update.peer);
    return;
  }
  Member& member = it->second;
  const bool newer = update.incarnation > member.incarnation;
  const bool worse = update.incarnation == member.incarnation && update.state > member.state;
  if (!newer && !worse) {
    // Another one that suspects what we suspect brings its end nearer.
    if (update.state == MemberState::Suspect && member.state == MemberState::Suspect &&
        update.incarnation == member.incarnation && member.accusers.size() < 4 &&
        std::find(member.accusers.begin(), member.accusers.end(), from) == member.accusers.end())
      member.accusers.push_back(from);
    return;
  }
  if (newer) {
    count_digest(member);
    member.incarnation = update.incarnation;
    member.reachable = update.reachable;
    member.stable = update.stable;
    member.draining = update.draining;
    // A restarted process is as young as it says; a refutation is as old as before.
    const TimePoint joined = now - std::chrono::milliseconds(update.age_ms);
    if (joined > member.joined + 1s) {
      member.joined = joined;
      coming_of_age_.emplace_back(std::max(now, joined + limits_.owner_age), member.peer);
      std::sort(coming_of_age_.begin(), coming_of_age_.end());
    }
    if (!update.addresses.empty()) member.addresses = update.addresses;
    count_digest(member);
    announce(update.peer);
    changed_.push_back(update.peer);
  }
  set_state(member, update.state, now);
}

void Membership::compare(const PeerId& from, std::uint64_t digest, TimePoint now) {
  if (digest == digest_) return;
  // With news still on its way views differ anyway, and a comparison costs 16 bytes a member. Without, somebody missed
  // something, and as long as that lasts two members may both think they own a key.
  const Duration pause = founding(now) ? limits_.founding_sync_quiet : limits_.sync_quiet;
  const bool quiet = news_ == 0 && now >= last_sync_ + pause;
  if (!quiet && now < last_sync_ + std::max(limits_.sync_every, Duration(100ms) * static_cast<int>(live_))) return;
  last_sync_ = now;
  send_sync(from, true, now);
}

void Membership::send_sync(const PeerId& to, bool answer, TimePoint now) {
  Sync sync{.known = {{hash_of(self_.peer), stamp(self_)}}, .answer = answer};
  for (const auto& [peer, member] : members_)
    if (sync.known.size() < WireLimits::kPullKeys && (member.in_mesh() || now - member.since < limits_.name_dead))
      sync.known.push_back({hash_of(peer), stamp(member)});
  send(to, std::move(sync));
}

void Membership::on_sync(const PeerId& from, const Sync& sync, TimePoint now) {
  std::unordered_map<std::uint64_t, std::uint64_t> theirs;
  for (const auto& [peer, stamp_of] : sync.known) theirs.emplace(peer, stamp_of);
  std::size_t known_here = 0;
  bool they_know_more = false;
  std::vector<MemberUpdate> updates;
  const auto flush = [&] {
    if (!updates.empty()) send(from, News{.updates = std::exchange(updates, {})});
  };
  const auto look = [&](const Member& member) {
    const auto it = theirs.find(hash_of(member.peer));
    if (it != theirs.end()) {
      ++known_here;
      if (it->second >= stamp(member)) {
        they_know_more |= it->second > stamp(member);
        return;
      }
    } else if (!member.in_mesh()) {
      return;  // nobody needs to hear of the end of someone unknown
    }
    updates.push_back(describe(member, now));
    if (updates.size() == WireLimits::kUpdates / 2) flush();
  };
  look(self_);
  for (const auto& [peer, member] : members_) look(member);
  flush();
  if (sync.answer && (they_know_more || known_here < theirs.size())) send_sync(from, false, now);
}

void Membership::on_message(const PeerId& from, const Message& message, TimePoint now) {
  const auto take = [&](const std::vector<MemberUpdate>& updates) {
    for (const MemberUpdate& update : updates) apply(update, from, now);
  };
  if (const auto* ping = std::get_if<Ping>(&message)) {
    take(ping->updates);
    send(from, Pong{.sequence = ping->sequence,
                    .digest = digest_,
                    .updates = pick_news(limits_.gossip_updates / 2, now, &from)});
    compare(from, ping->digest, now);
  } else if (const auto* pong = std::get_if<Pong>(&message)) {
    take(pong->updates);
    if (probe_.open && pong->sequence == probe_.sequence) {
      probe_.open = false;
      if (unwell_ > 0) --unwell_;
    }
    for (const Relayed& relay : relayed_)
      if (relay.our_sequence == pong->sequence)
        send(relay.asker, Pong{.sequence = relay.their_sequence, .digest = digest_, .updates = {}});
    compare(from, pong->digest, now);
  } else if (const auto* request = std::get_if<PingRequest>(&message)) {
    if (relayed_.size() >= 64 || request->target == self_.peer) return;
    relayed_.push_back({from, request->sequence, ++sequence_, now + limits_.probe_every});
    send_ping(request->target, sequence_, now);
  } else if (const auto* news = std::get_if<News>(&message)) {
    take(news->updates);
  } else if (const auto* sync = std::get_if<Sync>(&message)) {
    on_sync(from, *sync, now);
  }
}

}  // namespace ghmesh::mesh
