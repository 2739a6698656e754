// SPDX-License-Identifier: Apache-2.0
#include "proxy/slot.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "http/coding/coding.hpp"

namespace ghmesh::proxy {
namespace {

cache::Entry entry(std::string_view tag, const cache::FreshnessPolicy& policy) {
  ManualClock clock;
  const cache::Now now = cache::Now::of(clock);
  return cache::Entry::make(200, http::Fields{{"ETag", tag}, {"Cache-Control", "max-age=60"}}, {}, {now, now}, policy);
}

class SlotTest : public testing::Test {
 protected:
  cache::FreshnessPolicy policy_ = cache::http_policy(cache::Partition::Anonymous);
  std::string large_ = std::string(5000, 'a');

  Slot two_variants() {
    SlotBuilder builder;
    builder.add(entry("\"one\"", policy_), as_bytes("first"));
    builder.add(entry("\"two\"", policy_), as_bytes(large_));
    return std::move(builder).build(store::Key{1}, {7}, 99);
  }
};

TEST_F(SlotTest, ARecordReadFromDiskHoldsTheSameVariants) {
  const Slot built = two_variants();
  store::Entry raw;
  raw.key = built.record()->key;
  raw.metadata = built.record()->metadata;
  raw.body = built.record()->body;
  const Result<Slot> read = Slot::of(store::share(std::move(raw)), policy_);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(as_text(read->body(0)), "first");
  EXPECT_EQ(as_text(read->body(1)), large_);
  EXPECT_EQ(read->entry(1).field("ETag"), "\"two\"");
  EXPECT_EQ(read->candidates().size(), 2u);
}

TEST_F(SlotTest, DecodingHappensOnce) {
  const Slot built = two_variants();
  const Result<Slot> again = Slot::of(built.record(), policy_);
  ASSERT_TRUE(again);
  EXPECT_EQ(&again->entry(0), &built.entry(0));
}

TEST_F(SlotTest, MetadataCutAnywhereIsRefused) {
  const Slot built = two_variants();
  for (std::size_t length = 0; length < built.record()->metadata.size(); ++length) {
    store::Entry raw;
    raw.metadata.assign(built.record()->metadata.begin(),
                        built.record()->metadata.begin() + static_cast<std::ptrdiff_t>(length));
    raw.body = built.record()->body;
    EXPECT_FALSE(Slot::of(store::share(std::move(raw)), policy_)) << length;
  }
}

TEST_F(SlotTest, GzipIsMadeOnceAndOnlyWhereItPays) {
  const Slot built = two_variants();
  EXPECT_TRUE(built.gzip_body(0).empty());
  const Bytes& packed = built.gzip_body(1);
  EXPECT_EQ(http::coding::decode_all(http::coding::Coding::Gzip, packed), to_bytes(large_));
  EXPECT_EQ(&built.gzip_body(1), &packed);
}

}  // namespace
}  // namespace ghmesh::proxy
