// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "cache/entry.hpp"
#include "cache/response_head.hpp"
#include "cache/variants.hpp"

// Whatever decodes must be writable as a head without a stray line, have a finite age, and encode to what it was. What
// only attaches, alone or in a set of variants, must at least stay inside its bytes.

namespace {

void read_everything(const ghmesh::cache::Entry& entry) {
  using namespace ghmesh::cache;
  const ghmesh::ManualClock clock;
  const ghmesh::http::Fields request{{"Accept", "x"}, {"If-None-Match", "\"a\""}, {"Range", "bytes=0-1"}};
  const Entry* candidate = &entry;
  const FreshnessPolicy policy = http_policy(Partition::Credential);
  (void)decide({"GET", "/", 1, request.view()}, std::span(&candidate, 1), policy, Now::of(clock));
  (void)entry.selecting();
  std::string head;
  append_head(head, entry, {Form::NotModified, {}}, {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ghmesh;
  using namespace ghmesh::cache;
  const FreshnessPolicy policy = http_policy(Partition::Credential);
  if (const auto attached = Entry::attach(ByteView(data, size), nullptr, policy)) read_everything(*attached);
  if (const auto set = VariantSet::attach(ByteView(data, size), {}, nullptr, policy))
    for (std::size_t i = 0; i < set->size(); ++i) read_everything(set->entry(i));
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
