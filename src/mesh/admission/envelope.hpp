// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/aead.hpp"
#include "crypto/secret.hpp"

// The layer under every message between members: AES-256-GCM under keys of this connection and direction, made from the
// mesh secret and the admission's transcript (doc/formats/mesh.md, "Envelope"). It stands inside the secure channel, so
// that a relay or a stolen identity key sees nothing. Frames of one direction arrive in order or not at all: the nonce
// is the frame's number, which is not sent, so a frame that is repeated, left out, swapped, reflected or moved to
// another connection does not open. One thread per object.

namespace ghmesh::mesh {

// What stands in front of the ciphertext: u32 length of ciphertext and tag, u32 request id, both big-endian.
inline constexpr std::size_t kFrameHeaderBytes = 8;
inline constexpr std::size_t kFrameOverhead = kFrameHeaderBytes + crypto::Aead::kTagSize;

class EnvelopeSealer {
 public:
  // Appends one frame to out. plain has at most AdmissionLimits::kFrameBytes.
  void seal(std::uint32_t request, ByteView plain, Bytes& out);

 private:
  friend class EnvelopeOpener;
  friend struct EnvelopePair make_envelopes(const crypto::SecretKey32&, ByteView, ByteView, ByteView);
  EnvelopeSealer(crypto::SecretKey32 key, Bytes context);
  void next_number();
  crypto::Aead::Nonce nonce() const;
  ByteView associated(std::uint32_t request);

  crypto::SecretKey32 key_;
  crypto::Aead aead_;
  Bytes context_;  // version, protocol, both ids in this direction, room for the request id
  std::uint64_t number_ = 0;
};

struct OpenedFrame {
  std::uint32_t request = 0;
  ByteView plain;  // valid until the next call of room() or feed()
};

class EnvelopeOpener {
 public:
  // Where the next bytes from the stream go, in pieces of any size: `most` of them at most; then, how many have come.
  // What room() gave is valid until the next call of it or of feed().
  MutableByteView room(std::size_t most);
  void filled(std::size_t n);
  // Both at once, for bytes that lie elsewhere.
  void feed(ByteView bytes);
  // The next whole frame; nothing when more bytes are needed. Limit: a frame above the bound. Authentic: it does not
  // open. After a failure the connection is over.
  Result<std::optional<OpenedFrame>> next();
  std::size_t buffered() const { return end_ - begin_; }

 private:
  friend struct EnvelopePair make_envelopes(const crypto::SecretKey32&, ByteView, ByteView, ByteView);
  explicit EnvelopeOpener(EnvelopeSealer mirror) : mirror_(std::move(mirror)) {}

  EnvelopeSealer mirror_;  // the other side's state, followed
  Bytes buffer_;           // with room behind end_
  std::size_t begin_ = 0, end_ = 0;
  bool failed_ = false;
};

struct EnvelopePair {
  EnvelopeSealer sealer;
  EnvelopeOpener opener;
};

// transcript is what both sides agree on and no other connection shares.
EnvelopePair make_envelopes(const crypto::SecretKey32& root, ByteView transcript, ByteView self, ByteView remote);

}  // namespace ghmesh::mesh
