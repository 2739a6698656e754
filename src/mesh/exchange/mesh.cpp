// SPDX-License-Identifier: Apache-2.0
#include "mesh.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "owner.hpp"
#include "repair.hpp"

namespace ghmesh::mesh {
namespace {

// Rows of other members' counters with one round of probes now and then: what a member said of itself goes on before it
// says so itself. Its own go with every probe, so everybody has them within two rounds: 2 (N - 1) seconds.
constexpr std::size_t kRowsPerTelling = 3;
constexpr Duration kTellCounters = 5s;

}  // namespace

struct Mesh::Parts {
  Parts(const PeerId& self, const ExchangeLimits& limits, Random& random)
      : bus(self, limits, random),
        owner(bus),
        repair(bus),
        draws(bus, limits.draws),
        finder(bus, [this](const Shadow& shadow, TimePoint now) { owner.on_shadow(bus.self, shadow, now); }) {}

  Bus bus;
  Owner owner;
  Repair repair;
  Draws draws;
  Finder finder;
  // When the next tick is due, and was while it has not come.
  TimePoint due = TimePoint::max();
};

Mesh::Mesh(MeshConfig config, Random& random, TimePoint now)
    : config_(std::move(config)),
      membership_(config_.self, config_.membership, random, now),
      parts_(std::make_unique<Parts>(config_.self.peer, config_.exchange, random)),
      fleet_(config_.self.peer, config_.started_ms),
      pauses_(config_.exchange),
      prober_(random, config_.exchange),
      random_(random),
      next_counters_(now + kTellCounters) {
  parts_->bus.everybody = [this] { return everybody(); };
  parts_->bus.is_member = [this](const PeerId& peer) {
    const Member* member = membership_.find(peer);
    return member != nullptr && member->in_mesh();
  };
  // Alone it owns everything, from its first question on.
  update_ranks(now);
}

Mesh::~Mesh() = default;

std::vector<PeerId> Mesh::everybody() const {
  std::vector<PeerId> all;
  for (const auto& [peer, member] : membership_.members())
    if (member.in_mesh()) all.push_back(peer);
  return all;
}

void Mesh::on_connected(const PeerId& peer, std::vector<Bytes> addresses, TimePoint now) {
  ++connected_[peer];
  parted_.erase(peer);
  parts_->bus.scores.note(peer, Experience::Answered, now);
  membership_.on_admitted(peer, std::move(addresses), now);
  settle(now);
}

void Mesh::on_disconnected(const PeerId& peer, TimePoint now) {
  if (const auto it = connected_.find(peer); it != connected_.end() && --it->second == 0) connected_.erase(it);
  if (connected_.contains(peer)) return;
  if (present_.contains(peer)) parted_.insert(peer);
  parts_->owner.on_disconnected(peer, now);
  parts_->finder.on_disconnected(peer, now);
  parts_->repair.on_disconnected(peer, now);
  parts_->draws.on_disconnected(peer);
  membership_.doubt(peer, now);
  settle(now);
}

void Mesh::on_protocol_error(const PeerId& from, TimePoint now) {
  ++totals_.protocol_errors;
  parts_->bus.scores.note(from, Experience::ProtocolError, now);
}

void Mesh::on_message(const PeerId& from, const Message& message, TimePoint now) {
  parts_->bus.scores.note(from, Experience::Answered, now);
  dispatch(from, message, now);
  settle(now);
}

void Mesh::dispatch(const PeerId& from, const Message& message, TimePoint now) {
  Owner& owner = parts_->owner;
  // A liar stays a member, but nothing it says about resources is listened to.
  const bool banned = parts_->bus.scores.banned(from, now);
  const auto answer = [&](const auto& each) {
    if (!banned && !parts_->finder.on_answer(from, each.id, message, now) &&
        !owner.on_relayed_answer(from, each.id, message, now))
      if (const auto* lease = std::get_if<Lease>(&message))
        // Nobody here wants it any more; who waits behind it must not wait for us.
        parts_->bus.send(from, Release{.lease = lease->lease, .key = lease->key, .outcome = ReleaseOutcome::Failed});
  };
  std::visit(
      [&]<typename T>(const T& each) {
        if constexpr (std::same_as<T, Ping> || std::same_as<T, Pong> || std::same_as<T, PingRequest> ||
                      std::same_as<T, News> || std::same_as<T, Sync>) {
          if constexpr (std::same_as<T, Ping>) fleet_.merge(each.counters, parts_->bus.is_member, now);
          membership_.on_message(from, message, now);
        } else if constexpr (std::same_as<T, Same> || std::same_as<T, Body> || std::same_as<T, Wait> ||
                             std::same_as<T, Lease> || std::same_as<T, Pass> || std::same_as<T, Try>) {
          answer(each);
        } else if (banned) {
          return;
        } else if constexpr (std::same_as<T, Ask>) {
          owner.on_ask(from, each, now);
        } else if constexpr (std::same_as<T, Put>) {
          owner.on_put(from, each, now);
        } else if constexpr (std::same_as<T, Renew>) {
          owner.on_renew(from, each, now);
        } else if constexpr (std::same_as<T, Release>) {
          owner.on_release(from, each, now);
        } else if constexpr (std::same_as<T, Hold>) {
          owner.on_hold(from, each, now);
        } else if constexpr (std::same_as<T, Shadow>) {
          owner.on_shadow(from, each, now);
        } else if constexpr (std::same_as<T, Peek>) {
          owner.on_peek(from, each, parts_->finder.on_peek(from, each, now), now);
        } else if constexpr (std::same_as<T, Found>) {
          if (!prober_.on_found(from, each, now)) owner.on_found(from, each, now);
        } else if constexpr (std::same_as<T, WhoHas>) {
          owner.on_who_has(from, each, now);
        } else if constexpr (std::same_as<T, Have>) {
          owner.on_have(from, each, now);
        } else if constexpr (std::same_as<T, Pull>) {
          if (each.partition < kPartitions) owner.tell_leases(from, each.partition, now);
          parts_->repair.on_pull(from, each, now);
        } else if constexpr (std::same_as<T, Chunk>) {
          parts_->repair.on_chunk(from, each, now);
          if (each.partition < kPartitions) owner.on_copied(each.partition, now);
        } else if constexpr (std::same_as<T, Ledger>) {
          for (const LookupKey& key : each.keys) parts_->bus.shelf.note_known(key);
        } else if constexpr (std::same_as<T, Invalidate>) {
          on_invalidate(from, each, now);
        } else if constexpr (std::same_as<T, Ack>) {
          on_ack(from, each, now);
        } else if constexpr (std::same_as<T, Pause>) {
          pauses_.on_told(from, each.bucket, std::chrono::milliseconds(each.for_ms), now);
        } else if constexpr (std::same_as<T, Draw>) {
          parts_->draws.on_draw(from, each, now);
        } else if constexpr (std::same_as<T, Drawn>) {
          parts_->draws.on_drawn(from, each, now);
        }
      },
      message);
}

// Brings the parts to rest: messages to ourselves, members that changed, and everything that is to leave.
void Mesh::settle(TimePoint now) {
  Bus& bus = parts_->bus;
  bus.members = membership_.live_count();
  for (int round = 0; round < 64; ++round) {
    update_ranks(now);
    if (bus.to_self.empty()) break;
    for (const Outgoing& own : std::exchange(bus.to_self, {})) dispatch(bus.self, own.message, now);
  }
  for (const PeerId& peer : std::exchange(bus.doubted, {})) membership_.doubt(peer, now);
  for (FindResult& result : parts_->finder.take_results()) {
    count(result);
    events_.push_back(std::move(result));
  }
  for (ProbeDone& done : prober_.take_done()) events_.push_back(std::move(done));
  for (Drawn& drawn : parts_->draws.take_news()) events_.push_back(std::move(drawn));
  for (const Unheard& unheard : parts_->draws.take_unheard()) events_.push_back(unheard);
  if (outgoing_.empty()) outgoing_.swap(bus.out);
  for (Outgoing& each : bus.out) outgoing_.push_back(std::move(each));
  bus.out.clear();
  for (Outgoing& each : membership_.take_outgoing()) outgoing_.push_back(std::move(each));
  // Deadlines that have passed before they were set are due now, not late.
  if (parts_->due >= now) parts_->due = std::max(next_deadline(), now);
}

void Mesh::count(const FindResult& result) {
  const bool from_peer = result.from != parts_->bus.self && result.from != nobody();
  switch (result.kind) {
    case FindResult::Kind::Fresh: totals_.fresh_from_peers += from_peer ? 1 : 0; break;
    case FindResult::Kind::Candidate: totals_.candidates_from_peers += from_peer ? 1 : 0; break;
    case FindResult::Kind::Lease: ++totals_.leases; break;
    case FindResult::Kind::Alone: ++totals_.alone; break;
  }
}

void Mesh::note_presence(const PeerId& peer, const Member* member, TimePoint now) {
  if (member != nullptr && member->in_mesh()) {
    fleet_.on_live(peer);
    if (!present_.insert(peer).second) return;
    parts_->finder.on_come();
    parts_->bus.scores.note(peer, Experience::Answered, now);
    last_joined_ = now;
    events_.push_back(MemberChange{peer, MemberChange::What::Joined});
    return;
  }
  fleet_.on_gone(peer, now);
  parted_.erase(peer);
  parts_->owner.on_disconnected(peer, now);
  parts_->draws.on_gone(peer, now);
  if (present_.erase(peer) == 0) return;
  const bool said_so = member != nullptr && member->state == MemberState::Left;
  events_.push_back(MemberChange{peer, said_so ? MemberChange::What::Left : MemberChange::What::Died});
}

void Mesh::update_ranks(TimePoint now) {
  const std::vector<PeerId> changed = membership_.take_changed(now);
  if (changed.empty()) return;
  Bus& bus = parts_->bus;
  bus.met_by = membership_.founded_by() + config_.exchange.meeting;
  // What one message says of many members is one change: rows between would be copied from whoever stood in them.
  std::array<std::optional<Ranks::Row>, kPartitions> before;
  for (const PeerId& peer : changed) {
    const Member* member = membership_.find(peer);
    const bool owns = member != nullptr && membership_.owns_keys(*member, now);
    const std::uint32_t weight = !owns ? 0 : member->stable ? kStableWeight : 1;
    if (peer != bus.self) note_presence(peer, member, now);
    for (Ranks::Change& change : bus.ranks.set(peer, weight))
      if (!before[change.partition]) before[change.partition] = std::move(change.before);
  }
  for (std::uint8_t partition = 0; partition < kPartitions; ++partition) {
    if (!before[partition] || *before[partition] == bus.ranks.of(partition)) continue;
    const Ranks::Change change{partition, std::move(*before[partition])};
    parts_->owner.on_change(change, now);
    if (draining_) parts_->repair.hand_over(change, now);
    parts_->repair.on_change(change, membership_.founding(now), now);
    parts_->draws.on_ranks(now);
  }
}

void Mesh::tick(TimePoint now) {
  parts_->bus.lag.note(now - std::min(parts_->due, now), now);
  parts_->due = TimePoint::max();
  membership_.tick(now);
  parts_->owner.tick(now);
  parts_->finder.tick(now);
  parts_->repair.tick(now);
  parts_->draws.tick(now);
  prober_.tick(now);
  if (now >= next_counters_) {
    next_counters_ = now + kTellCounters;
    membership_.set_counters(fleet_.rows_to_tell(kRowsPerTelling, now));
  }
  while (!tellings_.empty() && tellings_.front().until <= now) {
    const Telling& late = tellings_.front();
    if (!late.open.empty())
      events_.push_back(InvalidateDone{.id = late.id, .told = late.told, .confirmed = late.told - late.open.size()});
    tellings_.pop_front();
  }
  auto& invalidated = parts_->bus.invalidated;
  while (!invalidated.empty() && now - invalidated.front().first > config_.exchange.remember_invalidated)
    invalidated.pop_front();
  settle(now);
}

TimePoint Mesh::next_deadline() const {
  TimePoint next = std::min({membership_.next_deadline(), parts_->owner.next_deadline(), parts_->finder.next_deadline(),
                             parts_->repair.next_deadline(), parts_->draws.next_deadline(), prober_.next_deadline(),
                             next_counters_});
  if (!tellings_.empty()) next = std::min(next, tellings_.front().until);
  return next;
}

std::vector<Outgoing> Mesh::take_outgoing() {
  std::vector<Outgoing> out = std::exchange(outgoing_, {});
  // Counters go with one round of probes, not with every ping of it.
  if (std::any_of(out.begin(), out.end(),
                  [](const Outgoing& each) { return std::holds_alternative<Ping>(each.message); }))
    membership_.set_counters({});
  return out;
}

FindId Mesh::find(const LookupKey& key, const TokenTag& tag, const Version& have, TimePoint now,
                  const Disbelieved& disbelieved) {
  ++totals_.searches;
  const FindId id = parts_->finder.find(key, tag, have, disbelieved, now);
  settle(now);
  return id;
}

void Mesh::put(FindId find, ItemPtr item, const Freshness& fresh, TimePoint now) {
  parts_->finder.put(find, std::move(item), fresh, now);
  settle(now);
}

void Mesh::renew(FindId find, const Version& version, const Freshness& fresh, TimePoint now) {
  parts_->finder.renew(find, version, fresh, now);
  settle(now);
}

void Mesh::abandon(FindId find, ReleaseOutcome outcome, TimePoint now) {
  parts_->finder.abandon(find, outcome, now);
  settle(now);
}

void Mesh::queued(FindId find, bool waits, TimePoint now) { parts_->finder.queued(find, waits, now); }

void Mesh::report(const PeerId& from, const PeerId& publisher, bool proved, TimePoint now) {
  // Nobody's, and what we fetched ourselves and another brings back, is that one's.
  const bool named = publisher != nobody() && publisher != parts_->bus.self;
  if (from != parts_->bus.self) parts_->bus.scores.judge(from, named ? publisher : from, proved, now);
}

void Mesh::to_all(const Message& message) {
  for (const PeerId& peer : everybody()) parts_->bus.send(peer, message);
}

void Mesh::mark_stale(const std::vector<GroupId>& groups, bool drop, TimePoint now) {
  if (drop) {
    parts_->bus.shelf.drop_groups(groups);
  } else {
    parts_->bus.shelf.stale_groups(groups);
  }
  for (const GroupId group : groups) parts_->bus.invalidated.emplace_back(now, group);
}

std::uint64_t Mesh::invalidate(std::vector<GroupId> groups, bool drop, TimePoint now) {
  groups.resize(std::min(groups.size(), WireLimits::kInvalidatedGroups));
  mark_stale(groups, drop, now);
  const std::uint64_t id = random_.next_u64();
  Telling telling{.id = id, .open = everybody(), .told = 0, .until = now + config_.exchange.invalidate_wait};
  telling.told = telling.open.size();
  if (telling.open.empty()) {
    events_.push_back(InvalidateDone{.id = id, .told = 0, .confirmed = 0});
    return id;
  }
  to_all(Invalidate{.id = id, .groups = std::move(groups), .drop = drop});
  tellings_.push_back(std::move(telling));
  settle(now);
  return id;
}

void Mesh::on_invalidate(const PeerId& from, const Invalidate& invalidate, TimePoint now) {
  mark_stale(invalidate.groups, invalidate.drop, now);
  events_.push_back(Invalidated{invalidate.groups, invalidate.drop});
  parts_->bus.send(from, Ack{.id = invalidate.id});
}

void Mesh::on_ack(const PeerId& from, const Ack& ack, TimePoint now) {
  static_cast<void>(now);
  const auto it =
      std::find_if(tellings_.begin(), tellings_.end(), [&](const Telling& each) { return each.id == ack.id; });
  if (it == tellings_.end()) return;
  std::erase(it->open, from);
  if (!it->open.empty()) return;
  events_.push_back(InvalidateDone{.id = it->id, .told = it->told, .confirmed = it->told});
  tellings_.erase(it);
}

std::uint64_t Mesh::probe(const PeerId& peer, std::int64_t wall_ms, TimePoint now) {
  Prober::Begun begun = prober_.begin(peer, wall_ms, now);
  // In this order on one stream: whoever answers the second has read the first.
  parts_->bus.send(peer, std::move(begun.put));
  parts_->bus.send(peer, begun.peek);
  settle(now);
  return begun.id;
}

void Mesh::pause(const TokenTag& bucket, Duration length, TimePoint now) {
  pauses_.on_own(bucket, length, now);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
  to_all(Pause{.bucket = bucket,
               .for_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ms, 1, WireLimits::kPauseMs))});
  settle(now);
}

