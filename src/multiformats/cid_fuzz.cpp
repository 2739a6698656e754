// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "multiformats/cid.hpp"

using namespace ghmesh;
using multiformats::Cid;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  if (const auto cid = Cid::decode(in)) {
    GHMESH_CHECK(equal(cid->encode(), in));
    const auto back = Cid::parse(cid->text());
    GHMESH_CHECK(back && *back == *cid);
  }
  if (const auto cid = Cid::parse(as_text(in))) {
    const auto back = Cid::decode(cid->encode());
    GHMESH_CHECK(back && *back == *cid);
  }
  return 0;
}
