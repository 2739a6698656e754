// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "mesh/wire/codec.hpp"

using namespace ghmesh;
using namespace ghmesh::mesh;

// What decodes, encodes again to something that decodes to the same; nothing else may happen.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ItemPtr base = [] {
    auto item = std::make_shared<Item>();
    item->body = to_bytes(R"({"id":1,"state":"open","url":"https://api.github.com/repos/o/r/issues/1"})");
    item->version = version_of(item->metadata, item->body);
    return item;
  }();
  static Codec codec([](const LookupKey&, const Version&) { return base; });
  const auto message = codec.decode({data, size});
  if (!message) return 0;
  const Bytes once = codec.encode(*message);
  const auto again = codec.decode(once);
  GHMESH_CHECK(again.has_value());
  GHMESH_CHECK(codec.encode(*again) == once);
  return 0;
}
