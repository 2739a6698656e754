// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "io/network.hpp"
#include "io/task_group.hpp"
#include "libp2p/peerstore/peerstore.hpp"
#include "libp2p/swarm/connection.hpp"
#include "libp2p/swarm/limits.hpp"

// All connections of one host: listens, dials a peer over all its addresses, keeps one connection per peer, gives
// inbound streams to their protocols' handlers, and ends what nobody uses. One loop; no global state, so one process
// may hold many. The swarm outlives nothing it was given: network, upgrader, peerstore, resources and gate outlive it.

namespace ghmesh::libp2p {

class Swarm {
 public:
  using StreamHandler = std::function<io::Task<void>(PeerStream)>;
  struct Environment {
    io::Network& network;
    const Upgrader& upgrader;
    const ConnectionGate& gate;
    resource::Manager& resources;
    Peerstore& peerstore;
    PeerId self;
    log::Logger log;
    metrics::Registry* metrics = nullptr;
  };

  Swarm(Environment environment, SwarmLimits limits, yamux::Limits mux_limits);
  ~Swarm();
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  // Starts listening; the address that was really bound.
  Result<multiformats::Multiaddr> listen(const multiformats::Multiaddr& address);
  // The same on a TCP listener that somebody else bound.
  multiformats::Multiaddr listen(std::unique_ptr<io::Listener> listener);
  std::vector<multiformats::Multiaddr> listen_addresses() const;  // as others may dial them
  void close_listeners();

  // The connection to a peer: the one there is, or a new one over the addresses known of it. Refused while backing off
  // after failures, Timeout, NotFound without any address, and what the last attempt failed with. Concurrent calls
  // share one dial.
  io::Task<Result<std::shared_ptr<PeerConnection>>> connect(PeerId peer);
  // To an address; with /p2p/… only that peer will do. Ignores back-off.
  io::Task<Result<std::shared_ptr<PeerConnection>>> dial(multiformats::Multiaddr address);
  // connect(), then a stream with the protocol proposed.
  io::Task<Result<PeerStream>> open(PeerId peer, std::string protocol);

  // Streams of that protocol id (exact match) are given to handler, which runs as a task of the swarm.
  void set_handler(std::string protocol, StreamHandler handler);
  void remove_handler(std::string_view protocol);
  std::vector<std::string> protocols() const;

  std::shared_ptr<PeerConnection> connection(const PeerId& peer) const;
  std::vector<std::shared_ptr<PeerConnection>> connections() const;
  void disconnect(const PeerId& peer, Error why);
  // It is known to be there again: the next dial does not wait for the end of a back-off.
  void forget_failures(const PeerId& peer) { back_offs_.erase(peer); }

  // Called after a connection has come up or gone down; the connection of a replaced one goes down without a call.
  using ConnectionListener = std::function<void(const std::shared_ptr<PeerConnection>&)>;
  void on_connected(ConnectionListener listener) { connected_.push_back(std::move(listener)); }
  void on_disconnected(ConnectionListener listener) { disconnected_.push_back(std::move(listener)); }
  // Called when the set of handlers or listen addresses changes.
  void on_changed(std::function<void()> listener) { changed_.push_back(std::move(listener)); }

  const PeerId& self() const { return env_.self; }
  io::Loop& loop() const { return env_.network.loop(); }
  io::TaskGroup& tasks() { return tasks_; }
  const SwarmLimits& limits() const { return limits_; }

 private:
  struct Dial;
  struct BackOff {
    TimePoint until;
    Duration pause;
  };
  struct Listening {
    std::unique_ptr<io::Listener> listener;
    io::Endpoint bound;
  };
  struct Instruments;
  struct Pending {  // accepted, not yet proven
    io::Stream* raw;
    TimePoint since;
  };
  struct Unlist;

  io::Task<void> accept_loop(io::Listener& listener);
  io::Task<void> accept_one(std::unique_ptr<io::Stream> raw, resource::ConnectionPermit permit);
  io::Task<Result<std::shared_ptr<PeerConnection>>> dial_endpoint(io::Endpoint endpoint,
                                                                  std::optional<PeerId> expected);
  io::Task<void> attempt(io::Endpoint endpoint, std::optional<PeerId> expected, Dial& dial);
  io::Task<void> run_dial(PeerId peer, std::shared_ptr<Dial> dial);
  io::Task<Result<std::shared_ptr<PeerConnection>>> dial_all(std::vector<multiformats::Multiaddr> addresses,
                                                             std::optional<PeerId> expected);
  Result<std::shared_ptr<PeerConnection>> adopt(UpgradedConnection upgraded, Direction direction);
  bool evict_pending();
  bool keeps_new(const PeerConnection& existing, const PeerConnection& fresh) const;
  void retire(std::shared_ptr<PeerConnection> connection);
  void start(const std::shared_ptr<PeerConnection>& connection);
  void count_traffic(PeerConnection& connection);
  void on_closed(const std::shared_ptr<PeerConnection>& connection, const Error& why);
  void on_stream(const std::shared_ptr<PeerConnection>& connection, std::unique_ptr<io::Stream> stream);
  io::Task<void> serve(std::shared_ptr<PeerConnection> connection, std::unique_ptr<io::Stream> stream,
                       resource::StreamPermit permit);
  io::Task<void> housekeeping();
  void note_failure(const PeerId& peer);

  Environment env_;
  const SwarmLimits limits_;
  const yamux::Limits mux_limits_;
  std::unique_ptr<Instruments> instruments_;
  std::list<Listening> listeners_;
  std::list<Pending> pending_;  // oldest first
  std::map<std::string, StreamHandler, std::less<>> handlers_;
  std::unordered_map<PeerId, std::shared_ptr<PeerConnection>> connections_;
  std::vector<std::shared_ptr<PeerConnection>> retired_;
  std::unordered_map<PeerId, std::shared_ptr<Dial>> dials_;
  std::unordered_map<PeerId, BackOff> back_offs_;
  std::vector<ConnectionListener> connected_;
  std::vector<ConnectionListener> disconnected_;
  std::vector<std::function<void()>> changed_;
  io::TaskGroup tasks_;
};

}  // namespace ghmesh::libp2p
