// SPDX-License-Identifier: Apache-2.0
// libsodium for both: it takes half of OpenSSL 3.0's time for a signature, for a check and for a key exchange
// (crypto_bench.cpp).
#include <sodium.h>

#include <algorithm>

#include "base/check.hpp"
#include "crypto/ed25519.hpp"
#include "crypto/x25519.hpp"

namespace ghmesh::crypto {
namespace {

// Picks the implementation for this processor; harmless to repeat, and nothing here may run before it.
void prepare() {
  static const bool ready = sodium_init() >= 0;
  GHMESH_CHECK(ready);
}

}  // namespace

X25519KeyPair X25519KeyPair::from_secret(SecretKey32 secret) {
  prepare();
  X25519KeyPair pair;
  pair.secret = std::move(secret);
  GHMESH_CHECK(crypto_scalarmult_base(pair.public_key.data(), pair.secret.expose().data()) == 0);
  return pair;
}

X25519KeyPair X25519KeyPair::generate(Random& random) {
  SecretKey32 secret;
  random.fill(secret.expose_mutable());
  return from_secret(std::move(secret));
}

std::optional<SecretKey32> x25519(const SecretKey32& secret, const X25519PublicKey& public_key) {
  prepare();
  SecretKey32 shared;
  // The library itself answers an error when the result is all zero.
  if (crypto_scalarmult(shared.expose_mutable().data(), secret.expose().data(), public_key.data()) != 0)
    return std::nullopt;
  return shared;
}

Ed25519PrivateKey Ed25519PrivateKey::from_seed(const SecretKey32& seed) {
  prepare();
  Ed25519PrivateKey key;
  crypto_sign_seed_keypair(key.public_key_.data(), key.expanded_.expose_mutable().data(), seed.expose().data());
  return key;
}

Ed25519PrivateKey Ed25519PrivateKey::generate(Random& random) {
  SecretKey32 seed;
  random.fill(seed.expose_mutable());
  return from_seed(seed);
}

SecretKey32 Ed25519PrivateKey::seed() const {
  SecretKey32 seed;
  std::copy_n(expanded_.expose().begin(), 32, seed.expose_mutable().begin());
  return seed;
}

Ed25519PrivateKey Ed25519PrivateKey::clone() const {
  Ed25519PrivateKey copy;
  copy.expanded_ = expanded_.clone();
  copy.public_key_ = public_key_;
  return copy;
}

Ed25519Signature Ed25519PrivateKey::sign(ByteView message) const {
  Ed25519Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), expanded_.expose().data());
  return signature;
}

bool ed25519_verify(const Ed25519PublicKey& public_key, ByteView message, const Ed25519Signature& signature) {
  prepare();
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(), public_key.data()) == 0;
}

}  // namespace ghmesh::crypto
