// SPDX-License-Identifier: Apache-2.0
// The dialling half of a swarm.

#include <algorithm>

#include "libp2p/swarm/swarm.hpp"
#include "libp2p/tcp/tcp.hpp"
#include "swarm_instruments.hpp"

namespace ghmesh::libp2p {

using multiformats::Multiaddr;
using Connected = Result<std::shared_ptr<PeerConnection>>;

// One way of reaching a peer that is under way, and those who wait for it.
struct Swarm::Dial {
  explicit Dial(io::Loop& loop) : progress(loop), done(loop) {}
  io::Event progress;  // an attempt has ended
  io::Event done;
  std::size_t running = 0;
  std::optional<Connected> result;
  std::optional<Error> last_error;
};

io::Task<Connected> Swarm::dial_endpoint(io::Endpoint endpoint, std::optional<PeerId> expected) {
  Result<resource::ConnectionPermit> permit =
      env_.resources.open_connection(resource::Direction::Out, endpoint.address, loop().now());
  if (!permit) co_return std::unexpected(permit.error());
  Result<std::unique_ptr<io::Stream>> raw = co_await io::with_deadline(
      loop(), env_.network.dial(endpoint), loop().now() + limits_.connect_timeout, "connecting");
  if (!raw) co_return std::unexpected(raw.error());
  Result<UpgradedConnection> upgraded =
      co_await env_.upgrader.upgrade(std::move(*raw), std::move(*permit), Direction::Outbound, expected);
  if (!upgraded) {
    instruments_->handshake_failed(upgraded.error());
    co_return std::unexpected(upgraded.error());
  }
  co_return adopt(std::move(*upgraded), Direction::Outbound);
}

io::Task<void> Swarm::attempt(io::Endpoint endpoint, std::optional<PeerId> expected, Dial& dial) {
  Connected connection = co_await dial_endpoint(endpoint, expected);
  --dial.running;
  if (connection) {
    if (!dial.result) dial.result = std::move(connection);
  } else {
    dial.last_error = std::move(connection.error()).with_context(to_string(endpoint));
  }
  dial.progress.set();
}

// RFC 8305: one attempt after the other with a head start each; the first that ends in a connection wins and the rest
// are destroyed.
io::Task<Connected> Swarm::dial_all(std::vector<Multiaddr> addresses, std::optional<PeerId> expected) {
  std::vector<io::Endpoint> endpoints;
  std::optional<Error> last;
  for (const Multiaddr& address : addresses) {
    const auto target = tcp::target_of(address);
    if (!target || target->port == 0) continue;
    const auto found = co_await tcp::resolve(env_.network, *target);
    if (!found) last = found.error();
    if (!found) continue;
    for (const io::Endpoint& endpoint : *found)
      if (std::ranges::find(endpoints, endpoint) == endpoints.end() && endpoints.size() < limits_.addresses_per_dial)
        endpoints.push_back(endpoint);
  }
  if (endpoints.empty())
    co_return std::unexpected(
        last.value_or(Error{ErrorCode::NotFound, Fault::Peer, Retry::Later, "no address of the peer can be dialled"}));
  if (endpoints.size() == 1) {
    Connected only = co_await dial_endpoint(endpoints[0], expected);
    if (!only) co_return std::unexpected(std::move(only.error()).with_context(to_string(endpoints[0])));
    co_return only;
  }
  Dial dial(loop());
  io::TaskGroup attempts(loop());
  std::size_t next = 0;
  while (!dial.result && (next < endpoints.size() || dial.running > 0)) {
    if (next < endpoints.size()) {
      ++dial.running;
      attempts.spawn(attempt(endpoints[next++], expected, dial));
    }
    const TimePoint patience = next < endpoints.size() ? loop().now() + limits_.stagger : TimePoint::max();
    (void)co_await dial.progress.wait_until(patience);
    dial.progress.reset();
  }
  if (dial.result) co_return std::move(*dial.result);
  co_return std::unexpected(*dial.last_error);
}

void Swarm::note_failure(const PeerId& peer) {
  instruments_->dials_failed.add();
  const TimePoint now = loop().now();
  if (back_offs_.size() >= limits_.back_offs)
    std::erase_if(back_offs_, [&](const auto& e) { return e.second.until <= now; });
  if (back_offs_.size() >= limits_.back_offs) return;
  BackOff& entry = back_offs_.try_emplace(peer, BackOff{now, Duration::zero()}).first->second;
  entry.pause =
      entry.pause == Duration::zero() ? limits_.first_back_off : std::min(entry.pause * 2, limits_.longest_back_off);
  entry.until = now + entry.pause;
}

io::Task<void> Swarm::run_dial(PeerId peer, std::shared_ptr<Dial> dial) {
  Connected result = co_await dial_all(env_.peerstore.addresses(peer, loop().now()), peer);
  // The peer may have come to us meanwhile.
  if (!result)
    if (auto other = connection(peer)) result = std::move(other);
  if (!result) note_failure(peer);
  dial->result = std::move(result);
  dials_.erase(peer);
  dial->done.set();
}

io::Task<Connected> Swarm::connect(PeerId peer) {
  if (peer == env_.self) co_return fail(ErrorCode::Refused, "that is this host itself");
  if (auto existing = connection(peer); existing && !existing->ended()) co_return existing;
  if (!env_.gate.allows_dial(peer))
    co_return fail(ErrorCode::Refused, "dialling the peer is not allowed: " + peer.text());
  std::shared_ptr<Dial> dial;
  if (const auto it = dials_.find(peer); it != dials_.end()) {
    dial = it->second;
  } else {
    if (const auto waiting = back_offs_.find(peer); waiting != back_offs_.end() && loop().now() < waiting->second.until)
      co_return fail(ErrorCode::Refused, "backing off after failed dials", Fault::Peer, Retry::Later);
    dial = std::make_shared<Dial>(loop());
    dials_.emplace(peer, dial);
    tasks_.spawn(run_dial(peer, dial));
  }
  co_await dial->done.wait();
  co_return *dial->result;
}

io::Task<Connected> Swarm::dial(Multiaddr address) {
  const std::optional<PeerId> peer = peer_of(address);
  if (!peer && address.has(multiformats::Protocol::P2p))
    co_return fail(ErrorCode::Malformed, "the address ends at no peer that can be dialled");
  if (peer) {
    if (auto existing = connection(*peer); existing && !existing->ended()) co_return existing;
    if (!env_.gate.allows_dial(*peer))
      co_return fail(ErrorCode::Refused, "dialling the peer is not allowed: " + peer->text());
  }
  std::vector<Multiaddr> one;
  one.push_back(std::move(address));
  co_return co_await dial_all(std::move(one), peer);
}

io::Task<Result<PeerStream>> Swarm::open(PeerId peer, std::string protocol) {
  Connected connection = co_await connect(peer);
  if (!connection) co_return std::unexpected(connection.error());
  co_return (*connection)->open(protocol);
}

}  // namespace ghmesh::libp2p
