// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libp2p/swarm/swarm.hpp"

// What a swarm counts. Without a registry it counts into one of its own that nobody reads. Private to the room.

namespace ghmesh::libp2p {

struct Swarm::Instruments {
  explicit Instruments(metrics::Registry* given) : registry(given != nullptr ? *given : own) {}

  void handshake_failed(const Error& why) {
    registry.counter("p2p_handshakes_total", "handshakes by result", {{"result", std::string(to_string(why.code))}})
        .add();
  }

  metrics::Registry own;
  metrics::Registry& registry;
  metrics::Counter& handshakes_done =
      registry.counter("p2p_handshakes_total", "handshakes by result", {{"result", "done"}});
  metrics::Histogram& handshake_seconds = registry.histogram("p2p_handshake_seconds", "from raw stream to muxer");
  metrics::Counter& refused = registry.counter("p2p_connections_refused_total", "inbound connections over a limit");
  metrics::Gauge& connections = registry.gauge("p2p_connections", "connections that are up");
  metrics::Counter& dials_failed = registry.counter("p2p_dials_failed_total", "dials without a connection");
  metrics::Counter& streams_in = registry.counter("p2p_streams_total", "streams opened", {{"direction", "in"}});
  metrics::Counter& streams_out = registry.counter("p2p_streams_total", "streams opened", {{"direction", "out"}});
  metrics::Counter& streams_refused = registry.counter("p2p_streams_refused_total", "inbound streams over a limit");
  metrics::Counter& resets_in =
      registry.counter("p2p_stream_resets_total", "streams cut off, by whom", {{"direction", "in"}});
  metrics::Counter& resets_out =
      registry.counter("p2p_stream_resets_total", "streams cut off, by whom", {{"direction", "out"}});
  metrics::Counter& bytes_in = registry.counter("p2p_bytes_total", "above the secure channel", {{"direction", "in"}});
  metrics::Counter& bytes_out = registry.counter("p2p_bytes_total", "above the secure channel", {{"direction", "out"}});
};

}  // namespace ghmesh::libp2p
