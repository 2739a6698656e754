// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "base/random.hpp"
#include "crypto/secret.hpp"

// Ed25519 signatures (RFC 8032 §5.1). Signing is deterministic. Verification refuses points of low order and a
// scalar that is not reduced, so a signature cannot be changed into another valid one. Any thread.

namespace ghmesh::crypto {

using Ed25519PublicKey = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

class Ed25519PrivateKey {
 public:
  static Ed25519PrivateKey generate(Random& random);
  // The seed is what RFC 8032 calls the private key: 32 bytes, from which everything else follows.
  static Ed25519PrivateKey from_seed(const SecretKey32& seed);

  const Ed25519PublicKey& public_key() const { return public_key_; }
  SecretKey32 seed() const;
  Ed25519PrivateKey clone() const;
  Ed25519Signature sign(ByteView message) const;

 private:
  Ed25519PrivateKey() = default;
  Secret<std::array<std::uint8_t, 64>> expanded_;  // seed and public key, as the library wants it
  Ed25519PublicKey public_key_{};
};

[[nodiscard]] bool ed25519_verify(const Ed25519PublicKey& public_key, ByteView message,
                                  const Ed25519Signature& signature);

}  // namespace ghmesh::crypto
