// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "http/message/fields.hpp"

// W3C Trace Context (Recommendation of 2021-11-23, §3.2): which trace a client's request belongs to. Pure.

namespace ghmesh::proxy {

struct TraceParent {
  std::string_view trace_id;  // 32 lower-case hexadecimal digits
  std::string_view span_id;   // 16, of the client's span
};

// Nothing for a text that is not version 00 to the letter: then the field is dropped, as the standard wants it.
std::optional<TraceParent> parse_traceparent(std::string_view text);
// Of the one traceparent among fields; nothing if there are two.
std::optional<TraceParent> trace_of(http::FieldsView fields);

}  // namespace ghmesh::proxy
