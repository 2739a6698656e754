// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "multiformats/limits.hpp"
#include "multiformats/multiaddr.hpp"

using namespace ghmesh;
using namespace ghmesh::multiformats;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto address = Multiaddr::parse(as_text({data, size}));
  if (!address) return 0;
  const auto decoded = Multiaddr::decode(address->bytes());
  GHMESH_CHECK(decoded && *decoded == *address);
  for (const Component& component : address->components()) GHMESH_CHECK(address->has(component.protocol));
  const std::string text = address->text();
  if (text.size() > Limits::kMultiaddrText) return 0;
  const auto again = Multiaddr::parse(text);
  GHMESH_CHECK(again && *again == *address && again->text() == text);
  return 0;
}
