// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/random.hpp"
#include "io/network.hpp"
#include "libp2p/identify/identify.hpp"
#include "libp2p/noise/noise_security.hpp"
#include "libp2p/ping/ping.hpp"
#include "libp2p/swarm/swarm.hpp"

// A libp2p host with everything wired: Noise over TCP, yamux, identify, ping, peer store, limits. One loop; several
// hosts live in one process. The network and the random source outlive it.
//
//   Host host(network, random, {.key = PrivateKey::generate(random)});
//   auto address = host.swarm().listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0"));
//   auto stream = co_await host.swarm().open(peer, "/echo/1.0.0");

namespace ghmesh::libp2p {

struct HostOptions {
  PrivateKey key;
  AcceptKeys accept_keys;
  resource::Limits resources;
  SwarmLimits swarm;
  // max_streams follows the resources' streams_per_connection.
  yamux::Limits mux;
  UpgraderLimits upgrader;
  Peerstore::Limits peerstore;
  identify::Options identify;
  // More secure transports than noise, preferred to it where they stand first; not owned.
  std::vector<SecureTransport*> security_before;
  std::vector<SecureTransport*> security_after;
  bool noise = true;
  // Muxers named in the Noise handshake; none leaves the choice to multistream-select.
  bool early_muxer = true;
  const ConnectionGate* gate = nullptr;  // null: everybody may connect
  log::Logger log;
  metrics::Registry* metrics = nullptr;
};

class Host {
 public:
  Host(io::Network& network, Random& random, HostOptions options);

  const PeerId& id() const { return id_; }
  const PrivateKey& key() const { return options_.key; }
  Swarm& swarm() { return swarm_; }
  Peerstore& peerstore() { return peerstore_; }
  resource::Manager& resources() { return resources_; }
  identify::Identify& identify() { return identify_; }
  io::Loop& loop() const { return swarm_.loop(); }
  // Where others may dial us, each with /p2p/<id>.
  std::vector<multiformats::Multiaddr> addresses() const;

 private:
  HostOptions options_;
  PeerId id_;
  ConnectionGate open_gate_;
  noise::LocalIdentity noise_identity_;
  noise::NoiseSecurity noise_;
  Upgrader upgrader_;
  resource::Manager resources_;
  Peerstore peerstore_;
  Swarm swarm_;
  identify::Identify identify_;
};

}  // namespace ghmesh::libp2p
