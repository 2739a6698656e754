// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"
#include "http/http1/limits.hpp"

namespace ghmesh::http::client {

// Bounds of one pool, that is of one origin.
struct Limits {
  // GitHub allows 100 requests at once per token; 16 connections carry what a CI host asks for.
  std::size_t connections = 16;
  // Requests that wait for one of them: the 1,024 clients of a server would fit a quarter. More are told at once.
  std::size_t waiting = 256;
  Duration wait = 30s;  // for a free connection

  Duration connect = 3500ms;     // TCP, with resolving the name (Varnish 3.5 s)
  Duration handshake = 5s;       // TLS on top of it
  Duration first_byte = 30s;     // from the last octet of the request to the first of the answer
  Duration between_bytes = 30s;  // silence within an answer
  Duration send_stall = 30s;     // an origin that takes nothing
  // A kept connection is closed before the origin does it: GitHub's edge keeps them a minute.
  Duration idle = 50s;
  Duration await_continue = 1s;  // for 100 (RFC 9110 §10.1.1: do not wait for ever)

  unsigned burst_pieces = 16;  // of a body, read before others get their turn: 256 KiB

  http1::HeadLimits head = http1::kResponseHeadLimits;
  int interim_responses = http1::kMaxInterimResponses;
};

}  // namespace ghmesh::http::client
