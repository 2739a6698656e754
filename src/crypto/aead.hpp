// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.hpp"
#include "crypto/secret.hpp"

// Authenticated encryption: ChaCha20-Poly1305 (RFC 8439) and AES-256-GCM (NIST SP 800-38D), 12-byte nonce, 16-byte tag.
// The cipher context is set up once per key and only the nonce changes per message. The caller never uses a nonce twice
// with one key. One thread per object.

namespace ghmesh::crypto {

class Aead {
 public:
  static constexpr std::size_t kTagSize = 16;
  using Nonce = std::array<std::uint8_t, 12>;

  static Aead chacha20_poly1305(const SecretKey32& key);
  static Aead aes256_gcm(const SecretKey32& key);
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;
  ~Aead();

  // In place: buffer holds the plaintext and, behind it, kTagSize bytes of room for the tag.
  void seal(const Nonce& nonce, ByteView aad, MutableByteView buffer);
  // Encrypts into another place; out is kTagSize longer than plain. The two do not overlap.
  void seal(const Nonce& nonce, ByteView aad, ByteView plain, MutableByteView out);

  // In place: buffer holds ciphertext and tag. True: its first size()-kTagSize bytes are now the plaintext. False: the
  // tag does not match or the buffer is too short for one; its content must not be used.
  [[nodiscard]] bool open(const Nonce& nonce, ByteView aad, MutableByteView buffer);

 private:
  struct Context;
  explicit Aead(std::unique_ptr<Context> context);
  std::unique_ptr<Context> context_;
};

}  // namespace ghmesh::crypto
