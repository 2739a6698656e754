// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ghmesh::libp2p::noise {

struct Limits {
  // The Noise specification's bound, and what a two-byte length can say.
  static constexpr std::size_t kMessageBytes = 65535;
  static constexpr std::size_t kTagBytes = 16;
  static constexpr std::size_t kFrameText = kMessageBytes - kTagBytes;
  // An Ed25519 identity with muxers needs 150 bytes; RSA of 8,192 bits, where accepted, 2,150.
  static constexpr std::size_t kPayloadBytes = 3 * 1024;
  // Of the longest handshake message: two keys and two tags besides the payload.
  static constexpr std::size_t kHandshakeMessageBytes = kPayloadBytes + 2 * 32 + 2 * kTagBytes;
  // Muxers named by a peer; js, go and rust know two. What is above is not looked at.
  static constexpr std::size_t kMuxers = 8;
  static constexpr std::size_t kMuxerName = 64;
};

}  // namespace ghmesh::libp2p::noise
