// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ghmesh::mesh {

// Bounds of secrets, proofs and sealed frames.
struct AdmissionLimits {
  // A secret file holds two secrets of at most 128 characters and some white space; more is the wrong file.
  static constexpr std::size_t kSecretFileBytes = 1024;
  static constexpr std::size_t kSecretTextBytes = 256;
  // 16 random bytes are the least that nobody can search; `ghmesh secret new` makes 32.
  static constexpr std::size_t kSecretMinBytes = 16;
  // A text that may hold fewer bits than this is a passphrase: every proof under it could be searched off line.
  static constexpr double kSecretMinBits = 80;
  // The longest GitHub tokens of today have 255 characters; job tokens in JWT form about 1 KiB.
  static constexpr std::size_t kTokenBytes = 4096;
  // One sealed frame. A shareable body has at most 4 MiB; the rest is its message around it.
  static constexpr std::size_t kFrameBytes = (4u << 20) + (64u << 10);
  // AES-GCM with one key: far below 2^32 messages. Both sides then take the next key of the chain.
  static constexpr std::uint64_t kFramesPerKey = 1u << 20;
};

}  // namespace ghmesh::mesh
