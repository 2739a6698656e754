// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/clock.hpp"
#include "cache/policy.hpp"
#include "http/message/fields.hpp"

// Freshness of a response (RFC 9111 §4.2) and what it allows beyond, worked out once when it arrives or is read back,
// so that a hit compares numbers only. Pure.

namespace ghmesh::cache {

struct Freshness {
  Seconds lifetime{0};             // §4.2.1, from the response's own Date where it counts from a date
  bool explicit_lifetime = false;  // said by the origin, not guessed
  Seconds stale_while_revalidate{0};
  Seconds stale_if_error{0};
  bool no_store = false;  // after must-understand
  bool no_cache = false;  // never without validation
  bool is_private = false;
  bool is_public = false;
  bool forbids_stale = false;     // must-revalidate, no-cache; if shared, proxy-revalidate, s-maxage
  bool authorized_reuse = false;  // public, must-revalidate or s-maxage (§3.5)
};

// received is the wall clock when the response came. Status decides heuristics and must-understand.
Freshness assess_freshness(int status, http::FieldsView fields, WallTime received, const FreshnessPolicy& policy);

// §4.2.3, corrected_initial_age: the larger of what Date and Age say. Only the first member of Age counts; an invalid
// one is ignored.
Duration initial_age(http::FieldsView fields, WallTime requested, WallTime received);

// Statuses defined as heuristically cacheable (RFC 9110 §15.1).
bool is_heuristically_cacheable(int status);
// Final statuses whose caching rules this node implements; for must-understand (§5.2.2.3).
bool is_understood_status(int status);

}  // namespace ghmesh::cache
