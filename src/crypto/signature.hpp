// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/bytes.hpp"

// Signatures that only others make: RSASSA-PKCS1-v1_5 and ECDSA, both over SHA-256. Keys come from strangers, so their
// size is looked at before any arithmetic, and only named curves are taken. False covers all: a bad key, a key outside
// the bounds, a bad signature. Any thread.

namespace ghmesh::crypto {

// Verification time grows with the square of the size, so a huge key is an attack on the processor.
inline constexpr int kRsaMinBits = 2048;
inline constexpr int kRsaMaxBits = 8192;
// SubjectPublicKeyInfo of 8,192 bits with a short exponent has 1,062 bytes; one of P-521 has 158, and spelled-out curve
// parameters do not fit.
inline constexpr std::size_t kRsaMaxSpki = 1100;
inline constexpr std::size_t kEcMaxSpki = 160;

[[nodiscard]] bool rsa_sha256_verify(ByteView spki, ByteView message, ByteView signature);

// P-256, P-384 and P-521; the signature is DER.
[[nodiscard]] bool ecdsa_sha256_verify(ByteView spki, ByteView message, ByteView signature);

// The key is a compressed point, 33 bytes; the signature is DER.
[[nodiscard]] bool secp256k1_sha256_verify(ByteView point, ByteView message, ByteView signature);

}  // namespace ghmesh::crypto
