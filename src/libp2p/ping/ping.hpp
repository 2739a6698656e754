// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/random.hpp"
#include "libp2p/swarm/swarm.hpp"

// `/ipfs/ping/1.0.0` (libp2p/specs ping/ping.md): 32 octets there and back, many per stream. One loop.

namespace ghmesh::libp2p::ping {

inline constexpr std::string_view kProtocol = "/ipfs/ping/1.0.0";

struct Limits {
  Duration timeout = std::chrono::seconds(10);  // of one ping, as go-libp2p
  Duration idle = std::chrono::minutes(1);      // js pings every 10 s on a new stream, go keeps one
};

// Answers pings of anybody connected.
void serve(Swarm& swarm, Limits limits = {});

// Pings on one stream, one after the other. The connection outlives it.
class Pinger {
 public:
  static Result<Pinger> open(PeerConnection& connection, Random& random, Limits limits = {});
  // The round trip. Timeout; Authentic if the answer differs.
  io::Task<Result<Duration>> ping();
  // Half-closes; the other side then closes too.
  void close() { stream_->shutdown_write(); }

 private:
  Pinger(PeerStream stream, Random& random, Limits limits)
      : stream_(std::move(stream)), random_(&random), limits_(limits) {}
  PeerStream stream_;
  Random* random_;
  Limits limits_;
};

}  // namespace ghmesh::libp2p::ping
