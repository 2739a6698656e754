// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ghmesh::multiformats {

// What a decoder here accepts at most. All of these formats arrive from strangers before anything is known of them.
struct Limits {
  // The unsigned varint specification's own bound: nine bytes, 63 bits.
  static constexpr std::size_t kVarintBytes = 9;
  // base58 and base36 are conversions of one long number, quadratic in its length. A CID or peer id has < 120 digits.
  static constexpr std::size_t kBigBaseDigits = 1024;
  // Twice the longest digest in use (SHA-512); an identity multihash of an RSA-free key needs 42.
  static constexpr std::size_t kDigestBytes = 128;
  // A relayed address with two peer ids, two names of 253 bytes and three certificate hashes needs about 750 bytes.
  static constexpr std::size_t kMultiaddrBytes = 1024;
  static constexpr std::size_t kMultiaddrText = 2048;
  // The longest address in use (relayed WebTransport with two certificate hashes) has 9.
  static constexpr std::size_t kMultiaddrComponents = 24;
};

}  // namespace ghmesh::multiformats
