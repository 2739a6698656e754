// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/hmac.hpp"
#include "crypto/secret.hpp"

// What a token leaves in the mesh: a tag by which its holders recognise each other's answers, and a seal that only they
// can make. A member without the token can neither claim that an answer is fresh for it nor change one that is; it can
// only offer bytes, which then have to be proved. Tokens themselves never leave. Any thread.

namespace ghmesh::mesh {

using TokenTag = std::array<std::uint8_t, 16>;   // all zeros: anonymous
using Version = std::array<std::uint8_t, 16>;    // of a body and its metadata: the start of their SHA-256
using LookupKey = std::array<std::uint8_t, 32>;  // HMAC of the canonical request under the mesh's lookup key
using AnswerSeal = std::array<std::uint8_t, 16>;

Version version_of(ByteView metadata, ByteView body);

// What the mesh calls the bucket that a repository's job tokens draw on at that origin. Names do not depend on case.
// The mesh's key makes it: outside of the mesh it says nothing, and no token's tag can be mistaken for it.
TokenTag repository_tag(const crypto::SecretKey32& lookup_key, std::string_view authority, std::string_view repository);

class TokenSealer {
 public:
  // An empty token is anonymous: its tag is zero, and its seals are made under the mesh's key, since everybody gets the
  // same anonymous answer.
  TokenSealer(const crypto::SecretKey32& lookup_key, ByteView token);

  const TokenTag& tag() const { return tag_; }
  // That this version was GitHub's answer at fetched_at (Unix milliseconds) and may be used for fresh_ms from then.
  AnswerSeal seal(const LookupKey& key, const Version& version, std::int64_t fetched_at_ms,
                  std::uint32_t fresh_ms) const;
  bool verify(const LookupKey& key, const Version& version, std::int64_t fetched_at_ms, std::uint32_t fresh_ms,
              const AnswerSeal& seal) const;

 private:
  TokenTag tag_{};
  crypto::HmacSha256 mac_;
};

}  // namespace ghmesh::mesh
