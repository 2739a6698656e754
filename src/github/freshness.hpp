// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.hpp"
#include "github/resource.hpp"
#include "http/message/cache_control.hpp"
#include "http/message/fields.hpp"

// How long an answer may be reused for the same token without asking GitHub: the operator's policy, the resource's
// class and the response's own Cache-Control decide, and the client's request bounds what comes out (RFC 9111 §5.2.1
// and gh's X-GH-CACHE-TTL). The policy http is the cache engine's own (RFC 9111 without this table). Pure functions.

namespace ghmesh::github {

enum class FreshnessPolicy : std::uint8_t { Strict, GitHub, Relaxed, Http };
std::optional<FreshnessPolicy> parse_freshness_policy(std::string_view text);
std::string_view to_string(FreshnessPolicy policy);

using http::Seconds;

// The client's Cache-Control and Pragma, with gh's X-GH-CACHE-TTL as a second bound on max_age: the smaller one counts,
// an unreadable one is 0.
http::RequestCacheControl parse_client_bounds(http::FieldsView fields);

// gh's notation of a duration: "1h0m0s", "90s", "1.5h", "250ms". Rounded down to seconds; nothing for another text.
std::optional<Seconds> parse_go_duration(std::string_view text);

inline constexpr Seconds kForever = Seconds::max();

struct Lifetime {
  bool store = false;     // whether the answer may be kept at all (kept and always proved is store with fresh 0)
  Seconds fresh{0};       // kForever for what never changes
  bool stale_ok = false;  // whether --stale-if-error may ever serve it: never for volatile classes
};

struct FreshnessOptions {
  FreshnessPolicy policy = FreshnessPolicy::GitHub;
  std::optional<Seconds> ttl{};  // --ttl: the default class's lifetime under github and relaxed
};

// status is that of the origin's answer. Only 200 is kept, and 404 for 15 s by the token that saw it; immutable says
// that the body stands still although its path does not say so (attempt_is_finished).
Lifetime lifetime(const FreshnessOptions& options, const Resource& resource, int status,
                  const http::ResponseCacheControl& control, bool immutable = false);

// Of a GraphQL query's answer, which the caller knows to be a query without errors.
Seconds graphql_lifetime(FreshnessPolicy policy);

// Whether an answer of that age may be used without asking.
bool usable_without_asking(const Lifetime& lifetime, Seconds age, const http::RequestCacheControl& bounds);

}  // namespace ghmesh::github
