// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret.hpp"
#include "libp2p/noise/transport.hpp"

// The running hash and chaining key of a Noise handshake (noiseprotocol.org/noise.html §5.2). One thread.

namespace ghmesh::libp2p::noise {

class SymmetricState {
 public:
  SymmetricState();

  void mix_hash(ByteView bytes);
  void mix_key(const crypto::SecretKey32& input);
  // Appends the sealed text, or the text itself while there is no key yet.
  void encrypt_and_hash(ByteView plain, Bytes& out);
  // Nothing if it is not authentic.
  std::optional<Bytes> decrypt_and_hash(ByteView sealed);
  bool has_key() const { return cipher_.has_value(); }

  const crypto::Digest32& hash() const { return hash_; }
  // The keys from initiator to responder and back.
  std::pair<crypto::SecretKey32, crypto::SecretKey32> split() const;

 private:
  crypto::Digest32 hash_;
  crypto::SecretKey32 chaining_key_;
  std::optional<Cipher> cipher_;
};

}  // namespace ghmesh::libp2p::noise
