// SPDX-License-Identifier: Apache-2.0
// Virtual time, the members' lives, and the network between them; requests are in requests.cpp.
#include "simulator.hpp"

#include <algorithm>

#include "mesh/wire/codec.hpp"
#include "node.hpp"
#include "stand_ins.hpp"

namespace ghmesh::simulate {
namespace {

// Length and request id in front, tag behind; the secure channel and the muxer add 18 and 12 per write.
constexpr std::size_t kFraming = 8 + 16 + 18 + 12;

// What goes as one part (mesh/link/limits.hpp).
constexpr std::size_t kShort = 2048;

// As many as a node tells of itself (node/runtime/mesh_wing.hpp); what they are does not matter here, but the first.
constexpr std::size_t kCounters = 14;

bool is_membership(const Message& message) {
  return std::holds_alternative<Ping>(message) || std::holds_alternative<Pong>(message) ||
         std::holds_alternative<PingRequest>(message) || std::holds_alternative<News>(message) ||
         std::holds_alternative<Sync>(message);
}

}  // namespace

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

std::map<std::string_view, std::uint64_t> Simulator::messages_by_type() const {
  std::map<std::string_view, std::uint64_t> counts;
  const auto look = [&]<std::size_t I>() { counts[type_name(Message(std::in_place_index<I>))] = by_type_[I]; };
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (look.template operator()<I>(), ...);
  }(std::make_index_sequence<std::variant_size_v<Message>>());
  return counts;
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
      *node->mesh, token_tag(token), random_,
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

std::optional<NodeIndex> Simulator::rank(NodeIndex seen_by, std::uint32_t key, std::size_t which) {
  const std::vector<PeerId> row = nodes_[seen_by]->mesh->ranks_of(lookup_key(key));
  if (which >= row.size()) return std::nullopt;
  return by_peer_.at(row[which]);
}

}  // namespace ghmesh::simulate
