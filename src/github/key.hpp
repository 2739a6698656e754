// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/hmac.hpp"
#include "github/canonical.hpp"
#include "github/target.hpp"

// Keys of the cache (proof.md, Keys). A key is an HMAC-SHA-256 over length-prefixed fields, so that no two requests can
// be written to look alike, no key tells what was asked, and nobody without the HMAC's key can compute one. An entry's
// key holds the token's partition; the candidate key leaves it out and leads to bodies that are used only with a proof.
// Keys may be shared by threads; they are read-only after construction.

namespace ghmesh::github {

using Key = crypto::Digest32;
// HMAC of the canonical credential; all zeros for anonymous requests.
using Partition = crypto::Digest32;

inline constexpr Partition kAnonymousPartition{};

// Grows when a change of this room makes old entries unsafe to find.
inline constexpr std::uint8_t kKeyVersion = 1;

class KeyMaker {
 public:
  // Two secrets of 32 bytes. lookup: one per mesh for keys that peers ask each other for, else one per node.
  // partition: one per node and never given away, since a partition stands for a token.
  KeyMaker(ByteView lookup_secret, ByteView partition_secret);

  Partition partition(const Canonical& request) const;
  // A short name of a token for people and metrics: the first 8 bytes of its partition, in hex.
  static std::string fingerprint(const Partition& partition);

  // authority: the upstream's, lower-case, with a port unless it is the scheme's own. GET and HEAD share keys.
  Key candidate_key(std::string_view authority, const Target& target, const Canonical& request) const;
  Key entry_key(const Key& candidate, const Partition& partition) const;

  // Of a GraphQL query: identity is graphql.hpp's normalised text, features the value of GraphQL-Features.
  Key graphql_key(std::string_view authority, std::string_view identity, std::string_view features,
                  const Canonical& request) const;

  // Groups that invalidation addresses: all of a repository, or one path in it (writes.hpp).
  Key group_key(std::string_view authority, std::string_view group) const;

 private:
  crypto::HmacSha256 lookup_;
  crypto::HmacSha256 partition_;
};

}  // namespace ghmesh::github
