// SPDX-License-Identifier: Apache-2.0
#include "cache/variants.hpp"

#include <gtest/gtest.h>

#include "cache/limits.hpp"
#include "cache/storing.hpp"

namespace ghmesh::cache {
namespace {

class Variants : public testing::Test {
 protected:
  Put put(std::string_view accept, std::optional<std::size_t> body_of = std::nullopt) {
    const http::Fields fields{{"Vary", "Accept"}, {"Cache-Control", "max-age=60"}};
    const Selecting selecting[] = {{"accept", std::string(accept)}};
    return {Entry::make(200, fields, selecting, {now_, now_}, policy_), body_of};
  }
  VariantSet attach(const VariantRecord& record) {
    const auto owner = std::make_shared<const VariantRecord>(record);
    auto set = VariantSet::attach(owner->metadata, owner->body, owner, policy_);
    EXPECT_TRUE(set) << set.error().message;
    return set ? *std::move(set) : VariantSet();
  }
  // The set after one more variant.
  VariantSet with(const VariantSet& set, std::string_view accept, std::string_view body) {
    Outcome outcome;
    outcome.put.push_back(put(accept));
    return attach(*set.after(outcome, as_bytes(body)));
  }

  ManualClock clock_;
  Now now_ = Now::of(clock_);
  FreshnessPolicy policy_ = http_policy(Partition::Anonymous);
};

TEST_F(Variants, LieTogetherAndComeBackWithTheirBodies) {
  VariantSet set = with(with({}, "a", "first"), "b", "");
  set = with(set, "c", "third");
  ASSERT_EQ(set.size(), 3u);
  EXPECT_EQ(as_text(set.body(0)), "third");
  EXPECT_EQ(as_text(set.body(1)), "");
  EXPECT_EQ(as_text(set.body(2)), "first");
  EXPECT_TRUE(set.entry(0).selected_by(http::Fields{{"Accept", "c"}}, false));
  EXPECT_EQ(set.candidates().size(), 3u);
}

TEST_F(Variants, OutcomesDropReplaceAndShareBodies) {
  const VariantSet set = with(with({}, "b", "second"), "a", "first");
  Outcome outcome;
  outcome.drop = {0};
  outcome.put.push_back(put("c", 0));
  const VariantSet after = attach(*set.after(outcome, {}));
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(as_text(after.body(0)), "first");
  EXPECT_EQ(as_text(after.body(1)), "second");
  outcome = {};
  outcome.drop = {0, 1};
  EXPECT_FALSE(set.after(outcome, {}));
}

TEST_F(Variants, EveryCutIsRefused) {
  Outcome outcome;
  outcome.put.push_back(put("a"));
  const VariantRecord whole = *VariantSet().after(outcome, as_bytes("body"));
  for (std::size_t size = 0; size < whole.metadata.size(); ++size)
    EXPECT_FALSE(VariantSet::attach(ByteView(whole.metadata).first(size), whole.body, nullptr, policy_)) << size;
  EXPECT_FALSE(VariantSet::attach(whole.metadata, ByteView(whole.body).first(3), nullptr, policy_));
  Bytes longer = whole.body;
  longer.push_back('x');
  EXPECT_FALSE(VariantSet::attach(whole.metadata, longer, nullptr, policy_));
}

TEST_F(Variants, AreBounded) {
  VariantSet set;
  for (std::size_t i = 0; i < Limits::kVariants + 3; ++i) set = with(set, std::to_string(i), "x");
  ASSERT_EQ(set.size(), Limits::kVariants);
  // The newest is there, the oldest went.
  EXPECT_TRUE(set.entry(0).selected_by(http::Fields{{"Accept", std::to_string(Limits::kVariants + 2)}}, false));
}

}  // namespace
}  // namespace ghmesh::cache
