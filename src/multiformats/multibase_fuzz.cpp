// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "multiformats/multibase.hpp"

using namespace ghmesh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  const auto parsed = multiformats::parse_multibase(text);
  if (!parsed) return 0;
  // But for case, a value has one spelling, so writing it again gives the same length and the same bytes.
  const std::string again = multiformats::format_multibase(parsed->base, parsed->bytes);
  GHMESH_CHECK(again.size() == text.size());
  const auto twice = multiformats::parse_multibase(again);
  GHMESH_CHECK(twice && twice->bytes == parsed->bytes);
  return 0;
}
