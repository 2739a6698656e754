// SPDX-License-Identifier: Apache-2.0
#include "proxy/slot.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "cache/storing.hpp"
#include "http/coding/coding.hpp"

namespace ghmesh::proxy {
namespace {

class SlotTest : public testing::Test {
 protected:
  cache::Outcome put(std::string_view tag) {
    const cache::Now now = cache::Now::of(clock_);
    const http::Fields fields{{"ETag", tag}, {"Cache-Control", "max-age=60"}};
    cache::Outcome outcome;
    outcome.put.push_back(
        {*cache::make_storable({"GET", "/", 1, {}}, {200, fields}, {now, now}, policy_), std::nullopt});
    return outcome;
  }
  Slot two_variants() {
    const Slot one = *Slot().after(put("\"one\""), as_bytes("first"), store::Key{1}, {7}, 99, policy_);
    return *one.after(put("\"two\""), as_bytes(large_), store::Key{1}, {7}, 99, policy_);
  }

  ManualClock clock_;
  cache::FreshnessPolicy policy_ = cache::http_policy(cache::Partition::Anonymous);
  std::string large_ = std::string(5000, 'a');
};

TEST_F(SlotTest, NewEntriesComeFirstAndTheOthersStay) {
  const Slot slot = two_variants();
  ASSERT_EQ(slot.size(), 2u);
  EXPECT_EQ(slot.entry(0).field("ETag"), "\"two\"");
  EXPECT_EQ(as_text(slot.body(0)), large_);
  EXPECT_EQ(as_text(slot.body(1)), "first");
  EXPECT_EQ(slot.candidates().size(), 2u);
  cache::Outcome outcome;
  outcome.drop = {0, 1};
  EXPECT_FALSE(slot.after(outcome, {}, store::Key{1}, {}, 0, policy_));
}

TEST_F(SlotTest, LookingAtARecordHappensOnceAndMakesNoCircle) {
  std::weak_ptr<const store::Entry> record;
  {
    const Slot built = two_variants();
    record = built.record();
    const Result<Slot> again = Slot::of(built.record(), policy_);
    ASSERT_TRUE(again);
    EXPECT_EQ(&again->entry(0), &built.entry(0));
  }
  EXPECT_TRUE(record.expired());
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
  EXPECT_TRUE(built.gzip_body(1).empty());
  const Bytes& packed = built.gzip_body(0);
  EXPECT_EQ(http::coding::decode_all(http::coding::Coding::Gzip, packed), to_bytes(large_));
  EXPECT_EQ(&built.gzip_body(0), &packed);
  EXPECT_TRUE(built.gzip_head(1).empty());
  EXPECT_NE(built.gzip_head(0).find("\r\nContent-Encoding: gzip\r\n"), std::string_view::npos);
}

}  // namespace
}  // namespace ghmesh::proxy
