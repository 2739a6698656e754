// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/hash.hpp"
#include "crypto/secret.hpp"

// HMAC-SHA-256 (RFC 2104, RFC 4231) and HKDF-SHA-256 (RFC 5869).

namespace ghmesh::crypto {

// Keeps the state behind the key's block, so each tag costs two compressions less. mac() may run on several threads.
class HmacSha256 {
 public:
  explicit HmacSha256(ByteView key);
  HmacSha256(const HmacSha256&) = default;
  HmacSha256& operator=(const HmacSha256&) = default;
  ~HmacSha256();

  Digest32 mac(ByteView message) const;
  Digest32 mac(std::string_view message) const { return mac(as_bytes(message)); }
  // Of the concatenation.
  Digest32 mac(std::initializer_list<ByteView> parts) const;
  // In constant time.
  bool verify(ByteView message, ByteView tag) const;

 private:
  Sha256 inner_;
  Sha256 outer_;
};

Digest32 hmac_sha256(ByteView key, ByteView message);

// The pseudo-random key. An empty salt stands for 32 zeros, as the RFC has it.
SecretKey32 hkdf_extract(ByteView salt, ByteView input_key);
// Fills out, at most 255 × 32 bytes; more is a broken assumption.
void hkdf_expand(ByteView pseudo_random_key, ByteView info, MutableByteView out);
SecretBytes hkdf(ByteView salt, ByteView input_key, ByteView info, std::size_t length);

}  // namespace ghmesh::crypto
