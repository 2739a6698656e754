// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "multiformats/multicodec.hpp"

// Multihash (multiformats/multihash): the code of a hash function, the length of the digest, the digest. A container:
// computing the hash is the caller's business. A plain value.

namespace ghmesh::multiformats {

class Multihash {
 public:
  // Refuses a digest longer than the function gives (sha1 20, sha2-256 32, sha2-512 64) or than Limits::kDigestBytes.
  // Shorter is a truncated digest, which the specification allows; who needs a whole one asks.
  static Result<Multihash> make(Multicodec code, ByteView digest);
  // The whole of in is one multihash.
  static Result<Multihash> decode(ByteView in);
  // One from the front; in moves behind it.
  static Result<Multihash> take(ByteView& in);

  Multicodec code() const { return code_; }
  ByteView digest() const { return digest_; }
  Bytes encode() const;

  friend bool operator==(const Multihash&, const Multihash&) = default;

 private:
  Multihash(Multicodec code, ByteView digest) : code_(code), digest_(digest.begin(), digest.end()) {}

  Multicodec code_;
  Bytes digest_;
};

}  // namespace ghmesh::multiformats
