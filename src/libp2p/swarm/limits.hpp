// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::libp2p {

// Times and bounds of a swarm, each with its reason. How many connections and streams there may be is the resource
// manager's table.
struct SwarmLimits {
  // A connect to an address in a data centre takes milliseconds; across the world 0.3 s and one lost packet 1 s more.
  Duration connect_timeout = std::chrono::milliseconds(3500);
  // RFC 8305 §5: the next address starts when the one before is silent that long.
  Duration stagger = std::chrono::milliseconds(250);
  // A peer with more addresses than it keeps is not tried for ever.
  std::size_t addresses_per_dial = 8;
  // After a failed dial: the pause doubles from first to longest.
  Duration first_back_off = std::chrono::seconds(1);
  Duration longest_back_off = std::chrono::minutes(5);
  std::size_t back_offs = 256;
  // How long a connection without a proven peer is safe from being replaced when all such places are taken.
  Duration handshake_grace = std::chrono::milliseconds(200);
  // A second connection of the same peer within this time is a simultaneous dial; later it means the peer lost the
  // first.
  Duration simultaneous = std::chrono::seconds(10);
  // How long the losing one of two connections may finish its streams.
  Duration drain = std::chrono::seconds(10);
  // A connection that nobody uses or protects. Zero keeps it.
  Duration idle_after = std::chrono::minutes(5);
};

}  // namespace ghmesh::libp2p
