// SPDX-License-Identifier: Apache-2.0
#include "libp2p/swarm/swarm.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "libp2p/multistream/negotiate.hpp"
#include "libp2p/tcp/tcp.hpp"
#include "swarm_instruments.hpp"

namespace ghmesh::libp2p {

using multiformats::Multiaddr;

namespace {

constexpr Duration kRefusalTime = std::chrono::seconds(1);
constexpr int kRefusalReads = 16;

// Windows count for the connection's, the peer's and the system's memory.
class PermitBudget final : public yamux::WindowBudget {
 public:
  explicit PermitBudget(std::shared_ptr<resource::ConnectionPermit> permit) : permit_(std::move(permit)) {}
  bool try_reserve(std::size_t bytes) override { return permit_->try_reserve(bytes); }
  void release(std::size_t bytes) override { permit_->unreserve(bytes); }

 private:
  std::shared_ptr<resource::ConnectionPermit> permit_;
};

}  // namespace

struct Swarm::Unlist {
  std::list<Pending>& list;
  std::list<Pending>::iterator entry;
  ~Unlist() { list.erase(entry); }
};

Swarm::Swarm(Environment environment, SwarmLimits limits, yamux::Limits mux_limits)
    : env_(std::move(environment)),
      limits_(limits),
      mux_limits_(mux_limits),
      instruments_(std::make_unique<Instruments>(env_.metrics)),
      tasks_(env_.network.loop()) {
  tasks_.spawn(housekeeping());
}

Swarm::~Swarm() {
  close_listeners();
  tasks_.cancel();
  for (const auto& [peer, connection] : connections_) connection->mux_.reset();
  for (const auto& connection : retired_) connection->mux_.reset();
}

Result<Multiaddr> Swarm::listen(const Multiaddr& address) {
  Result<std::unique_ptr<io::Listener>> listener = tcp::listen(env_.network, address);
  if (!listener) return std::unexpected(listener.error());
  return listen(std::move(*listener));
}

Multiaddr Swarm::listen(std::unique_ptr<io::Listener> listener) {
  const std::optional<io::Endpoint> bound = listener->local_endpoint();
  GHMESH_CHECK(bound.has_value());
  listeners_.push_back({std::move(listener), *bound});
  tasks_.spawn(accept_loop(*listeners_.back().listener));
  for (const auto& listener_of_change : changed_) listener_of_change();
  return tcp::to_multiaddr(*bound);
}

std::vector<Multiaddr> Swarm::listen_addresses() const {
  std::vector<Multiaddr> out;
  for (const Listening& l : listeners_)
    for (Multiaddr& a : tcp::announced(env_.network, l.bound)) out.push_back(std::move(a));
  return out;
}

void Swarm::close_listeners() {
  // The accept loops end with the listeners' Closed; the listeners stay until then.
  for (Listening& l : listeners_) l.listener->close();
}

io::Task<void> Swarm::accept_loop(io::Listener& listener) {
  while (true) {
    Result<std::unique_ptr<io::Stream>> raw = co_await listener.accept();
    if (!raw) break;
    const std::optional<io::Endpoint> from = (*raw)->remote_endpoint();
    if (!env_.gate.allows_accept(from)) continue;
    if (env_.resources.usage().transient_connections >= env_.resources.limits().transient_connections &&
        evict_pending()) {
      // The evicted one gives its place back when its task has seen the abort.
      co_await loop().yield();
      co_await loop().yield();
    }
    Result<resource::ConnectionPermit> permit = env_.resources.open_connection(
        resource::Direction::In, from ? std::optional(from->address) : std::nullopt, loop().now());
    if (!permit) {
      instruments_->refused.add();
      env_.log.debug("connection refused", {{"from", from ? to_string(*from) : ""}, {"why", permit.error().message}});
      continue;
    }
    tasks_.spawn(accept_one(std::move(*raw), std::move(*permit)));
  }
}

io::Task<void> Swarm::accept_one(std::unique_ptr<io::Stream> raw, resource::ConnectionPermit permit) {
  const std::optional<io::Endpoint> from = raw->remote_endpoint();
  const auto pending = pending_.insert(pending_.end(), {raw.get(), loop().now()});
  const Unlist unlist{pending_, pending};
  Result<UpgradedConnection> upgraded =
      co_await env_.upgrader.upgrade(std::move(raw), std::move(permit), Direction::Inbound, std::nullopt);
  if (!upgraded) {
    instruments_->handshake_failed(upgraded.error());
    env_.log.info("handshake failed", {{"from", from ? to_string(*from) : ""}, {"why", upgraded.error().message}});
    co_return;
  }
  (void)adopt(std::move(*upgraded), Direction::Inbound);
}

// A flood of silent connections holds all places of unproven peers; whoever comes then takes that of the oldest, which
// has had time enough for an honest handshake.
bool Swarm::evict_pending() {
  if (pending_.empty() || loop().now() - pending_.front().since < limits_.handshake_grace) return false;
  io::Stream& oldest = *pending_.front().raw;
  pending_.splice(pending_.end(), pending_, pending_.begin());
  pending_.back().since = TimePoint::max();
  oldest.abort({ErrorCode::Limit, Fault::Local, Retry::Later, "made room for another connection"});
  return true;
}

Result<std::shared_ptr<PeerConnection>> Swarm::adopt(UpgradedConnection upgraded, Direction direction) {
  instruments_->handshakes_done.add();
  instruments_->handshake_seconds.observe(std::chrono::duration<double>(upgraded.took).count());
  if (upgraded.secured.remote_peer == env_.self) return fail(ErrorCode::Refused, "that is this host itself");
  std::shared_ptr<PeerConnection> fresh(new PeerConnection(std::move(upgraded), direction, loop().now()));
  const auto it = connections_.find(fresh->peer());
  if (it != connections_.end()) {
    if (!keeps_new(*it->second, *fresh)) {
      // Still served, so that the other side, which may see it differently for a moment, is not cut off.
      start(fresh);
      std::shared_ptr<PeerConnection> kept = it->second;
      retire(std::move(fresh));
      return kept;
    }
    std::shared_ptr<PeerConnection> old = std::move(it->second);
    it->second = fresh;
    start(fresh);
    retire(std::move(old));
    return fresh;
  }
  connections_.emplace(fresh->peer(), fresh);
  back_offs_.erase(fresh->peer());
  start(fresh);
  if (fresh->remote_address_ && direction == Direction::Outbound)
    env_.peerstore.add(fresh->peer(), {*fresh->remote_address_}, std::chrono::hours(1), loop().now());
  for (const auto& listener : connected_) listener(fresh);
  return fresh;
}

// Both sides come to the same answer: of two dialled at once the one that the smaller id dialled stays. When the first
// is older, a second means that the other side has lost it.
bool Swarm::keeps_new(const PeerConnection& existing, const PeerConnection& fresh) const {
  if (existing.ended() || existing.direction() == fresh.direction()) return true;
  if (fresh.opened() - existing.opened() > limits_.simultaneous) return true;
  const bool we_are_smaller = env_.self < fresh.peer();
  return (fresh.direction() == Direction::Outbound) == we_are_smaller;
}

void Swarm::retire(std::shared_ptr<PeerConnection> connection) {
  if (connection->ended()) return;
  connection->draining_ = true;
  connection->used_ = loop().now();
  retired_.push_back(std::move(connection));
}

void Swarm::start(const std::shared_ptr<PeerConnection>& connection) {
  const std::weak_ptr<PeerConnection> weak = connection;
  connection->mux_ = std::make_unique<yamux::Connection>(
      std::move(connection->secured_),
      connection->direction() == Direction::Outbound ? yamux::Role::Client : yamux::Role::Server, mux_limits_,
      std::make_shared<PermitBudget>(connection->permit_),
      [this, weak](std::unique_ptr<io::Stream> stream) {
        if (const auto alive = weak.lock()) on_stream(alive, std::move(stream));
      },
      [this, weak](const Error& why) {
        if (const auto alive = weak.lock()) on_closed(alive, why);
      });
  instruments_->connections.add(1);
  env_.log.debug("connected",
                 {{"peer", connection->peer().text()}, {"inbound", connection->direction() == Direction::Inbound}});
}

// Once a second and at the end, so that a long transfer shows while it runs and no octet pays for being counted.
void Swarm::count_traffic(PeerConnection& connection) {
  if (!connection.mux_) return;
  const auto catch_up = [](metrics::Counter& counter, std::uint64_t& counted, std::uint64_t now) {
    counter.add(now - counted);
    counted = now;
  };
  const yamux::Connection& mux = *connection.mux_;
  catch_up(instruments_->bytes_in, connection.counted_.bytes_in, mux.bytes_in());
  catch_up(instruments_->bytes_out, connection.counted_.bytes_out, mux.bytes_out());
  const yamux::Counters& streams = mux.session().counters();
  catch_up(instruments_->streams_out, connection.counted_.streams_out, streams.opened_out);
  catch_up(instruments_->resets_in, connection.counted_.resets_in, streams.resets_in);
  catch_up(instruments_->resets_out, connection.counted_.resets_out, streams.resets_out);
}

void Swarm::on_closed(const std::shared_ptr<PeerConnection>& connection, const Error& why) {
  if (connection->mux_) {
    instruments_->connections.add(-1);
    count_traffic(*connection);
  }
  connection->mux_.reset();
  connection->permit_->release();
  env_.log.debug("disconnected", {{"peer", connection->peer().text()}, {"why", why.message}});
  std::erase(retired_, connection);
  const auto it = connections_.find(connection->peer());
  if (it == connections_.end() || it->second != connection) return;
  connections_.erase(it);
  for (const auto& listener : disconnected_) listener(connection);
}

void Swarm::on_stream(const std::shared_ptr<PeerConnection>& connection, std::unique_ptr<io::Stream> stream) {
  connection->used_ = loop().now();
  Result<resource::StreamPermit> permit = connection->permit_->open_stream();
  // Without a place the stream is dropped here, which resets it.
  if (!permit) {
    instruments_->streams_refused.add();
    return;
  }
  instruments_->streams_in.add();
  tasks_.spawn(serve(connection, std::move(stream), std::move(*permit)));
}

io::Task<void> Swarm::serve(std::shared_ptr<PeerConnection> connection, std::unique_ptr<io::Stream> stream,
                            resource::StreamPermit permit) {
  const Result<std::string> protocol =
      co_await multistream::answer(*stream, [this](std::string_view name) { return handlers_.contains(name); });
  if (!protocol) {
    // A reset could overtake the refusal, so it ends like an answer: our end, then the rest of what was sent.
    const io::StreamDeadline deadline(*stream, kRefusalTime, "refusing a stream");
    stream->shutdown_write();
    std::uint8_t rest[1024];
    for (int i = 0; i < kRefusalReads; ++i)
      if (const auto n = co_await stream->read_some(rest); !n || *n == 0) break;
    co_return;
  }
  const auto handler = handlers_.find(*protocol);
  if (handler == handlers_.end()) co_return;
  if (!permit.set_protocol(*protocol)) {
    instruments_->streams_refused.add();
    co_return;
  }
  const PeerId peer = connection->peer();
  // The handler is copied: it may be replaced while its task runs.
  const StreamHandler handle = handler->second;
  co_await handle(PeerStream{std::move(stream), *protocol, peer, std::move(connection), std::move(permit)});
}

void Swarm::set_handler(std::string protocol, StreamHandler handler) {
  handlers_[std::move(protocol)] = std::move(handler);
  for (const auto& listener : changed_) listener();
}

void Swarm::remove_handler(std::string_view protocol) {
  const auto it = handlers_.find(protocol);
  if (it == handlers_.end()) return;
  handlers_.erase(it);
  for (const auto& listener : changed_) listener();
}

std::vector<std::string> Swarm::protocols() const {
  std::vector<std::string> out;
  for (const auto& [name, handler] : handlers_) out.push_back(name);
  return out;
}

std::shared_ptr<PeerConnection> Swarm::connection(const PeerId& peer) const {
  const auto it = connections_.find(peer);
  return it == connections_.end() ? nullptr : it->second;
}

std::vector<std::shared_ptr<PeerConnection>> Swarm::connections() const {
  std::vector<std::shared_ptr<PeerConnection>> out;
  for (const auto& [peer, connection] : connections_) out.push_back(connection);
  return out;
}

void Swarm::disconnect(const PeerId& peer, Error why) {
  if (const auto it = connections_.find(peer); it != connections_.end() && it->second->mux_)
    it->second->mux_->close(std::move(why));
}

io::Task<void> Swarm::housekeeping() {
  while (true) {
    co_await loop().sleep_for(1s);
    const TimePoint now = loop().now();
    const Error idle{ErrorCode::Cancelled, Fault::Local, Retry::Now, "the connection was idle"};
    for (const auto& [peer, connection] : connections_) count_traffic(*connection);
    for (const auto& connection : std::vector(retired_)) {
      count_traffic(*connection);
      if (!connection->mux_ || (connection->streams() > 0 && now - connection->used_ < limits_.drain)) continue;
      // A moment even without streams: the other side may be opening one.
      if (now - connection->used_ >= 1s) connection->mux_->close(idle);
    }
    if (limits_.idle_after == Duration::zero()) continue;
    for (const auto& connection : connections()) {
      if (connection->streams() > 0) connection->used_ = now;
      if (connection->mux_ && !connection->protected_ && now - connection->used_ >= limits_.idle_after)
        connection->mux_->close(idle);
    }
  }
}

}  // namespace ghmesh::libp2p
