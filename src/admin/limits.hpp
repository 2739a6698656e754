// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::admin {

// Bounds of the admin listener's own input. Framing and connections have theirs in http/server.
struct Limits {
  // What GitHub's front end takes as a target, in percent-encoding of every octet.
  std::size_t max_query = 3 * 8 * 1024;
  // A pattern is a path that a person types.
  std::size_t max_pattern = 1024;

  // ---- /api/events
  // Browser tabs and terminals of the people at one machine; each holds a connection.
  std::size_t listeners = 32;
  // Rare events: a page that is opened later still shows the last hours of an ordinary node.
  std::size_t rare_events = 256;
  std::size_t rare_event_bytes = 256 * 1024;
  // Requests: some ten seconds at the most that are told, for a reader that comes back.
  std::size_t request_events = 2048;
  std::size_t request_event_bytes = 2 * 1024 * 1024;
  std::size_t event_path = 512;
  // More than a person can follow; the rest is in the statistics.
  unsigned hit_events_per_second = 50;
  unsigned request_events_per_second = 200;
  // What is written at once.
  std::size_t event_batch = 64 * 1024;
  Duration stats_every = 1s;
  // Silence after which a comment keeps the connection alive; browsers and middle boxes give up after 30 s or more.
  Duration heartbeat = 15s;
  // How long requests are still kept after the last reader has gone: a reload of a page, a node's short absence.
  Duration resume_grace = 30s;
};

}  // namespace ghmesh::admin
