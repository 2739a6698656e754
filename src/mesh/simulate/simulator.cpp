// SPDX-License-Identifier: Apache-2.0
#include "simulator.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "mesh/wire/codec.hpp"
#include "pace.hpp"

namespace ghmesh::mesh::simulate {
namespace {

// Length and request id in front, tag behind; the secure channel and the muxer add 18 and 12 per write.
constexpr std::size_t kFraming = 8 + 16 + 18 + 12;

// What goes as one part (mesh/link/limits.hpp).
constexpr std::size_t kShort = 2048;

// As many as a node tells of itself (node/runtime/mesh_wing.hpp); what they are does not matter here, but the first.
constexpr std::size_t kCounters = 14;

// A fetch that the mesh did not hear of.
constexpr FindId kNoFind = ~FindId{0};
// As the proxy's.
constexpr std::size_t kDisbelieved = 2;

std::uint64_t mixed(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

PeerId peer_of(std::uint64_t number) {
  // As long as a real one: an identity multihash of 36 bytes.
  std::array<std::uint8_t, 38> raw{0, 36};
  for (std::size_t i = 0; i < 4; ++i) store_be(raw.data() + 2 + 8 * i, mixed(number * 4 + i));
  return *PeerId::decode(raw);
}

LookupKey lookup_key(std::uint32_t key) {
  LookupKey made{};
  for (std::size_t i = 0; i < 4; ++i) store_be(made.data() + 8 * i, mixed((std::uint64_t{key} << 8) + i + 1));
  store_be(made.data() + 4, key);
  return made;
}

// What the origin says: how large the answer is, whose it is, and which. Stands for the bytes of that size.
constexpr std::size_t kBodyBytes = 16;
Bytes origin_bytes(std::uint32_t key, std::uint64_t version) {
  // Sizes as measured: median 12 KiB, mean 22, some 200.
  const std::uint64_t draw = mixed(key + 77) % 100;
  const std::uint32_t size = draw < 50   ? 4096 + static_cast<std::uint32_t>(draw) * 160
                             : draw < 95 ? 12288 + static_cast<std::uint32_t>(draw - 50) * 800
                                         : 120'000;
  Bytes body(kBodyBytes);
  store_be(body.data(), size);
  store_be(body.data() + 4, key);
  store_be(body.data() + 8, version);
  return body;
}
std::uint64_t number_in(ByteView body) {
  return body.size() == kBodyBytes ? load_be<std::uint64_t>(body.data() + 8) : ~std::uint64_t{0};
}

// Stands for the hash of the bytes; the reader of a message computes it, no sender is asked.
Version version_of(ByteView body) {
  Version made{};
  std::uint64_t state = mixed(body.size());
  for (const std::uint8_t octet : body) state = mixed(state ^ octet);
  store_be(made.data(), state);
  store_be(made.data() + 8, mixed(state));
  return made;
}

// As whoever reads an item from the wire sees it.
void read_item(ItemPtr& item) {
  if (item == nullptr || item->version == version_of(item->body)) return;
  auto read = std::make_shared<Item>(*item);
  read->version = version_of(read->body);
  item = std::move(read);
}
void read_items(Message& message) {
  if (auto* body = std::get_if<Body>(&message)) read_item(body->item);
  if (auto* put = std::get_if<Put>(&message)) read_item(put->item);
  if (auto* lease = std::get_if<Lease>(&message)) read_item(lease->item);
  if (auto* found = std::get_if<Found>(&message)) read_item(found->item);
  if (auto* chunk = std::get_if<Chunk>(&message))
    for (ChunkEntry& entry : chunk->entries) read_item(entry.item);
}
bool carries(const Message& message, const LookupKey& key) {
  const auto is = [&](const ItemPtr& item) { return item != nullptr && item->key == key; };
  if (const auto* body = std::get_if<Body>(&message)) return is(body->item);
  if (const auto* put = std::get_if<Put>(&message)) return is(put->item);
  if (const auto* lease = std::get_if<Lease>(&message)) return is(lease->item);
  if (const auto* found = std::get_if<Found>(&message)) return is(found->item);
  if (const auto* have = std::get_if<Have>(&message)) return have->key == key && have->version != Version{};
  if (const auto* chunk = std::get_if<Chunk>(&message))
    return std::ranges::any_of(chunk->entries, [&](const ChunkEntry& entry) { return is(entry.item); });
  return false;
}

TokenTag token_tag(std::uint32_t token) {
  TokenTag tag{};
  store_be(tag.data(), std::uint64_t{token} + 1);
  return tag;
}

// Stands for the MAC under the token's own key: liars do not compute it.
AnswerSeal seal_of(std::uint32_t token, const LookupKey& key, const Version& version, const Freshness& fresh) {
  std::uint64_t state = mixed(token + 0xfeed);
  for (const std::uint64_t part : {load_be<std::uint64_t>(key.data()), load_be<std::uint64_t>(version.data()),
                                   static_cast<std::uint64_t>(fresh.fetched_at_ms), std::uint64_t{fresh.fresh_ms}})
    state = mixed(state ^ part);
  AnswerSeal seal{};
  store_be(seal.data(), state);
  return seal;
}

bool is_membership(const Message& message) {
  return std::holds_alternative<Ping>(message) || std::holds_alternative<Pong>(message) ||
         std::holds_alternative<PingRequest>(message) || std::holds_alternative<News>(message) ||
         std::holds_alternative<Sync>(message);
}

}  // namespace

struct Simulator::Pending {
  TimePoint began;
  std::function<void(const Answer&)> done;
};

struct Simulator::Node {
  PeerId peer = nobody();
  std::unique_ptr<Mesh> mesh;
  std::unique_ptr<Pace> pace;
  std::uint32_t token = 0;
  bool alive = true;
  bool refuses = false;  // not alive, but its machine is: who dials is told so
  std::uint64_t requests = 0;
  TimePoint joined{};
  TimePoint armed = TimePoint::max();
  // What the proxy's own cache would hold.
  struct Local {
    ItemPtr item;
    TimePoint fresh_until{};
  };
  std::unordered_map<std::uint32_t, Local> cache;
  std::unordered_map<std::uint32_t, std::vector<Pending>> flights;  // single flight in the process
  std::unordered_map<FindId, std::uint32_t> finds;
  std::unordered_map<FindId, Disbelieved> disbelieved;
  // With whom it has a session, and when what is short and under way there arrives.
  std::unordered_map<NodeIndex, TimePoint> contacts;
};

double Totals::percentile(double share) const {
  if (latencies_ms.empty()) return 0;
  std::vector<float> sorted = latencies_ms;
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), at, sorted.end());
  return static_cast<double>(*at);
}