void Mesh::resumed(const TokenTag& bucket, TimePoint now) {
  if (!pauses_.on_success(bucket, now)) return;
  to_all(Pause{.bucket = bucket, .for_ms = 0});
  settle(now);
}

std::optional<TimePoint> Mesh::paused_until(const TokenTag& bucket, TimePoint now) const {
  LookupKey as_key{};
  std::copy(bucket.begin(), bucket.end(), as_key.begin());
  as_key.back() = bucket.back();
  const std::size_t rank = parts_->bus.ranks.rank_of(parts_->bus.self, partition_of(as_key));
  // Ranked members first, the others behind them, spread by their own id.
  const std::size_t place = rank < kRanks ? rank : kRanks + parts_->bus.self.bytes().back() % 12u;
  return pauses_.until(bucket, place, now);
}

void Mesh::draw(Draw own, TimePoint now) {
  parts_->draws.draw(std::move(own), now);
  settle(now);
}

std::size_t Mesh::sharers(const TokenTag& bucket) const {
  // All at once they are gone long before membership is sure of it, and nobody waits for the dead.
  const std::size_t live = membership_.live_count();
  return parts_->draws.is_kept(bucket) ? live - std::min(live, parted_.size()) : 0;
}

void Mesh::set_reachable(bool reachable, TimePoint now) {
  membership_.set_reachable(reachable, now);
  settle(now);
}

