// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "segment_format.hpp"

// Bodies on disk: zstd (RFC 8878) at level 3, with or without a dictionary. Measured on JSON of GitHub's API: level 3
// as small as gzip -6 at several times its speed; a dictionary pays for bodies under 6 KiB. Keeps its contexts, so a
// body allocates only its result. One thread.

namespace ghmesh::store {

class BodyCompressor {
 public:
  static constexpr int kLevel = 3;

  // An empty dictionary means none.
  explicit BodyCompressor(ByteView dictionary);
  ~BodyCompressor();

  struct Compressed {
    BodyCodec codec = BodyCodec::Identity;
    ByteView bytes;  // valid until the next call, or as long as the body
  };
  // Identity if compression does not make it smaller.
  Compressed compress(ByteView body);

  // Exactly body_bytes octets; nothing if stored is anything but that.
  std::optional<Bytes> decompress(BodyCodec codec, ByteView stored, std::size_t body_bytes);

  // What a record made with this codec is bound to: the hash of the dictionary, or nothing. It goes into the seal as
  // associated data, because zstd itself would turn a body and the wrong dictionary into garbage of the right size.
  ByteView binding(BodyCodec codec) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::store