Simulator::Simulator(std::uint64_t seed, NetworkModel network) : random_(seed), network_(network) {}
Simulator::~Simulator() = default;

Mesh& Simulator::mesh(NodeIndex node) { return *nodes_[node]->mesh; }
bool Simulator::alive(NodeIndex node) const { return node < nodes_.size() && nodes_[node]->alive; }

std::vector<NodeIndex> Simulator::live() const {
  std::vector<NodeIndex> indexes;
  for (NodeIndex i = 0; i < nodes_.size(); ++i)
    if (nodes_[i]->alive) indexes.push_back(i);
  return indexes;
}

void Simulator::reset_totals() {
  totals_ = {};
  by_type_ = {};
}

std::uint64_t Simulator::message_count(std::string_view type) const {
  Message message;
  std::uint64_t count = 0;
  const auto look = [&]<std::size_t I>() {
    message.emplace<I>();
    if (type_name(message) == type) count = by_type_[I];
  };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (look.template operator()<I>(), ...);
  }(std::make_index_sequence<std::variant_size_v<Message>>());
  return count;
}

Duration Simulator::one_way(NodeIndex a, NodeIndex b) {
  const std::uint64_t pair = mixed((std::min(a, b) << 32) ^ std::max(a, b));
  const auto span = static_cast<std::uint64_t>((network_.rtt_max - network_.rtt_min).count());
  return (network_.rtt_min + Duration(static_cast<std::int64_t>(pair % (span + 1)))) / 2;
}

void Simulator::at(Duration from_now, std::function<void()> action) {
  events_.push({now_ + from_now, ++order_, std::move(action)});
}

