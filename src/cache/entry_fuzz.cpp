// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "cache/entry.hpp"
#include "cache/response_head.hpp"

// Whatever decodes must be writable as a head without a stray line, have a finite age, and encode to what it was.

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh;
  using namespace ghmesh::cache;
  const FreshnessPolicy policy = http_policy(Partition::Credential);
  const auto entry = Entry::decode(ByteView(data, size), policy);
  if (!entry) return 0;
  const ManualClock clock;
  if (entry->age(Now::of(clock)) < Duration(0)) std::abort();
  std::string head(entry->head());
  append_tail(head, *entry, {});
  if (head.find("\r\n\r\n") != head.size() - 4) std::abort();
  const auto again = Entry::decode(entry->encode(), policy);
  if (!again || again->encode() != entry->encode()) std::abort();
  return 0;
}
