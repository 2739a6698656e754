// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "limits.hpp"
#include "mesh/admission/envelope.hpp"
#include "mesh/wire/codec.hpp"

// What goes to one peer and what comes from it, message by message, over frames that are never long: short messages go
// before long ones, and those in parts of LinkLimits::part_bytes (doc/formats/mesh.md, "Envelope"), so that a body of
// megabytes holds up a question by one part. Each of the two kinds keeps its order. No IO; one thread. Private to the
// room.

namespace ghmesh::mesh {

// How a frame stands to its message: the request id of the envelope.
enum class FrameRole : std::uint32_t { Whole = 0, Part = 1, LastPart = 2 };

class Sending {
 public:
  explicit Sending(const LinkLimits& limits) : limits_(limits) {}

  // False: it is over the bounds, and dropped.
  bool push(Message message);
  bool empty() const { return waiting_.empty() && long_.empty(); }
  // Appends sealed frames to out: all short messages that wait and about one part of the long ones. How many messages
  // were encoded for it.
  std::size_t fill(Codec& codec, EnvelopeSealer& sealer, Bytes& out);

 private:
  const LinkLimits& limits_;
  std::vector<Message> waiting_;
  std::size_t waiting_bytes_ = 0;  // about, before compression
  std::deque<Bytes> long_;         // encoded, the first perhaps sent in part
  std::size_t long_bytes_ = 0;
  std::size_t sent_of_first_ = 0;
};

class Receiving {
 public:
  // The message that a frame ends, valid until the next call and as long as the frame; nothing while parts are missing.
  // Malformed: parts that no message is made of.
  Result<std::optional<ByteView>> take(const OpenedFrame& frame);

 private:
  Bytes parts_;
  bool done_ = false;  // parts_ is the message given out last
};

}  // namespace ghmesh::mesh
