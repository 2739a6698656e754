// SPDX-License-Identifier: Apache-2.0
#include "libp2p/resource/manager.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ghmesh::libp2p::resource {

struct ConnectionScope {
  Manager* manager = nullptr;  // null once the connection's permit is gone
  Direction direction = Direction::In;
  std::array<std::optional<Manager::Counted>, 2> prefixes;
  std::optional<std::string> peer;
  std::uint32_t streams = 0;
  std::uint32_t transient_streams = 0;
  std::size_t memory = 0;
  std::map<std::string, std::uint32_t, std::less<>> protocols;
  std::map<std::string, std::uint32_t, std::less<>> inbound;  // of protocols with a number of their own

  Manager::Peer* peer_scope() {
    if (!peer) return nullptr;
    const auto it = manager->peers_.find(*peer);
    GHMESH_CHECK(it != manager->peers_.end());
    return &it->second;
  }
  void drop_stream(const std::optional<std::string>& protocol, Direction opened) {
    --streams;
    --manager->usage_.streams;
    Manager::Peer* scope = peer_scope();
    if (scope != nullptr) --scope->streams;
    if (!protocol) {
      --transient_streams;
      --manager->usage_.transient_streams;
      return;
    }
    --protocols[*protocol];
    if (opened == Direction::In && manager->limits().protocol_streams.contains(*protocol)) --inbound[*protocol];
    if (scope != nullptr && --scope->protocols[*protocol] == 0) scope->protocols.erase(*protocol);
  }
};

namespace {

std::array<std::uint8_t, 17> cut(const io::IpAddress& address, std::uint8_t bits) {
  std::array<std::uint8_t, 17> prefix{};
  std::copy_n(address.octets.begin(), bits / 8, prefix.begin());
  // IPv4 and IPv6 prefixes of one length never meet: IPv4 has only /32 and IPv6 none.
  prefix[16] = bits;
  return prefix;
}

}  // namespace

std::string complaint(const Limits& l) {
  constexpr std::size_t kWindow = 256 * 1024;
  if (l.connections_in > Maxima::kConnections || l.connections_out > Maxima::kConnections)
    return "connections over the maximum";
  if (l.transient_connections > Maxima::kTransientConnections) return "transient connections over the maximum";
  if (l.transient_connections > l.connections_in) return "more transient than inbound connections";
  if (l.connections_per_peer == 0 || l.connections_per_ip == 0) return "nobody could connect";
  if (l.streams_per_connection > Maxima::kStreamsPerConnection) return "streams per connection over the maximum";
  if (l.streams_per_peer > Maxima::kStreamsPerPeer) return "streams per peer over the maximum";
  if (l.streams > Maxima::kStreams) return "streams over the maximum";
  if (l.streams_per_connection > l.streams_per_peer) return "a connection may have more streams than its peer";
  if (l.streams_per_peer > l.streams) return "a peer may have more streams than the system";
  if (l.memory > Maxima::kMemory) return "memory over the maximum";
  if (l.memory_per_connection > l.memory_per_peer) return "a connection may have more memory than its peer";
  if (l.memory_per_peer > l.memory) return "a peer may have more memory than the system";
  if (l.memory_per_connection < l.streams_per_connection * kWindow) return "a connection's windows exceed its memory";
  if (l.memory_per_peer < l.streams_per_peer * kWindow) return "a peer's windows exceed its memory";
  if (l.memory < std::size_t{l.streams} * kWindow) return "all windows exceed the memory";
  return {};
}

Manager::Manager(Limits limits) : limits_(std::move(limits)) {}

std::array<std::optional<Manager::Counted>, 2> Manager::prefixes_of(const io::IpAddress& address) const {
  if (address.is_loopback())
    return {Counted{cut(address, address.v6 ? 128 : 32), limits_.connections_per_loopback}, {}};
  if (!address.v6) return {Counted{cut(address, 32), limits_.connections_per_ip}, {}};
  return {Counted{cut(address, 56), limits_.connections_per_ip},
          Counted{cut(address, 48), limits_.connections_per_v6_site}};
}

