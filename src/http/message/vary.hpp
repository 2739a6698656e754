// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message/fields.hpp"

// Vary (RFC 9110 §12.5.5) and what it selects by (RFC 9111 §4.1).

namespace ghmesh::http {

struct Vary {
  bool any = false;                // a "*" anywhere: nothing later matches
  std::vector<std::string> names;  // lower case, sorted, once each
};

// All lines; members that are no field names make it any, since what they meant cannot be matched.
Vary parse_vary(FieldsView response_fields);

// The value that a request selects by: lines joined by commas, white space around members dropped. Absent and empty are
// the same.
std::string selecting_value(FieldsView request_fields, std::string_view name);

}  // namespace ghmesh::http
