// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "multiformats/limits.hpp"
#include "multiformats/multiaddr.hpp"

using namespace ghmesh;
using namespace ghmesh::multiformats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView in(data, size);
  const auto address = Multiaddr::decode(in);
  if (!address) return 0;
  GHMESH_CHECK(equal(address->bytes(), in));
  GHMESH_CHECK(address->decapsulate(*address).empty());
  const std::string text = address->text();
  // Text may be longer than what parse takes: a byte of a path can need three characters.
  if (text.size() > Limits::kMultiaddrText) return 0;
  const auto back = Multiaddr::parse(text);
  GHMESH_CHECK(back && *back == *address);
  return 0;
}
