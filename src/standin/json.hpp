// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

// JSON values inside this room. Order of members is kept, because GitHub's tag is over bytes: a body read and written
// again must be the same body. Private: other rooms see text only.

namespace ghmesh::standin {

using Json = nlohmann::ordered_json;

// The value, or a discarded one (is_discarded()) for anything that is not exactly one JSON text.
inline Json parse_json(std::string_view text) { return Json::parse(text, nullptr, false); }

// Compact, UTF-8 as it is; bytes that are no UTF-8 become U+FFFD.
inline std::string to_compact(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// The string member, or "".
inline std::string text_of(const Json& object, std::string_view member) {
  if (!object.is_object()) return {};
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace ghmesh::standin
