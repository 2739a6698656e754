// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Dictionaries of structured fields (RFC 9651 §4.2.2), as far as a reader of cache directives needs them: every type is
// recognised and checked, since one bad member makes the whole field invalid; inner lists and parameters are read and
// dropped.

namespace ghmesh::http {

enum class StructuredType { Integer, Decimal, String, Token, Bytes, Boolean, Date, DisplayString, InnerList };

struct StructuredMember {
  std::string key;
  StructuredType type = StructuredType::Boolean;
  std::int64_t integer = 0;  // Integer, Date; Boolean as 0 or 1
};

// The joined value of all lines. Nothing if any part is invalid. A key that comes twice keeps its place and takes the
// last value. More than 64 members are refused.
std::optional<std::vector<StructuredMember>> parse_structured_dictionary(std::string_view text);

}  // namespace ghmesh::http
