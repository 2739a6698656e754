// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "io/stream.hpp"

namespace ghmesh::io {

struct PipeOptions {
  std::size_t capacity = 64 * 1024;  // bytes on the way in each direction; beyond it writing would block
  Duration latency{0};               // one way
  std::size_t rate = 0;              // bytes a second each way; 0: no such bound
  // Bytes a read or write moves at most: 1 turns every message into single bytes. 0: no such bound.
  std::size_t chunk = 0;
};

// Two ends of a connection in memory, on one loop: what one writes the other reads, in order, half-closable. With a
// ManualLoop, latency passes in virtual time. Destroying or aborting an end breaks the other as a reset would.
std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_pipe(Loop& loop, PipeOptions options = {});

}  // namespace ghmesh::io
