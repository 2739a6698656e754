// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "io/stream.hpp"
#include "io/task.hpp"

// Messages behind their length as an unsigned varint, the framing of most libp2p protocols. One loop.

namespace ghmesh::libp2p {

// Reads the messages of one stream. Memory grows with what has arrived, never with what was announced.
class FrameReader {
 public:
  // The stream outlives the reader. max: the largest message taken.
  FrameReader(io::Stream& stream, std::size_t max) : stream_(stream), max_(max) {}

  // The next message, valid until the next call; nothing at the end of the stream. Limit: announced larger than max;
  // Malformed: a length that is no minimal varint; Closed: the stream ends inside a message.
  io::Task<Result<std::optional<ByteView>>> next();

 private:
  std::size_t filled() const { return end_ - begin_; }
  void make_room(std::size_t n);

  io::Stream& stream_;
  const std::size_t max_;
  Bytes buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Length and message in one write. The bytes outlive the task.
io::Task<Result<>> write_frame(io::Stream& stream, ByteView message);

}  // namespace ghmesh::libp2p
