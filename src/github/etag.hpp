// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "github/canonical.hpp"
#include "github/key.hpp"

// GitHub's REST entity tag, as proof.md states it: hex(SHA-256(accept ':' authorization ':' body)), the canonical
// request's values, present ones only, over the compact body before content coding. Undocumented, hence always checked
// against what GitHub says (proof.hpp). A computed tag is an oracle for its token: it goes to the configured origin and
// nowhere else, not into logs, not to peers, not to clients.

namespace ghmesh::github {

// The hash state behind everything that precedes the body. Derived from the token: wiped by whoever keeps it.
crypto::Sha256 etag_prefix(const Canonical& request);

// 64 lower-case hexadecimal digits, without quotes. Hashing the body is all it costs.
std::string etag_of(const crypto::Sha256& prefix, ByteView body);

// As it stands in If-None-Match.
std::string quoted_etag(std::string_view hex);

// Whether a received ETag is that tag, compared weakly: "W/" only says that a content coding was applied.
bool etag_equals(std::string_view received, std::string_view hex);

// Whether a received ETag has the shape of the formula's: any other is no self-check of it (an old 32-digit tag, the
// commit id of application/vnd.github.sha).
bool has_formula_shape(std::string_view received);

// Prefix states by token and media type, so that a proof hashes the body only. One thread; bounded by
// Limits::max_prefix_states; states are wiped when they are dropped.
class PrefixCache {
 public:
  PrefixCache() = default;
  PrefixCache(const PrefixCache&) = delete;
  PrefixCache& operator=(const PrefixCache&) = delete;
  ~PrefixCache() { clear(); }

  // Valid until the next call.
  const crypto::Sha256& get(const Partition& partition, const Canonical& request);
  void clear();
  std::size_t size() const { return states_.size(); }

 private:
  std::unordered_map<std::string, crypto::Sha256> states_;  // partition bytes and Accept
};

}  // namespace ghmesh::github
