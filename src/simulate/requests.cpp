// SPDX-License-Identifier: Apache-2.0
// The origin, and what a node's proxy does about a request: its own cache, the mesh, GitHub.
#include <algorithm>

#include "base/check.hpp"
#include "node.hpp"
#include "stand_ins.hpp"

namespace ghmesh::simulate {
namespace {

// A fetch that the mesh did not hear of.
constexpr FindId kNoFind = ~FindId{0};
// As the proxy's.
constexpr std::size_t kDisbelieved = 2;

}  // namespace

Simulator::KeyState& Simulator::key_state(std::uint32_t key) { return keys_[key]; }

void Simulator::set_change_interval(std::uint32_t key, Duration interval) {
  KeyState& state = key_state(key);
  state.interval = interval;
  if (interval > Duration::zero())
    state.phase = Duration(static_cast<std::int64_t>(mixed(key) % static_cast<std::uint64_t>(interval.count())));
}

void Simulator::change(std::uint32_t key) {
  KeyState& state = key_state(key);
  ++state.manual;
  at(fresh_for + 1s, [this, key, manual = state.manual] { key_state(key).manual_seen = manual; });
}

std::uint64_t Simulator::version_of_key(std::uint32_t key) {
  KeyState& state = key_state(key);
  std::uint64_t version = state.manual << 32;
  if (state.interval > Duration::zero())
    version += static_cast<std::uint64_t>((now_.time_since_epoch() + state.phase) / state.interval);
  return version;
}

void Simulator::count_ideal(std::uint32_t key) {
  KeyState& state = key_state(key);
  if (state.ideal_fresh_until > now_) return;
  const std::uint64_t version = version_of_key(key);
  if (version != state.ideal_version) ++totals_.ideal;
  state.ideal_version = version;
  // What never changes has an address of its own and is fresh for ever.
  state.ideal_fresh_until =
      state.interval == Duration::zero() && state.manual == 0 ? TimePoint::max() : now_ + fresh_for;
}

ItemPtr Simulator::make_item(NodeIndex by, std::uint32_t key, std::uint64_t version) const {
  auto item = std::make_shared<Item>();
  item->publisher = nodes_[by]->peer;
  item->key = lookup_key(key);
  item->groups = {key};
  item->body = origin_bytes(key, version);
  item->version = version_of(item->body);
  return item;
}

void Simulator::request(NodeIndex index, std::uint32_t key, std::function<void(const Answer&)> done) {
  Node& node = *nodes_[index];
  GHMESH_CHECK(node.alive);
  ++totals_.requests;
  ++node.requests;
  count_ideal(key);
  const auto it = node.cache.find(key);
  if (it != node.cache.end() && it->second.item && it->second.fresh_until > now_) {
    ++totals_.local;
    totals_.latencies_ms.push_back(0.05f);
    check(key, *it->second.item);
    if (done) done({.version = number_in(it->second.item->body)});
    return;
  }
  auto& flight = node.flights[key];
  flight.push_back({now_, std::move(done)});
  if (flight.size() > 1) return;
  // The proxy does not bring to the mesh what is to stay.
  if (never_leave.contains(key)) return fetch(index, kNoFind, key, nullptr);
  const Version have = it != node.cache.end() && it->second.item ? it->second.item->version : Version{};
  const FindId find = node.mesh->find(lookup_key(key), token_tag(node.token), have, now_);
  node.finds[find] = key;
  drain(index);
}

void Simulator::find_again(NodeIndex index, std::uint32_t key, const Disbelieved& seen) {
  Node& node = *nodes_[index];
  if (!node.alive) return;
  const auto it = node.cache.find(key);
  const Version have = it != node.cache.end() && it->second.item ? it->second.item->version : Version{};
  const FindId find = node.mesh->find(lookup_key(key), token_tag(node.token), have, now_, seen);
  node.finds[find] = key;
  node.disbelieved[find] = seen;
  drain(index);
}

void Simulator::write(NodeIndex index, std::uint32_t key) {
  change(key);
  Node& node = *nodes_[index];
  node.cache[key].fresh_until = now_;
  key_state(key).ideal_fresh_until = now_;
  node.mesh->invalidate({key}, false, now_);
  drain(index);
}

// Right is what the origin said of this key within the freshness, byte for byte; never what it did not say.
void Simulator::check(std::uint32_t key, const Item& item) {
  const std::uint64_t version = number_in(item.body);
  const KeyState& state = key_state(key);
  const std::uint64_t newest = version_of_key(key);
  std::uint64_t oldest = 0;
  if (state.interval > Duration::zero())
    oldest = (state.manual_seen << 32) +
             static_cast<std::uint64_t>((now_.time_since_epoch() - fresh_for - 1s + state.phase) / state.interval);
  if (version > newest || version < oldest || item.body != origin_bytes(key, version)) ++totals_.wrong;
}

void Simulator::answer(NodeIndex index, std::uint32_t key, const Item& item, bool upstream, bool charged) {
  Node& node = *nodes_[index];
  check(key, item);
  const std::uint64_t version = number_in(item.body);
  auto waiting = std::exchange(node.flights[key], {});
  node.flights.erase(key);
  for (Pending& each : waiting) {
    totals_.latencies_ms.push_back(std::chrono::duration<float, std::milli>(now_ - each.began).count());
    if (each.done) each.done({.version = version, .charged = charged, .upstream = upstream, .took = now_ - each.began});
  }
}

void Simulator::on_result(NodeIndex index, const FindResult& result) {
  Node& node = *nodes_[index];
  const auto it = node.finds.find(result.find);
  if (it == node.finds.end()) {
    // find() answered before it returned: its id is known after this turn.
    at(Duration::zero(), [this, index, result] {
      if (nodes_[index]->alive && nodes_[index]->finds.contains(result.find)) on_result(index, result);
    });
    return;
  }
  const std::uint32_t key = it->second;
  const FindResult::Kind kind = result.kind;
  const bool believed = credulous && credulous(index) && kind != FindResult::Kind::Alone && result.item != nullptr;
  if (kind == FindResult::Kind::Fresh || believed) {
    const ItemPtr item = result.item ? result.item : node.cache[key].item;
    node.finds.erase(it);
    Disbelieved seen;
    if (auto known = node.disbelieved.extract(result.find)) seen = std::move(known.mapped());
    if (!believed &&
        (item == nullptr || seal_of(node.token, lookup_key(key), item->version, result.fresh) != result.fresh.seal)) {
      // Nobody with our token said so.
      ++totals_.refused_seals;
      node.mesh->report(result.from, item ? item->publisher : nobody(), false, now_);
      if (item != nullptr && seen.from.size() < kDisbelieved) {
        seen.from.push_back(result.from);
        seen.publisher = item->publisher;
        seen.version = item->version;
        at(Duration::zero(), [this, index, key, seen] { find_again(index, key, seen); });
        return;
      }
      // The bytes may still be right: as any candidate, they have to be proved.
      return fetch(index, kNoFind, key, item);
    }
    if (result.item && result.from != nobody() && seen.from.empty())
      node.mesh->report(result.from, result.item->publisher, true, now_);
    if (kind != FindResult::Kind::Fresh) node.mesh->abandon(result.find, ReleaseOutcome::Failed, now_);
    node.cache[key] = {.item = item, .fresh_until = now_ + std::chrono::milliseconds(result.fresh.left_ms)};
    ++totals_.from_peers;
    return answer(index, key, *item, false, false);
  }
  if (kind == FindResult::Kind::Alone) ++totals_.alone;
  const bool judge = kind == FindResult::Kind::Candidate;
  const PeerId from = result.from;
  ItemPtr candidate = result.item;
  if (!candidate) candidate = node.cache[key].item;
  if (const auto until = node.mesh->paused_until(token_tag(node.token), now_)) {
    // The client waits; the lease goes back.
    node.mesh->abandon(result.find, ReleaseOutcome::Failed, now_);
    node.finds.erase(result.find);
    auto waiting = std::exchange(node.flights[key], {});
    node.flights.erase(key);
    at(*until - now_, [this, index, key, waiting = std::make_shared<std::vector<Pending>>(std::move(waiting))] {
      if (!nodes_[index]->alive) return;
      for (Pending& each : *waiting) request(index, key, std::move(each.done));
    });
    return;
  }
  fetch(index, result.find, key, candidate, judge ? from : nobody());
}

void Simulator::fetch(NodeIndex index, FindId find, std::uint32_t key, ItemPtr candidate, const PeerId& from) {
  Node& node = *nodes_[index];
  const auto flight = node.flights.find(key);
  const TimePoint since = flight == node.flights.end() || flight->second.empty() ? now_ : flight->second.front().began;
  node.mesh->queued(find, true, now_);
  node.pace->enter(since, [this, index, find, key, from, held = std::move(candidate)](bool may_go) mutable {
    if (!may_go) return refuse(index, find, key);
    nodes_[index]->mesh->queued(find, false, now_);
    send_upstream(index, find, key, std::move(held), from);
  });
}

// Its clients are told to come again later; the lease goes to somebody else.
void Simulator::refuse(NodeIndex index, FindId find, std::uint32_t key) {
  Node& node = *nodes_[index];
  node.mesh->abandon(find, ReleaseOutcome::Failed, now_);
  node.finds.erase(find);
  auto waiting = std::exchange(node.flights[key], {});
  node.flights.erase(key);
  totals_.refused += waiting.size();
  for (Pending& each : waiting)
    if (each.done) each.done({.refused = true, .took = now_ - each.began});
  drain(index);
}

void Simulator::send_upstream(NodeIndex index, FindId find, std::uint32_t key, ItemPtr candidate, const PeerId& from) {
  const auto span = static_cast<std::uint64_t>((network_.upstream_max - network_.upstream_min).count());
  const Duration took = upstream_fixed > Duration::zero()
                            ? upstream_fixed
                            : network_.upstream_min + Duration(static_cast<std::int64_t>(random_.below(span + 1)));
  at(took, [this, index] {
    if (!nodes_[index]->alive) return;
    nodes_[index]->pace->done();
    drain(index);
  });
  // The origin looks at half time.
  at(took / 2, [this, index, find, key, from, candidate = std::move(candidate), rest = took - took / 2] {
    if (limited_until > now_) {
      ++limited_answers;
      at(rest, [this, index, find, key] {
        if (!nodes_[index]->alive) return;
        Node& node = *nodes_[index];
        node.mesh->pause(token_tag(node.token), limited_until - now_, now_);
        node.mesh->abandon(find, ReleaseOutcome::Failed, now_);
        node.finds.erase(find);
        auto waiting = std::exchange(node.flights[key], {});
        node.flights.erase(key);
        const auto until = node.mesh->paused_until(token_tag(node.token), now_);
        at(until ? *until - now_ : Duration::zero(),
           [this, index, key, again = std::make_shared<std::vector<Pending>>(std::move(waiting))] {
             if (!nodes_[index]->alive) return;
             for (Pending& each : *again) request(index, key, std::move(each.done));
           });
        drain(index);
      });
      return;
    }
    const std::uint64_t version = version_of_key(key);
    // Charged whether or not the one who asked lives to see it.
    ++totals_.upstream;
    // Its 304 is to the hash of our bytes.
    const bool proved = candidate && candidate->body == origin_bytes(key, version);
    if (!proved) {
      ++totals_.charged;
      if (std::exchange(key_state(key).charged_version, version) == version) ++totals_.again;
    }
    at(rest, [this, index, find, key, from, candidate, version, proved] {
      if (!nodes_[index]->alive) return;
      if (from != nobody() && candidate) nodes_[index]->mesh->report(from, candidate->publisher, proved, now_);
      fetched(index, find, key, candidate, version);
    });
  });
}

void Simulator::fetched(NodeIndex index, FindId find, std::uint32_t key, const ItemPtr& candidate,
                        std::uint64_t version) {
  Node& node = *nodes_[index];
  const ItemPtr item = make_item(index, key, version);
  const bool changed = !candidate || candidate->body != item->body;
  const KeyState& state = key_state(key);
  const bool immutable = state.interval == Duration::zero() && state.manual == 0;
  const Duration life = immutable ? Duration(std::chrono::milliseconds(WireLimits::kFreshMs)) : fresh_for;
  const auto ms = static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(life).count());
  Freshness fresh{
      .tag = token_tag(node.token),
      .fetched_at_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch()).count(),
      .fresh_ms = ms,
      .left_ms = ms,
      .seal = {}};
  fresh.seal = seal_of(node.token, lookup_key(key), item->version, fresh);
  node.mesh->resumed(token_tag(node.token), now_);
  if (changed) {
    node.mesh->put(find, item, fresh, now_);
  } else {
    node.mesh->renew(find, item->version, fresh, now_);
  }
  node.finds.erase(find);
  node.cache[key] = {.item = item, .fresh_until = now_ + life};
  answer(index, key, *item, true, changed);
  drain(index);
}

}  // namespace ghmesh::simulate