void Mesh::drain(TimePoint now) {
  draining_ = true;
  membership_.drain(now);
  settle(now);
}

void Mesh::leave(TimePoint now) {
  membership_.leave(now);
  settle(now);
}

void Mesh::set_counters(std::vector<std::uint64_t> values, TimePoint now) {
  static_cast<void>(now);
  values.resize(std::min(values.size(), WireLimits::kCounters));
  fleet_.set_own(std::move(values));
  membership_.set_own_counters(fleet_.own());
}

bool Mesh::quiet(TimePoint now) const {
  // Members that came together tell each other of all they know with every round of news.
  constexpr int kRounds = 3;
  const bool no_news = present_.empty() || now - last_joined_ >= kRounds * config_.membership.founding_gossip_every;
  return no_news && parts_->bus.cold == 0;
}

MeshStats Mesh::stats() const {
  const Bus& bus = parts_->bus;
  MeshStats stats = totals_;
  stats.members = membership_.live_count();
  stats.connected = connected_.size();
  for (std::size_t p = 0; p < kPartitions; ++p)
    stats.partitions += bus.ranks.rank_of(bus.self, static_cast<std::uint8_t>(p)) == 0 ? 1 : 0;
  stats.shelf_entries = bus.shelf.entries();
  stats.shelf_bytes = bus.shelf.bytes();
  stats.asked_everybody = parts_->owner.asked_everybody();
  return stats;
}

