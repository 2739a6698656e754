// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/random.hpp"
#include "crypto/secret.hpp"

// X25519 (RFC 7748 §5). Any thread.

namespace ghmesh::crypto {

using X25519PublicKey = std::array<std::uint8_t, 32>;

struct X25519KeyPair {
  SecretKey32 secret;
  X25519PublicKey public_key{};

  static X25519KeyPair generate(Random& random);
  static X25519KeyPair from_secret(SecretKey32 secret);
};

// The shared secret; nothing if it is all zero, which a public key of low order forces (RFC 7748 §6.1).
std::optional<SecretKey32> x25519(const SecretKey32& secret, const X25519PublicKey& public_key);

}  // namespace ghmesh::crypto
