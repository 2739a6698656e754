// SPDX-License-Identifier: Apache-2.0
#include "http/message/cache_status.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace ghmesh::http {
namespace {

void append_number(std::string& out, std::int64_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

std::string_view to_string(Forward reason) {
  switch (reason) {
    case Forward::None: return "";
    case Forward::Bypass: return "bypass";
    case Forward::Method: return "method";
    case Forward::UriMiss: return "uri-miss";
    case Forward::VaryMiss: return "vary-miss";
    case Forward::Miss: return "miss";
    case Forward::Request: return "request";
    case Forward::Stale: return "stale";
    case Forward::Partial: return "partial";
  }
  return "";
}

void append_cache_status(std::string& out, const CacheStatus& status) {
  out.append("ghmesh");
  if (status.hit) out.append("; hit");
  if (!status.detail.empty()) out.append("; detail=").append(status.detail);
  if (status.forward != Forward::None) out.append("; fwd=").append(to_string(status.forward));
  if (status.forward_status != 0) {
    out.append("; fwd-status=");
    append_number(out, status.forward_status);
  }
  if (status.ttl) {
    out.append("; ttl=");
    append_number(out, status.ttl->count());
  }
  if (status.stored) out.append("; stored");
  if (status.collapsed) out.append("; collapsed");
}

std::string format_cache_status(const CacheStatus& status) {
  std::string out;
  append_cache_status(out, status);
  return out;
}

}  // namespace ghmesh::http