std::vector<PeerInfo> Mesh::peers(TimePoint now) const {
  std::vector<PeerInfo> infos;
  const Bus& bus = parts_->bus;
  for (const auto& [peer, member] : membership_.members()) {
    PeerInfo info{.peer = peer,
                  .state = member.state,
                  .age = now - member.joined,
                  .connected = connected_.contains(peer),
                  .reachable = member.reachable,
                  .stable = member.stable,
                  .draining = member.draining,
                  .owner = membership_.owns_keys(member, now),
                  .banned = bus.scores.banned(peer, now),
                  .partitions = 0,
                  .score = bus.scores.score(peer)};
    for (std::size_t p = 0; p < kPartitions; ++p)
      info.partitions += bus.ranks.rank_of(peer, static_cast<std::uint8_t>(p)) == 0 ? 1 : 0;
    infos.push_back(info);
  }
  return infos;
}

ItemPtr Mesh::held(const LookupKey& key, const Version& version) const {
  const Held* held = parts_->bus.shelf.at(key, version);
  return held == nullptr ? nullptr : held->item;
}

bool Mesh::holds(const LookupKey& key) const { return parts_->bus.shelf.holds(key); }

PeerId Mesh::publisher(const LookupKey& key, const Version& version) const {
  const Held* held = parts_->bus.shelf.at(key, version);
  return held == nullptr ? nobody() : held->publisher;
}

std::vector<PeerId> Mesh::ranks_of(const LookupKey& key) const { return parts_->bus.ranks.of(key); }

std::vector<PeerId> Mesh::owners() const {
  std::vector<PeerId> owners;
  for (std::size_t p = 0; p < kPartitions; ++p) {
    const Ranks::Row& row = parts_->bus.ranks.of(static_cast<std::uint8_t>(p));
    for (std::size_t i = 0; i < std::min<std::size_t>(2, row.size()); ++i)
      if (row[i] != parts_->bus.self && std::find(owners.begin(), owners.end(), row[i]) == owners.end())
        owners.push_back(row[i]);
  }
  return owners;
}

}  // namespace ghmesh::mesh
