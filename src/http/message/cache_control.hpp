// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/message/fields.hpp"

// Cache-Control of requests and responses (RFC 9111 §5.2), with stale-while-revalidate and stale-if-error (RFC 5861)
// and the targeted form for caches near the origin (RFC 9213).
//
// Unknown directives are ignored. A known directive whose argument is malformed counts in its safest meaning: a
// response lifetime becomes zero, a client's bound becomes the strictest one, a permission to serve stale is not given.
// Two different values of one lifetime make the response stale (§4.2.1). Seconds beyond 2^31 are 2^31 (§1.2.2).

namespace ghmesh::http {

using Seconds = std::chrono::seconds;

inline constexpr Seconds kMaxDeltaSeconds{2147483648};

// delta-seconds (§1.2.2): digits only, saturating; nothing for anything else.
std::optional<Seconds> parse_delta_seconds(std::string_view text);

struct ResponseCacheControl {
  std::optional<Seconds> max_age;
  std::optional<Seconds> s_maxage;
  std::optional<Seconds> stale_while_revalidate;
  std::optional<Seconds> stale_if_error;
  bool no_store = false;
  bool no_cache = false;  // the unqualified form
  bool is_private = false;
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool no_transform = false;
  bool immutable = false;
  std::vector<std::string> no_cache_fields;  // no-cache="a, b"
  std::vector<std::string> private_fields;   // private="a, b"
};

struct RequestCacheControl {
  bool present = false;  // any Cache-Control line: Pragma then does not count (§5.4)
  bool no_cache = false;
  bool no_store = false;
  bool only_if_cached = false;
  bool no_transform = false;
  bool max_stale_any = false;  // max-stale without an argument
  std::optional<Seconds> max_age;
  std::optional<Seconds> min_fresh;
  std::optional<Seconds> max_stale;
  std::optional<Seconds> stale_if_error;
};

// All lines of the message's Cache-Control.
ResponseCacheControl parse_response_cache_control(FieldsView fields);
// Likewise; Pragma: no-cache of a request without Cache-Control is no_cache.
RequestCacheControl parse_request_cache_control(FieldsView fields);

// CDN-Cache-Control (RFC 9213 §2): a structured dictionary that, when present, valid and not empty, stands in for
// Cache-Control and Expires. Nothing means: use those.
std::optional<ResponseCacheControl> parse_targeted_cache_control(FieldsView fields, std::string_view field_name);

}  // namespace ghmesh::http
