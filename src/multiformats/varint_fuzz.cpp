// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "multiformats/varint.hpp"

using namespace ghmesh;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  const auto read = multiformats::read_varint(in);
  if (read.status != multiformats::VarintStatus::Done) return 0;
  // One value has one spelling.
  Bytes again;
  multiformats::append_varint(again, read.value);
  GHMESH_CHECK(equal(again, in.first(read.size)));
  GHMESH_CHECK(multiformats::varint_size(read.value) == read.size);
  return 0;
}
