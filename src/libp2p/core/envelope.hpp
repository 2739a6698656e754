// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "libp2p/core/keys.hpp"

// Signed envelopes (libp2p/specs:RFC/0002-signed-envelopes.md, with signature as field 5 as all implementations have
// it): a payload, its type and the signer's key. The signature covers domain, type and payload, each behind its length,
// so that a signature given for one purpose is worthless for another.

namespace ghmesh::libp2p {

struct Envelope {
  PublicKey signer;
  Bytes payload_type;
  Bytes payload;
};

// The bytes of an envelope signed by key for domain.
Bytes sign_envelope(const PrivateKey& key, std::string_view domain, ByteView payload_type, ByteView payload);

// An envelope whose signature holds for domain; there is no way to get an unchecked one. Limit above
// Limits::kEnvelopeBytes; Malformed; Refused for a type of key that accept does not allow; Authentic if the signature
// does not hold.
Result<Envelope> open_envelope(ByteView in, std::string_view domain, const AcceptKeys& accept = {});

}  // namespace ghmesh::libp2p
