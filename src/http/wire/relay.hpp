// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "http/wire/buffers.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

namespace ghmesh::http::wire {

struct Relayed {
  std::uint64_t to_far = 0;
  std::uint64_t to_near = 0;
  bool timed_out = false;
};

// Passes octets both ways between the two ends of a tunnel (CONNECT, Upgrade) until both have ended, one has failed, or
// nothing moved in either direction for idle. An end's half-close is passed on. early goes to far first. Each direction
// holds one buffer of the pool, only while octets are on their way; a slow taker slows its giver. One loop; the streams
// and the pool must outlive the task, and nobody else may use the streams meanwhile.
io::Task<Relayed> relay(io::Stream& near, io::Stream& far, std::string_view early, BufferPool& pool, Duration idle);

}  // namespace ghmesh::http::wire
