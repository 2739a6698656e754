// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret.hpp"
#include "libp2p/noise/limits.hpp"

// What a finished handshake leaves (Noise specification §5.1, libp2p/specs:noise/README.md "Wire Format"): one cipher
// for each direction, counting its messages, and frames of a two-byte big-endian length and a sealed text. One thread
// at a time for each direction.

namespace ghmesh::libp2p::noise {

class Cipher {
 public:
  explicit Cipher(const crypto::SecretKey32& key) : aead_(crypto::Aead::chacha20_poly1305(key)) {}

  // buffer holds the text and room for the tag behind it.
  void seal(ByteView aad, MutableByteView buffer);
  void seal(ByteView aad, ByteView plain, MutableByteView out);
  // False: not authentic, or too short for a tag. The connection is over then.
  [[nodiscard]] bool open(ByteView aad, MutableByteView buffer);

 private:
  crypto::Aead::Nonce nonce() const;

  crypto::Aead aead_;
  std::uint64_t counter_ = 0;
};

inline constexpr std::size_t kFrameHeader = 2;

class FrameSealer {
 public:
  explicit FrameSealer(const crypto::SecretKey32& key) : cipher_(key) {}

  // In place: frame holds two bytes of room, the text (at most Limits::kFrameText) and room for the tag.
  void seal(MutableByteView frame);
  // From elsewhere: frame is kFrameHeader and the tag longer than text, and does not overlap it.
  void seal(ByteView text, MutableByteView frame);
  // Appends text to out in as few frames as it needs; one pass over the text. Nothing for no text.
  void append(Bytes& out, ByteView text);

 private:
  Cipher cipher_;
};

// The size of the frame at the front of in, its header included; nothing while the header is not complete.
std::optional<std::size_t> frame_size(ByteView in);

class FrameOpener {
 public:
  explicit FrameOpener(const crypto::SecretKey32& key) : cipher_(key) {}

  // In place; frame is exactly one frame. The view of its text, which may be empty. Malformed if it is too short,
  // Authentic if it was changed, repeated, left out or reordered: the connection is over either way.
  Result<MutableByteView> open(MutableByteView frame);

 private:
  Cipher cipher_;
};

struct Transport {
  FrameSealer sealer;
  FrameOpener opener;
  // Names this session: equal on both sides and nowhere else. For binding what is above to this channel.
  crypto::Digest32 handshake_hash;
};

}  // namespace ghmesh::libp2p::noise
