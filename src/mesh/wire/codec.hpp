// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "base/result.hpp"
#include "message.hpp"

// Messages as bytes (doc/formats/mesh.md, "Messages"): one byte of type, then fields of fixed width, varints (LEB128)
// and counted lists. Bodies travel as zstd with the shipped dictionary, or as a delta against a version that the
// receiver named. Decoding is bounded by WireLimits and allocates at most what those allow. One thread per object.

namespace ghmesh::mesh {

// Finds a version that this node holds, for deltas; null if it does not (any more).
using FindItem = std::function<ItemPtr(const LookupKey& key, const Version& version)>;

class Codec {
 public:
  explicit Codec(FindItem find = {});
  ~Codec();
  Codec(Codec&&) noexcept;

  // A base that is named in the message but not held any more is left out: the body then travels whole.
  Bytes encode(const Message& message);
  // The whole of bytes is one message. Malformed, Limit; NotFound: a delta against a version not held here.
  Result<Message> decode(ByteView bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Bytes that encode would give, with body_bytes(item, base is used) standing for compressed metadata and body: what the
// simulator counts instead of compressing.
std::size_t encoded_size(const Message& message, const std::function<std::size_t(const Item&, bool delta)>& body_bytes);

std::string_view type_name(const Message& message);  // "ask", for logs and metrics

}  // namespace ghmesh::mesh
