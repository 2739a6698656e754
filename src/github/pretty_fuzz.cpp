// SPDX-License-Identifier: Apache-2.0
// Whatever is accepted reads back to itself: printing again changes nothing, and outside of strings only blanks were
// added.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.hpp"
#include "github/pretty.hpp"

namespace {

std::string without_blanks(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\' && i + 1 < text.size()) out += text[i++];
    if (quoted || (text[i] != ' ' && text[i] != '\n' && text[i] != '\t' && text[i] != '\r')) out += text[i];
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  const auto once = ghmesh::github::pretty_print(in);
  if (!once) return 0;
  GHMESH_CHECK(without_blanks(*once) == without_blanks(in));
  GHMESH_CHECK(ghmesh::github::pretty_print(*once) == once);
  return 0;
}
