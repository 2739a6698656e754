// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

// Queries of the admin listener's own paths: name=value pairs in percent-encoding (RFC 3986 §2.1). "+" is a plus.

namespace ghmesh::admin {

struct SplitTarget {
  std::string_view path;
  std::string_view query;  // without "?"
};
SplitTarget split_target(std::string_view target);

// Nothing for a broken escape or a NUL.
std::optional<std::string> percent_decode(std::string_view text);

bool query_has(std::string_view query, std::string_view name);

// The decoded value of name. Nothing if it is absent, stands there twice, or is broken.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

}  // namespace ghmesh::admin
