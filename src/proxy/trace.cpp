// SPDX-License-Identifier: Apache-2.0
#include "proxy/trace.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace ghmesh::proxy {
namespace {

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

// text: at most 16 hexadecimal digits.
std::uint64_t number_of(std::string_view text) {
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out, 16);
  return out;
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  // 00-<trace>-<span>-<flags>
  if (text.size() != 55 || !text.starts_with("00-") || text[35] != '-' || text[52] != '-') return std::nullopt;
  TraceParent out{text.substr(3, 32), text.substr(36, 16)};
  if (!is_hex(out.trace_id) || !is_hex(out.span_id) || !is_hex(text.substr(53))) return std::nullopt;
  if (is_zero(out.trace_id) || is_zero(out.span_id)) return std::nullopt;
  out.sampled = (number_of(text.substr(53)) & 1) != 0;
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

std::string new_span_id(Random& random) {
  std::array<std::uint8_t, 8> raw{};
  do random.fill(raw);
  while (std::ranges::all_of(raw, [](std::uint8_t octet) { return octet == 0; }));
  return to_hex(raw);
}

std::string format_traceparent(const TraceParent& client, std::string_view span_id) {
  std::string out = "00-";
  out.append(client.trace_id).append("-").append(span_id).append(client.sampled ? "-01" : "-00");
  return out;
}

bool LogSample::takes(const std::optional<TraceParent>& trace) {
  if (!trace) return untraced_++ % one_in_ == 0;
  constexpr std::uint64_t kAll = std::uint64_t{1} << 56;
  return number_of(trace->trace_id.substr(18)) >= kAll - kAll / one_in_;
}

}  // namespace ghmesh::proxy