NodeIndex Simulator::start_alone(std::uint32_t token, bool stable, bool reachable) {
  const NodeIndex index = nodes_.size();
  auto node = std::make_unique<Node>();
  node->peer = peer_of(index + 1000);
  node->token = token;
  node->joined = now_;
  MeshConfig config;
  config.self.peer = node->peer;
  config.self.stable = stable;
  config.self.reachable = reachable;
  config.self.addresses = {Bytes{4, 10, 0, 0, 1, 6, 35, 141}};
  config.started_ms = index + 1;
  config.exchange = exchange;
  node->mesh = std::make_unique<Mesh>(std::move(config), random_, now_);
  node->pace = std::make_unique<Pace>(
      *node->mesh, token_tag(token),
      [this, index](Duration wait, std::function<void()> action) {
        at(wait, [this, index, run = std::move(action)] {
          if (!nodes_[index]->alive) return;
          run();
          drain(index);
        });
      },
      [this] { return now_; });
  by_peer_.emplace(node->peer, index);
  nodes_.push_back(std::move(node));
  count_on(index);
  drain(index);
  return index;
}

// As a node does: every second it tells what it counted.
void Simulator::count_on(NodeIndex index) {
  if (!alive(index)) return;
  std::vector<std::uint64_t> values(kCounters, totals_.bytes / nodes_.size());
  values.front() = nodes_[index]->requests;
  nodes_[index]->mesh->set_counters(std::move(values), now_);
  at(1s, [this, index] { count_on(index); });
}

NodeIndex Simulator::join(std::uint32_t token, bool stable, bool reachable) {
  const std::vector<NodeIndex> before = live();
  const NodeIndex index = start_alone(token, stable, reachable);
  if (!before.empty()) {
    const NodeIndex contact = before[random_.below(before.size())];
    nodes_[index]->mesh->on_connected(nodes_[contact]->peer, {}, now_);
    nodes_[index]->contacts[contact] = now_;
    nodes_[contact]->contacts[index] = now_;
  }
  drain(index);
  return index;
}

void Simulator::meet(NodeIndex dialler, NodeIndex other) {
  if (!alive(dialler) || !alive(other) || nodes_[dialler]->contacts.contains(other)) return;
  at(one_way(dialler, other) * 2 * network_.first_contact_rtts, [this, dialler, other] {
    if (!alive(dialler) || !alive(other) || !nodes_[dialler]->contacts.emplace(other, now_).second) return;
    nodes_[other]->contacts[dialler] = now_;
    for (const auto& [one, two] : {std::pair(dialler, other), std::pair(other, dialler)}) {
      nodes_[one]->mesh->on_connected(nodes_[two]->peer, {}, now_);
      drain(one);
    }
  });
}

void Simulator::kill(NodeIndex index, bool reset) {
  Node& node = *nodes_[index];
  if (!node.alive) return;
  node.alive = false;
  node.refuses = reset;
  for (const auto& [other, unused] : node.contacts) {
    static_cast<void>(unused);
    nodes_[other]->contacts.erase(index);
    if (!reset) continue;
    at(one_way(index, other), [this, index, other] {
      if (!nodes_[other]->alive) return;
      nodes_[other]->mesh->on_disconnected(nodes_[index]->peer, now_);
      drain(other);
    });
  }
  node.contacts.clear();
}

void Simulator::stop(NodeIndex index) {
  if (!alive(index)) return;
  nodes_[index]->mesh->drain(now_);
  drain(index);
  at(900ms, [this, index] {
    if (!alive(index)) return;
    nodes_[index]->mesh->leave(now_);
    drain(index);
  });
  at(1s, [this, index] { kill(index); });
}

void Simulator::run_for(Duration time) {
  const TimePoint until = now_ + time;
  while (!events_.empty() && events_.top().when <= until) {
    std::function<void()> action = std::move(const_cast<Event&>(events_.top()).action);
    now_ = events_.top().when;
    events_.pop();
    action();
  }
  now_ = until;
}

void Simulator::arm(NodeIndex index) {
  Node& node = *nodes_[index];
  const TimePoint next = std::max(node.mesh->next_deadline(), now_);
  if (next >= node.armed) return;
  node.armed = next;
  events_.push({next, ++order_, [this, index, next] {
                  Node& each = *nodes_[index];
                  if (!each.alive || each.armed != next) return;
                  each.armed = TimePoint::max();
                  each.mesh->tick(now_);
                  drain(index);
                }});
}

