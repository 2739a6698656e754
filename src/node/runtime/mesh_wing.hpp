// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/metrics.hpp"
#include "io/epoll_loop.hpp"
#include "io/network.hpp"
#include "io/task_group.hpp"
#include "io/work_pool.hpp"
#include "libp2p/host/host.hpp"
#include "mesh/discovery/discovery.hpp"
#include "mesh/link/link.hpp"
#include "node/config/config.hpp"
#include "proxy/sharing.hpp"
#include "proxy/stats.hpp"

// The node's half of the mesh: identity, libp2p host, link to the other members, and the door for the request path. A
// node without it is a local cache and says why, once. Loop thread; what it is given outlives it.

namespace ghmesh::node {

struct MeshParts {
  io::EpollLoop& loop;
  io::WorkPool& pool;
  io::Network& network;
  Random& random;
  metrics::Registry& metrics;
  proxy::Planner& planner;
  const proxy::Stats& stats;
  log::Logger logger;
  // Bound by somebody else, for peers; if there are any, --p2p-listen is not.
  std::vector<std::unique_ptr<io::Listener>> listeners = {};
};

class MeshWing {
 public:
  // What open() came to: a wing, or the reason for a local cache.
  struct Opened {
    std::unique_ptr<MeshWing> wing;
    std::string why_not;
  };
  // Binds --p2p-listen. An Error is a setting that the operator has to change: a secret that is there but unusable, an
  // identity file that is not ours. A port that is taken, and no secret, are reasons only.
  static Result<Opened> open(const config::Config& config, MeshParts parts);
  ~MeshWing();
  MeshWing(const MeshWing&) = delete;
  MeshWing& operator=(const MeshWing&) = delete;

  // Begins to answer and to dial; after the listeners of clients are bound.
  void start();
  // Hands partitions over and says goodbye, within patience.
  io::Task<> leave(Duration patience);
  // Reads the secret again from where it came. The mesh of connections that stand goes on.
  Result<> reload_secret();

  // Everybody's records now, this node's too.
  io::Task<Result<mesh::Discovered>> look_into_registry();
  std::string peer_id() const { return host_->id().text(); }
  // Where others may dial this node, each with /p2p/<id>.
  std::vector<std::string> addresses() const;

  proxy::Sharing& sharing() { return *sharing_; }
  mesh::Link& link() { return *link_; }
  const mesh::Link& link() const { return *link_; }
  const mesh::Discovery& discovery() const { return *discovery_; }
  libp2p::Host& host() { return *host_; }
  const mesh::MeshId& mesh_id() const { return mesh_id_; }
  mesh::SecretSource secret_source() const { return source_; }

  // What members tell each other about their counting, in the order of the wire. Only ever appended to.
  enum Counter : std::size_t {
    kRequests,
    kLocalHits,
    kPeerHits,
    kProofs,
    kPeerProofs,
    kCollapsed,
    kMisses,
    kUpstreamCalls,
    kChargedCalls,
    kFree304s,
    kDirectCalls,
    kBytesFromPeers,
    kBytesToPeers,
    kErrors,
    kCounters
  };
  // The last round trip to a connected peer; nothing before the first.
  std::optional<double> rtt_ms(const libp2p::PeerId& peer) const;
  // Sums over the fleet; missing ones are 0.
  std::vector<std::uint64_t> fleet_totals();
  std::size_t fleet_members() const;
  // The first look for others is over: who was heard of is met or cannot be had, and whoever is met has told of the
  // rest. What is asked before may be asked of GitHub by several.
  bool settled() const;

 private:
  MeshWing(const config::Config& config, MeshParts parts);
  void open_discovery();
  void open_registry(const mesh::Keyring& keys);
  void tell_counters();
  void add_metrics();
  io::Task<> measure();

  const config::Config& config_;
  MeshParts parts_;
  mesh::MeshId mesh_id_{};
  mesh::SecretSource source_ = mesh::SecretSource::File;
  std::unique_ptr<libp2p::Host> host_;
  std::unique_ptr<mesh::Link> link_;
  std::shared_ptr<const mesh::Registry> registry_;       // null: none, or it cannot be opened
  std::shared_ptr<const mesh::Registry> also_registry_;  // with the other secret of a rotation
  std::optional<Error> registry_error_;
  std::unique_ptr<mesh::Discovery> discovery_;
  std::unique_ptr<proxy::Sharing> sharing_;
  std::unordered_map<libp2p::PeerId, double> rtts_;
  io::Timer counters_timer_;
  io::TaskGroup tasks_;
};

}  // namespace ghmesh::node
