// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "base/bytes.hpp"

// SHA-256 and SHA-512 (FIPS 180-4). A Sha256 is a plain value without heap: copying it keeps a midstate, so the hash of
// a long shared prefix is computed once and continued many times. Not safe to share between threads while updating.

namespace ghmesh::crypto {

using Digest32 = std::array<std::uint8_t, 32>;
using Digest64 = std::array<std::uint8_t, 64>;

class Sha256 {
 public:
  Sha256();
  Sha256& update(ByteView bytes);
  Sha256& update(std::string_view text) { return update(as_bytes(text)); }
  // The digest of everything so far. The object itself goes on: more may follow.
  Digest32 digest() const;
  // As digest, without keeping the state usable; saves a copy. Only destruction or assignment may follow.
  Digest32 finish();
  void wipe_state();

 private:
  alignas(8) std::array<std::byte, 112> state_;
};

Digest32 sha256(ByteView bytes);
inline Digest32 sha256(std::string_view text) { return sha256(as_bytes(text)); }
// Of the concatenation.
Digest32 sha256(std::initializer_list<ByteView> parts);

Digest64 sha512(ByteView bytes);

}  // namespace ghmesh::crypto
