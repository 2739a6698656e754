// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/message/fields.hpp"

// GitHub's ETag as measured from outside: hex(SHA-256(v1 ':' v2 ':' … body)) over the values of Accept, Authorization
// and Cookie that the request carries, present ones only, and the body before any coding. Any thread.

namespace ghmesh::standin {

// What GitHub might do tomorrow. Tests switch it to see that a node notices.
enum class TagFormula {
  Measured,       // as above
  Salted,         // a secret goes in front
  Truncated,      // the first 32 of the 64 digits
  PrefixOnly,     // only the first KiB of the body is hashed: equal tags for different bodies
  MatchAnything,  // as measured, but every If-None-Match is answered by 304
};

// The 64 digits (32 for Truncated), without quotes.
std::string compute_tag(TagFormula formula, http::FieldsView request, std::string_view body);

// Whether an If-None-Match value (all lines joined) names the tag, weakly compared (RFC 9110 §13.1.2).
bool names_tag(std::string_view if_none_match, std::string_view tag);

}  // namespace ghmesh::standin
