// SPDX-License-Identifier: Apache-2.0
// Hint entries behind the seal, replayed into a catalog.
#include <cstdint>

#include "base/check.hpp"
#include "catalog.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh;
  using namespace ghmesh::store;
  ByteView input(data, size);
  Catalog catalog;
  std::uint32_t segment = 1;
  for (;;) {
    const ByteView before = input;
    const auto entry = decode_hint_entry(input);
    if (!entry) break;
    Bytes again;
    encode_hint_entry(*entry, again);
    GHMESH_CHECK(equal(again, before.first(before.size() - input.size())));
    catalog.replay(*entry, segment);
    if (entry->offset < 128) ++segment;
  }
  const std::size_t entries = catalog.entries();
  catalog.sweep();
  GHMESH_CHECK(catalog.entries() == entries && catalog.slots() == entries);
  std::size_t live = 0;
  for (std::uint32_t i = 1; i <= segment; ++i) live += catalog.live_in(i).size();
  GHMESH_CHECK(live == entries && (entries > 0 || catalog.live_bytes() == 0));
  return 0;
}
