// SPDX-License-Identifier: Apache-2.0
#include "base/check.hpp"
#include "libp2p/core/protobuf.hpp"

using namespace ghmesh;
using namespace ghmesh::libp2p;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Bytes again;
  bool rewritable = true;
  const auto read = for_each_field({data, size}, [&](const ProtoField& field) -> Result<void> {
    if (field.type == WireType::Varint) {
      ProtoWriter(again).varint(field.number, field.value);
    } else if (field.type == WireType::Bytes) {
      ProtoWriter(again).bytes(field.number, field.bytes);
    } else {
      rewritable = false;
    }
    return {};
  });
  // The shortest form of what was read is no longer than what came.
  if (read && rewritable) GHMESH_CHECK(again.size() <= size);
  return 0;
}
