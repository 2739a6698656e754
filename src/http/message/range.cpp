// SPDX-License-Identifier: Apache-2.0
#include "http/message/range.hpp"

#include <algorithm>
#include <limits>

#include "http/message/fields.hpp"

namespace ghmesh::http {
namespace {

// Digits only, saturating: a position behind any end stays behind it.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
  }
  return value;
}

}  // namespace

RangeRequest parse_range(std::string_view value, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (value.size() < kUnit.size() || !iequals(value.substr(0, kUnit.size()), kUnit)) return {};
  const std::string_view spec = trim(value.substr(kUnit.size()));
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return {};
  const std::string_view before = spec.substr(0, dash);
  const std::string_view after = spec.substr(dash + 1);
  if (before.empty()) {
    const std::optional<std::uint64_t> suffix = parse_position(after);
    if (!suffix) return {};
    if (*suffix == 0 || size == 0) return {RangeOutcome::Unsatisfiable, {}};
    return {RangeOutcome::Satisfiable, {size - std::min(*suffix, size), size - 1}};
  }
  const std::optional<std::uint64_t> first = parse_position(before);
  if (!first) return {};
  std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  if (!after.empty()) {
    const std::optional<std::uint64_t> parsed = parse_position(after);
    if (!parsed || *parsed < *first) return {};
    last = *parsed;
  }
  if (*first >= size) return {RangeOutcome::Unsatisfiable, {}};
  return {RangeOutcome::Satisfiable, {*first, std::min(last, size - 1)}};
}

std::string format_content_range(std::optional<ByteRange> range, std::uint64_t size) {
  const std::string part = range ? std::to_string(range->first) + "-" + std::to_string(range->last) : "*";
  return "bytes " + part + "/" + std::to_string(size);
}

}  // namespace ghmesh::http
