// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "multiformats/multihash.hpp"

using namespace ghmesh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  if (const auto hash = multiformats::Multihash::decode(in)) GHMESH_CHECK(equal(hash->encode(), in));
  return 0;
}
