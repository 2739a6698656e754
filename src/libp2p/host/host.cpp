// SPDX-License-Identifier: Apache-2.0
#include "libp2p/host/host.hpp"

namespace ghmesh::libp2p {

namespace {

std::vector<SecureTransport*> transports(const HostOptions& options, SecureTransport& noise) {
  std::vector<SecureTransport*> out = options.security_before;
  if (options.noise) out.push_back(&noise);
  out.insert(out.end(), options.security_after.begin(), options.security_after.end());
  return out;
}

std::vector<std::string> muxers(const HostOptions& options) {
  return options.early_muxer ? std::vector<std::string>{"/yamux/1.0.0"} : std::vector<std::string>{};
}

yamux::Limits mux_limits(const HostOptions& options) {
  yamux::Limits limits = options.mux;
  limits.max_streams = options.resources.streams_per_connection;
  return limits;
}

// One stream of each at a time is what a peer needs of these protocols: js keeps to that itself, go keeps one for its
// pings. Limits of the caller's own go first.
resource::Limits with_protocol_limits(resource::Limits limits) {
  for (const std::string_view protocol : {identify::kProtocol, identify::kPushProtocol, ping::kProtocol})
    limits.protocol_streams.try_emplace(std::string(protocol), 1);
  return limits;
}

}  // namespace

Host::Host(io::Network& network, Random& random, HostOptions options)
    : options_(std::move(options)),
      id_(PeerId::from_key(options_.key.public_key())),
      noise_identity_(options_.key, muxers(options_), random),
      noise_(noise_identity_, random, options_.accept_keys),
      upgrader_(transports(options_, noise_), options_.gate != nullptr ? *options_.gate : open_gate_,
                options_.upgrader),
      resources_(with_protocol_limits(options_.resources)),
      peerstore_(options_.peerstore),
      swarm_({network, upgrader_, options_.gate != nullptr ? *options_.gate : open_gate_, resources_, peerstore_, id_,
              options_.log, options_.metrics},
             options_.swarm, mux_limits(options_)),
      identify_(swarm_, peerstore_, options_.key, options_.identify) {
  ping::serve(swarm_);
}

std::vector<multiformats::Multiaddr> Host::addresses() const {
  std::vector<multiformats::Multiaddr> out;
  for (const multiformats::Multiaddr& address : identify_.own_addresses())
    if (auto whole = with_peer(address, id_)) out.push_back(std::move(*whole));
  return out;
}

}  // namespace ghmesh::libp2p
