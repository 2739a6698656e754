// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"
#include "libp2p/core/keys.hpp"

// The certificate of libp2p's TLS (libp2p/specs:tls/tls.md "Peer Authentication"): self-signed by a key of its own,
// with an extension in which the identity key signs that key. Pure but for randomness.

namespace ghmesh::libp2p::tls {

struct Certificate {
  Bytes der;
  crypto::SecretBytes private_key_der;  // PKCS #8, P-256
};

// For the life of a process; valid from an hour before now, since clocks differ, for a hundred years.
Result<Certificate> make_certificate(const Voucher& identity, WallTime now);
inline Result<Certificate> make_certificate(const PrivateKey& identity, WallTime now) {
  return make_certificate(voucher_of(identity), now);
}

// The identity that a certificate proves. Malformed: no certificate, no extension, or more than one; a critical
// extension nobody here knows. Authentic: a signature, its own or the identity's, does not hold. Refused: a type of key
// that accept does not allow, not valid at now.
Result<PublicKey> verify_certificate(ByteView der, WallTime now, const AcceptKeys& accept);

}  // namespace ghmesh::libp2p::tls
