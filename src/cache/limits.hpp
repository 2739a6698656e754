// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>

// The room's bounds, each with the reason for its number.

namespace ghmesh::cache {

struct Limits {
  static constexpr std::size_t kHeadBytes = 128 * 1024;  // twice what the HTTP client lets a response head have
  static constexpr std::size_t kFields = 256;            // likewise; GitHub sends about 30
  static constexpr std::size_t kSelectingBytes =
      4096;  // values a request selected by; longer ones are not worth a variant
  static constexpr std::size_t kSelectingFields = 16;  // GitHub varies on five
  static constexpr std::size_t kVariants = 16;         // per key; one lookup looks at all of them
  static constexpr std::size_t kTagsSent = 8;          // entity tags in one If-None-Match of ours
  // Waiting for one leader; more go on their own, and each is a charge. A few connections of HTTP/2 bring some hundred
  // at once.
  static constexpr std::size_t kFollowers = 1024;
  static constexpr std::chrono::seconds kFollowerWait{5};  // nginx's proxy_cache_lock_timeout; then on their own
  static constexpr std::chrono::hours kHeuristicMax{24};   // RFC 9111 §4.2.2 leaves the cap to the cache
};

}  // namespace ghmesh::cache
