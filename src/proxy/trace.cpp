// SPDX-License-Identifier: Apache-2.0
#include "proxy/trace.hpp"

#include <algorithm>

namespace ghmesh::proxy {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  // 00-<trace>-<span>-<flags>
  if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return std::nullopt;
  const TraceParent out{text.substr(3, 32), text.substr(36, 16)};
  if (!is_hex(out.trace_id) || !is_hex(out.span_id) || !is_hex(text.substr(53))) return std::nullopt;
  if (is_zero(out.trace_id) || is_zero(out.span_id)) return std::nullopt;
  return out;
}

std::optional<TraceParent> trace_of(http::FieldsView fields) {
  std::optional<std::string_view> found;
  for (const http::Field& field : fields) {
    if (!http::iequals(field.name, "traceparent")) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found ? parse_traceparent(*found) : std::nullopt;
}

}  // namespace ghmesh::proxy
