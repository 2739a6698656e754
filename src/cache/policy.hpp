// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/message/cache_control.hpp"

// What the operator and the kind of resource allow, as plain data: the engine asks no one else. http_policy is RFC
// 9111; other rooms describe theirs in the same words, per request.

namespace ghmesh::cache {

using http::Seconds;

// Whose answers a store's partition holds. In one of a credential every request carries that credential, so it acts as
// a private cache for it; the anonymous one is a shared cache.
enum class Partition { Anonymous, Credential };

struct Lifetime {
  enum class Kind {
    Origin,          // as the response says
    Fixed,           // this long, whatever it says; prohibitions (no-store, no-cache, private) still hold
    Forever,         // addressed by its content: it cannot change
    AlwaysValidate,  // never without asking
  };
  Kind kind = Kind::Origin;
  Seconds fixed{0};
};

struct FreshnessPolicy {
  Partition partition = Partition::Anonymous;
  Lifetime lifetime = {};
  bool may_store = true;                // false for resources that must never be kept
  bool heuristics = false;              // RFC 9111 §4.2.2, for answers without explicit freshness
  bool targeted = false;                // CDN-Cache-Control (RFC 9213) stands in for Cache-Control
  bool ignore_accept_encoding = false;  // this node recodes bodies for its clients, so Vary on it selects nothing
  bool stale_while_revalidate = true;   // as the response allows (RFC 5861)
  bool stale_if_error = true;           // likewise
  Seconds stale_on_error{0};            // operator's own allowance on errors and disconnection
  Seconds stale_when_disconnected{0};   // RFC 9111 §4.2.4: only when the origin cannot be reached at all
};

struct HttpSwitches {
  bool heuristics = true;
  bool targeted = true;
  Seconds stale_when_disconnected = std::chrono::hours(24);
};

// Plain RFC 9111.
FreshnessPolicy http_policy(Partition partition, const HttpSwitches& switches = {});

}  // namespace ghmesh::cache
