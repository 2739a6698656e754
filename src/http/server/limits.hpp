// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "http/http1/limits.hpp"

namespace ghmesh::http::server {

// Bounds of one server. Heads and chunked framing have theirs in http1/limits.hpp.
struct Limits {
  // Connections at once; the next one is told 503. A CI host runs tens of clients with some connections each.
  std::size_t connections = 1024;
  // After so many a connection is closed, so that no client stays for ever on one and memory settles (nginx: 1,000).
  std::uint64_t requests_per_connection = 10'000;
  http1::HeadLimits head = http1::kRequestHeadLimits;

  Duration idle = 60s;         // between requests (nginx 75 s; gh and Node keep connections for less)
  Duration head_read = 10s;    // first octet to last of a head, however slowly the octets trickle
  Duration body_idle = 15s;    // silence within a body, or less of it than wire::kMinRate for long
  Duration body_total = 300s;  // a whole body
  Duration send_stall = 30s;   // a client that takes nothing, or less than wire::kMinRate for long
  Duration drain = 10s;        // what is in flight when the server stops
  Duration linger = 2s;        // after an early answer, so that a reset does not overtake it

  // What is read and thrown away of a body nobody wanted, to keep the connection; beyond it closing is cheaper.
  std::uint64_t discard_bytes = 64 * 1024;
  // Answers to pipelined requests that wait for one write.
  std::size_t coalesced_bytes = 64 * 1024;
  // Requests answered without waiting before other connections get their turn.
  unsigned burst = 64;
  // The same for pieces of a body: 256 KiB.
  unsigned burst_pieces = 16;
};

}  // namespace ghmesh::http::server
