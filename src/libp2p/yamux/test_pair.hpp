// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "libp2p/yamux/session.hpp"

// Two sessions for the tests of this room, and octets for them.

namespace ghmesh::libp2p::yamux {

inline Bytes pattern(std::size_t n, unsigned seed = 1) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(i * 31 + seed * 7 + (i >> 8));
  return out;
}

// Two sessions joined by a lossless pipe that hands over pieces of a chosen size; half_trip passes per crossing.
struct Pair {
  ManualClock clock;
  Duration half_trip{0};
  Session client;
  Session server;
  std::vector<Event> client_events, server_events;

  explicit Pair(Limits limits = {}, WindowBudget* budget = nullptr)
      : client(Role::Client, limits, clock.now(), budget), server(Role::Server, limits, clock.now(), budget) {}

  bool carry(Session& from, Session& to, std::size_t piece) {
    const ByteView out = from.output();
    if (out.empty()) return false;
    const Bytes copy(out.begin(), out.end());
    from.consume_output(copy.size(), clock.now());
    clock.advance(half_trip);
    for (std::size_t at = 0; at < copy.size(); at += piece)
      EXPECT_TRUE(to.receive(ByteView(copy).subspan(at, std::min(piece, copy.size() - at)), clock.now()));
    return true;
  }
  void run(std::size_t piece = 1 << 20) {
    for (bool moved = true; moved;) {
      moved = carry(client, server, piece);
      moved = carry(server, client, piece) || moved;
      collect();
    }
  }
  void collect() {
    while (auto e = client.next_event()) client_events.push_back(*e);
    while (auto e = server.next_event()) server_events.push_back(*e);
  }
  Bytes read_all(Session& session, StreamId id) {
    Bytes out(1 << 22);
    out.resize(session.read(id, out, clock.now()));
    return out;
  }
};

inline bool has(const std::vector<Event>& events, EventKind kind, StreamId id) {
  return std::ranges::any_of(events, [&](const Event& e) { return e.kind == kind && e.stream == id; });
}

}  // namespace ghmesh::libp2p::yamux