void Simulator::drain(NodeIndex index) {
  Node& node = *nodes_[index];
  for (Outgoing& out : node.mesh->take_outgoing()) deliver(index, out.to, std::move(out.message));
  for (MeshEvent& event : node.mesh->take_events()) {
    if (auto* result = std::get_if<FindResult>(&event)) {
      on_result(index, *result);
    } else if (auto* stale = std::get_if<Invalidated>(&event)) {
      for (const GroupId group : stale->groups) node.cache[static_cast<std::uint32_t>(group)].fresh_until = now_;
    } else if (const auto* drawn = std::get_if<Drawn>(&event)) {
      node.pace->on_drawn(*drawn);
    } else if (std::holds_alternative<Unheard>(event)) {
      node.pace->on_unheard();
    }
  }
  arm(index);
}

std::size_t Simulator::body_size(const Item& item, bool delta) const {
  // Measured on recorded answers: a delta of a small change is about 66 bytes, zstd with the dictionary gives 8 : 1.
  if (delta) return 66;
  return 20 + (item.body.size() == kBodyBytes ? load_be<std::uint32_t>(item.body.data()) / 8 : item.body.size());
}

void Simulator::deliver(NodeIndex from, const PeerId& to, Message message) {
  const auto it = by_peer_.find(to);
  if (it == by_peer_.end()) return;
  const NodeIndex target = it->second;
  if (tamper && !tamper(from, target, message)) return;
  if (tamper) read_items(message);
  for (const std::uint32_t key : never_leave)
    if (carries(message, lookup_key(key))) ++totals_.leaks;
  const std::size_t size =
      kFraming + encoded_size(message, [this](const Item& item, bool delta) { return body_size(item, delta); });
  ++by_type_[message.index()];
  totals_.bytes += size;
  if (is_membership(message)) {
    ++totals_.membership;
    totals_.membership_bytes += size;
  } else {
    ++totals_.messages;
  }
  if (cut && cut(from, target)) return;
  if (!nodes_[target]->alive) {
    // A dead machine's address answers nothing; a dead process's refuses.
    if (!nodes_[target]->refuses) return;
    at(one_way(from, target) * 2, [this, from, to] {
      if (!nodes_[from]->alive) return;
      nodes_[from]->mesh->on_disconnected(to, now_);
      drain(from);
    });
    return;
  }
  Duration delay = one_way(from, target) + std::chrono::microseconds(size / 125);  // 1 Gbit/s
  if (!nodes_[from]->contacts.contains(target)) {
    nodes_[from]->contacts[target] = nodes_[target]->contacts[from] = now_;
    delay += one_way(from, target) * 2 * (network_.first_contact_rtts - 1);
  }
  // One stream: what is short comes in the order in which it was sent, and overtakes bodies only.
  if (size <= kShort) {
    TimePoint& last = nodes_[from]->contacts[target];
    last = std::max(last, now_ + delay);
    delay = last - now_;
  }
  at(delay, [this, from, target, moved = std::make_shared<Message>(std::move(message))] {
    Node& node = *nodes_[target];
    if (!node.alive) return;
    if (garble && garble(from, target)) return end_session(target, from);
    node.mesh->on_message(nodes_[from]->peer, *moved, now_);
    drain(target);
  });
}

// As the driver does when a frame cannot be opened or read: the session is over, and the next message begins another.
void Simulator::end_session(NodeIndex reader, NodeIndex sender) {
  nodes_[reader]->mesh->on_protocol_error(nodes_[sender]->peer, now_);
  for (const auto& [one, other] : {std::pair(reader, sender), std::pair(sender, reader)}) {
    if (nodes_[one]->contacts.erase(other) != 0 && nodes_[one]->alive)
      nodes_[one]->mesh->on_disconnected(nodes_[other]->peer, now_);
    if (nodes_[one]->alive) drain(one);
  }
}

LookupKey Simulator::lookup_key_of(std::uint32_t key) { return lookup_key(key); }

void Simulator::send(NodeIndex from, NodeIndex to, Message message) {
  deliver(from, nodes_[to]->peer, std::move(message));
}

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
  nodes_[index]->pace->enter([this, index, find, key, from, held = std::move(candidate)]() mutable {
    send_upstream(index, find, key, std::move(held), from);
  });
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
    if (!proved) ++totals_.charged;
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

std::optional<NodeIndex> Simulator::rank(NodeIndex seen_by, std::uint32_t key, std::size_t which) {
  const std::vector<PeerId> row = nodes_[seen_by]->mesh->ranks_of(lookup_key(key));
  if (which >= row.size()) return std::nullopt;
  return by_peer_.at(row[which]);
}

}  // namespace ghmesh::mesh::simulate
