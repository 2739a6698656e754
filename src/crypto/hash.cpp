// SPDX-License-Identifier: Apache-2.0
// The low-level functions are marked deprecated in OpenSSL 3 in favour of EVP, whose contexts live on the heap: a
// midstate copy there is an allocation and each small hash pays for the indirection (crypto_bench.cpp has both). Same
// assembly underneath, SHA extensions included.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.hpp"

#include <openssl/sha.h>

#include <new>

#include "crypto/secret.hpp"

namespace ghmesh::crypto {
namespace {

SHA256_CTX* context(std::array<std::byte, 112>& state) { return std::launder(reinterpret_cast<SHA256_CTX*>(&state)); }

}  // namespace

static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);

Sha256::Sha256() { SHA256_Init(new (&state_) SHA256_CTX); }

Sha256& Sha256::update(ByteView bytes) {
  if (!bytes.empty()) SHA256_Update(context(state_), bytes.data(), bytes.size());
  return *this;
}

Digest32 Sha256::digest() const {
  Sha256 copy = *this;
  return copy.finish();
}

Digest32 Sha256::finish() {
  Digest32 out;
  SHA256_Final(out.data(), context(state_));
  return out;
}

void Sha256::wipe_state() { wipe({reinterpret_cast<std::uint8_t*>(&state_), sizeof state_}); }

Digest32 sha256(ByteView bytes) { return Sha256().update(bytes).finish(); }

Digest32 sha256(std::initializer_list<ByteView> parts) {
  Sha256 hash;
  for (const ByteView part : parts) hash.update(part);
  return hash.finish();
}

Digest64 sha512(ByteView bytes) {
  Digest64 out;
  SHA512_CTX state;
  SHA512_Init(&state);
  if (!bytes.empty()) SHA512_Update(&state, bytes.data(), bytes.size());
  SHA512_Final(out.data(), &state);
  return out;
}

}  // namespace ghmesh::crypto
