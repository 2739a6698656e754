// SPDX-License-Identifier: Apache-2.0
// If-None-Match as clients send it: a list is read without surprise, and only the exact tag matches.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "github/etag.hpp"
#include "http/message/etag.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  static const std::string hex(64, 'a');
  const http::EntityTagList list = http::parse_etag_list(in);
  bool any = false;
  for (const http::EntityTag& tag : list.tags) any = any || github::etag_equals(tag.to_string(), hex);
  const std::string quoted = github::quoted_etag(hex);
  GHMESH_CHECK(any == list.weak_contains(*http::parse_etag(quoted)) || list.any);
  if (github::etag_equals(in, hex)) GHMESH_CHECK(github::has_formula_shape(in));
  return 0;
}
