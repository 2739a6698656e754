// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

// The bounds of one yamux session, each with its reason. A session never holds more than
// max_streams * max_window + output_limit + output_control_slack bytes, and less where its WindowBudget says no.

namespace ghmesh::libp2p::yamux {

struct Limits {
  // Streams in and out together. Each promises initial_window by the specification, so 32 x 256 KiB is the 8 MiB that a
  // connection may reserve.
  std::uint32_t max_streams = 32;
  // Streams of ours that the peer has not acknowledged: the backlog the libp2p text asks openers to respect (rust-yamux
  // stops at 256). We acknowledge the peer's with the next output, so on this side there is no backlog to bound.
  std::uint32_t max_unacknowledged = 32;
  // Fixed by the specification; not negotiable.
  std::uint32_t initial_window = 256 * 1024;
  // go-yamux and js go to 16 MiB; 1 MiB carries 600 MiB/s at 1.6 ms, which is a data centre, and bounds the memory.
  std::uint32_t max_window = 1024 * 1024;
  // Frames sent: short enough for fairness between streams. Frames received may be as long as the window.
  std::uint32_t max_frame = 64 * 1024;
  // Data queued for the connection below. Two full frames and their successors keep it busy; more only adds latency.
  std::size_t output_limit = 192 * 1024;
  // Control frames (12 octets each) may pass the output limit by this much; a peer that makes us queue more does not
  // read what it asks for.
  std::size_t output_control_slack = 64 * 1024;
  // Answers to pings that wait for the connection below; more pings are not answered.
  std::uint32_t max_queued_pongs = 8;
  // Streams of the peer that we refused or it reset: burst and refill. A rapid-reset flood is cheap to send and dear to
  // serve, so it ends the session.
  std::uint32_t abuse_burst = 1024;
  std::uint32_t abuse_per_second = 128;
  // A ping proves that an idle peer lives and measures the round trip; go and js use 30 s and 10 s too.
  Duration keep_alive = std::chrono::seconds(30);
  Duration ping_timeout = std::chrono::seconds(10);
  // How long the connection below may take nothing while output waits.
  Duration write_timeout = std::chrono::seconds(10);
  // How long a stream that its owner has left waits for the peer's end.
  Duration linger = std::chrono::seconds(10);
  // After that long without traffic the buffers of a session are given back.
  Duration trim_after = std::chrono::seconds(1);
};

}  // namespace ghmesh::libp2p::yamux
