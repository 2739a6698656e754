// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "http/http1/limits.hpp"

namespace ghmesh::http::http2 {

// Bounds of one connection; the deadlines are those of http/server for HTTP/1.1.
struct Limits {
  // Requests at once. RFC 9113 §6.5.2 wants at least 100 allowed; Go and Node open as many as they are let.
  std::uint32_t streams = 100;
  // Octets of a request's body that may be on their way or waiting for the handler: of one stream, and of all. So a
  // connection holds 1 MiB at most of what nobody has asked for yet.
  std::uint32_t stream_window = 64 * 1024;
  std::uint32_t connection_window = 1024 * 1024;
  // Requests given up by the client, or for its faults, within a minute. Each costs a look-up and perhaps an upstream
  // call before anybody sees that it is not wanted (rapid reset, CVE-2023-44487, and its mirror, CVE-2025-8671).
  std::size_t resets_per_minute = 100;
  // Frames within a minute that ask for an answer and carry nothing: PING, SETTINGS, PRIORITY, empty DATA. gRPC-like
  // clients ping twice a minute.
  std::size_t idle_frames_per_minute = 1000;
  // CONTINUATION frames of one head; all of a head must come within head_bytes, so one or two are what a client needs.
  std::size_t continuations = 8;
  http1::HeadLimits head = http1::kRequestHeadLimits;

  std::uint64_t requests_per_connection = 10'000;
  Duration idle = 60s;         // without a request, whatever else is sent
  Duration head_read = 10s;    // preface and SETTINGS; first to last octet of a head
  Duration body_idle = 15s;    // silence within a request's body, or less of it than wire::kMinRate for long
  Duration body_total = 300s;  // a whole body
  Duration send_stall = 30s;   // a client that takes nothing, opens no window, or goes below wire::kMinRate for long
  Duration linger = 2s;        // after the last octet, while draining

  // Frames that wait for one write.
  std::size_t coalesced_bytes = 64 * 1024;
};

}  // namespace ghmesh::http::http2
