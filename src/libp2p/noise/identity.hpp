// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/x25519.hpp"
#include "libp2p/core/keys.hpp"

// Who is behind a Noise static key (libp2p/specs:noise/README.md, "The libp2p Handshake Payload"): the identity key,
// its signature over the static key, and the muxers on offer (connections/inlined-muxer-negotiation.md).

namespace ghmesh::libp2p::noise {

// Ours, made once and used for all handshakes of a host: one static key for the life of the process, signed once. It is
// kept nowhere, as the specification advises. Read by any thread.
class LocalIdentity {
 public:
  LocalIdentity(const PrivateKey& key, std::vector<std::string> muxers, Random& random)
      : LocalIdentity(voucher_of(key), std::move(muxers), random) {}
  LocalIdentity(const Voucher& owner, std::vector<std::string> muxers, Random& random);

  const crypto::X25519KeyPair& static_key() const { return static_key_; }
  const std::vector<std::string>& muxers() const { return muxers_; }
  // The payload of the second and third message.
  ByteView payload() const { return payload_; }

 private:
  crypto::X25519KeyPair static_key_;
  std::vector<std::string> muxers_;
  Bytes payload_;
};

struct RemoteIdentity {
  PublicKey key;
  std::vector<std::string> muxers;  // in the peer's order; empty if it named none
};

// The payload that says owner has made static_key its own.
Bytes encode_payload(const Voucher& owner, const crypto::X25519PublicKey& static_key,
                     const std::vector<std::string>& muxers);
inline Bytes encode_payload(const PrivateKey& owner, const crypto::X25519PublicKey& static_key,
                            const std::vector<std::string>& muxers) {
  return encode_payload(voucher_of(owner), static_key, muxers);
}

// The identity that a payload proves for static_key; there is no way to get an unproved one. Refused for a type of key
// that accept does not allow, Authentic if the signature does not hold or is missing, Malformed, Limit. Unknown fields
// and extensions are passed over.
Result<RemoteIdentity> verify_payload(ByteView payload, const crypto::X25519PublicKey& static_key,
                                      const AcceptKeys& accept);

}  // namespace ghmesh::libp2p::noise