bool Manager::take_token(const io::IpAddress& address, TimePoint now) {
  const bool loopback = address.is_loopback();
  const double rate = loopback ? limits_.loopback_accepts_per_second : limits_.accepts_per_second;
  const double burst = loopback ? limits_.loopback_accept_burst : limits_.accept_burst;
  const auto tokens_now = [&](const Bucket& bucket) {
    return std::min(burst, bucket.tokens + std::chrono::duration<double>(now - bucket.at).count() * rate);
  };
  Prefix prefix = cut(address, address.v6 ? 56 : 32);
  if (buckets_.size() >= limits_.tracked_addresses && !buckets_.contains(prefix)) {
    // A full bucket says nothing that an absent one does not.
    std::erase_if(buckets_, [&](const auto& entry) { return tokens_now(entry.second) >= burst; });
    if (buckets_.size() >= limits_.tracked_addresses) prefix = Prefix{};
  }
  Bucket& bucket = buckets_.try_emplace(prefix, Bucket{burst, now}).first->second;
  bucket = {tokens_now(bucket), now};
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

std::unexpected<Error> Manager::refuse_connection(const char* scope) {
  ++usage_.refused_connections;
  return fail(ErrorCode::Limit, std::string("too many connections: ") + scope, Fault::Local, Retry::Later);
}

Result<ConnectionPermit> Manager::open_connection(Direction direction, const std::optional<io::IpAddress>& address,
                                                  TimePoint now) {
  const bool in = direction == Direction::In;
  if (in ? usage_.connections_in >= limits_.connections_in : usage_.connections_out >= limits_.connections_out)
    return refuse_connection("system");
  if (usage_.transient_connections >= limits_.transient_connections) return refuse_connection("transient");
  auto scope = std::make_shared<ConnectionScope>();
  // Only others' wishes are counted by address; whom we dial is our own choice.
  if (in && address) {
    scope->prefixes = prefixes_of(*address);
    for (const auto& counted : scope->prefixes) {
      if (!counted) continue;
      const auto it = by_prefix_.find(counted->prefix);
      if (it != by_prefix_.end() && it->second >= counted->limit) return refuse_connection("address");
    }
    if (!take_token(*address, now)) return refuse_connection("rate of the address");
    for (const auto& counted : scope->prefixes)
      if (counted) ++by_prefix_[counted->prefix];
  }
  ++(in ? usage_.connections_in : usage_.connections_out);
  ++usage_.transient_connections;
  scope->manager = this;
  scope->direction = direction;
  ConnectionPermit permit;
  permit.scope_ = std::move(scope);
  return permit;
}

ConnectionPermit& ConnectionPermit::operator=(ConnectionPermit&& other) noexcept {
  if (this != &other) {
    release();
    scope_ = std::move(other.scope_);
  }
  return *this;
}

Result<> ConnectionPermit::admit(std::string_view peer) {
  GHMESH_CHECK(scope_ && !scope_->peer);
  Manager& manager = *scope_->manager;
  const auto it = manager.peers_.find(peer);
  if (it != manager.peers_.end() && it->second.connections >= manager.limits_.connections_per_peer)
    return manager.refuse_connection("peer");
  Manager::Peer& entry = it != manager.peers_.end() ? it->second : manager.peers_[std::string(peer)];
  ++entry.connections;
  --manager.usage_.transient_connections;
  entry.memory += scope_->memory;
  scope_->peer = std::string(peer);
  return {};
}

Result<StreamPermit> ConnectionPermit::open_stream(Direction direction) {
  GHMESH_CHECK(scope_ && scope_->peer);
  Manager& manager = *scope_->manager;
  Manager::Peer& peer = *scope_->peer_scope();
  const Limits& limits = manager.limits_;
  const char* full = scope_->streams >= limits.streams_per_connection               ? "connection"
                     : peer.streams >= limits.streams_per_peer                      ? "peer"
                     : manager.usage_.streams >= limits.streams                     ? "system"
                     : manager.usage_.transient_streams >= limits.transient_streams ? "transient"
                                                                                    : nullptr;
  if (full != nullptr) {
    ++manager.usage_.refused_streams;
    return fail(ErrorCode::Limit, std::string("too many streams: ") + full, Fault::Local, Retry::Later);
  }
  ++scope_->streams;
  ++scope_->transient_streams;
  ++peer.streams;
  ++manager.usage_.streams;
  ++manager.usage_.transient_streams;
  StreamPermit permit;
  permit.connection_ = scope_;
  permit.direction_ = direction;
  return permit;
}

bool ConnectionPermit::try_reserve(std::size_t bytes) {
  GHMESH_CHECK(scope_ != nullptr);
  Manager& manager = *scope_->manager;
  Manager::Peer* peer = scope_->peer_scope();
  const Limits& limits = manager.limits_;
  const auto fits = [&](std::size_t used, std::size_t limit) { return used <= limit && bytes <= limit - used; };
  if (!fits(scope_->memory, limits.memory_per_connection) || !fits(manager.usage_.memory, limits.memory) ||
      (peer != nullptr && !fits(peer->memory, limits.memory_per_peer))) {
    ++manager.usage_.refused_memory;
    return false;
  }
  scope_->memory += bytes;
  manager.usage_.memory += bytes;
  if (peer != nullptr) peer->memory += bytes;
  return true;
}

void ConnectionPermit::unreserve(std::size_t bytes) {
  if (!scope_) return;
  GHMESH_CHECK(bytes <= scope_->memory);
  scope_->memory -= bytes;
  scope_->manager->usage_.memory -= bytes;
  if (Manager::Peer* peer = scope_->peer_scope(); peer != nullptr) peer->memory -= bytes;
}

std::size_t ConnectionPermit::streams() const { return scope_ ? scope_->streams : 0; }
std::size_t ConnectionPermit::memory() const { return scope_ ? scope_->memory : 0; }

void ConnectionPermit::release() {
  if (!scope_) return;
  Manager& manager = *scope_->manager;
  Usage& usage = manager.usage_;
  usage.memory -= scope_->memory;
  usage.streams -= scope_->streams;
  usage.transient_streams -= scope_->transient_streams;
  --(scope_->direction == Direction::In ? usage.connections_in : usage.connections_out);
  if (Manager::Peer* peer = scope_->peer_scope(); peer != nullptr) {
    peer->memory -= scope_->memory;
    peer->streams -= scope_->streams;
    for (const auto& [protocol, count] : scope_->protocols) {
      if (count == 0) continue;
      std::uint32_t& left = peer->protocols[protocol];
      left -= count;
      if (left == 0) peer->protocols.erase(protocol);
    }
    if (--peer->connections == 0) manager.peers_.erase(*scope_->peer);
  } else {
    --usage.transient_connections;
  }
  for (const auto& counted : scope_->prefixes) {
    if (!counted) continue;
    const auto it = manager.by_prefix_.find(counted->prefix);
    if (--it->second == 0) manager.by_prefix_.erase(it);
  }
  scope_->manager = nullptr;
  scope_.reset();
}

Result<> StreamPermit::set_protocol(std::string_view protocol) {
  GHMESH_CHECK(connection_ && !protocol_);
  if (connection_->manager == nullptr) return fail(ErrorCode::Closed, "the connection is gone", Fault::Peer);
  Manager& manager = *connection_->manager;
  Manager::Peer& peer = *connection_->peer_scope();
  const auto it = peer.protocols.find(protocol);
  const std::uint32_t used = it == peer.protocols.end() ? 0 : it->second;
  const auto own = manager.limits_.protocol_streams.find(protocol);
  const bool counted = own != manager.limits_.protocol_streams.end() && direction_ == Direction::In;
  if (used >= manager.limits_.streams_per_protocol_and_peer ||
      (counted && connection_->inbound[own->first] >= own->second)) {
    ++manager.usage_.refused_streams;
    return fail(ErrorCode::Limit, "too many streams: " + std::string(protocol), Fault::Local, Retry::Later);
  }
  protocol_ = std::string(protocol);
  ++peer.protocols[*protocol_];
  ++connection_->protocols[*protocol_];
  if (counted) ++connection_->inbound[own->first];
  --connection_->transient_streams;
  --manager.usage_.transient_streams;
  return {};
}

void StreamPermit::release() {
  if (!connection_) return;
  if (connection_->manager != nullptr) connection_->drop_stream(protocol_, direction_);
  connection_.reset();
  protocol_.reset();
}

void StreamPermit::swap(StreamPermit& other) noexcept {
  std::swap(connection_, other.connection_);
  std::swap(direction_, other.direction_);
  std::swap(protocol_, other.protocol_);
}

}  // namespace ghmesh::libp2p::resource
