// SPDX-License-Identifier: Apache-2.0
// Clean means: one JSON value, and no string of it that the text scan would flag when it stands unescaped in the bytes.
#include <cstddef>
#include <cstdint>

#include "base/check.hpp"
#include "github/scanner.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ghmesh::ByteView body(data, size);
  const ghmesh::github::Finding found = ghmesh::github::scan_body(body);
  const bool json = ghmesh::github::is_single_json_value(body);
  if (found == ghmesh::github::Finding::Clean) GHMESH_CHECK(json);
  if (found == ghmesh::github::Finding::Clean)
    GHMESH_CHECK(ghmesh::as_text(body).find("\"temp_clone_token\":\"x\"") == std::string_view::npos);
  return 0;
}
