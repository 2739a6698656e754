// SPDX-License-Identifier: Apache-2.0
#include "http/message/vary.hpp"

#include <algorithm>

namespace ghmesh::http {

Vary parse_vary(FieldsView response_fields) {
  Vary vary;
  for (const Field& field : response_fields) {
    if (!iequals(field.name, "Vary")) continue;
    for_each_member(field.value, [&](std::string_view member) {
      if (member == "*" || !is_token(member))
        vary.any = true;
      else
        vary.names.push_back(to_lower(member));
    });
  }
  std::sort(vary.names.begin(), vary.names.end());
  vary.names.erase(std::unique(vary.names.begin(), vary.names.end()), vary.names.end());
  return vary;
}

std::string selecting_value(FieldsView request_fields, std::string_view name) {
  std::string out;
  for (const Field& field : request_fields) {
    if (!iequals(field.name, name)) continue;
    for_each_member(field.value, [&](std::string_view member) {
      if (!out.empty()) out.push_back(',');
      out.append(member);
    });
  }
  return out;
}

}  // namespace ghmesh::http
