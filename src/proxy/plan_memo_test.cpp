// SPDX-License-Identifier: Apache-2.0
#include "proxy/plan_memo.hpp"

#include <gtest/gtest.h>

namespace ghmesh::proxy {
namespace {

std::string head_of(std::string_view path, std::string_view token) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: api.github.com\r\nAuthorization: Bearer " +
         std::string(token) + "\r\n\r\n";
}

Plan plan_with(std::uint8_t mark) {
  Plan plan;
  plan.cacheable = true;
  plan.canonical = true;
  plan.key[0] = mark;
  plan.target = "/repos/o/r";
  plan.request.accept = "application/json";
  plan.request.authorization = crypto::SecretText(std::string("Bearer a"));
  plan.request.anonymous = false;
  return plan;
}

TEST(PlanMemo, FindsThePlanOfTheSameOctetsOnly) {
  PlanMemo memo;
  EXPECT_EQ(memo.find(head_of("/repos/o/r", "a")), nullptr);
  memo.remember(head_of("/repos/o/r", "a"), plan_with(1));
  memo.remember(head_of("/repos/o/r", "b"), plan_with(2));
  const Plan* first = memo.find(head_of("/repos/o/r", "a"));
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->key[0], 1);
  EXPECT_TRUE(first->cacheable);
  EXPECT_TRUE(first->canonical);
  EXPECT_FALSE(first->request.anonymous);
  EXPECT_EQ(first->target, "/repos/o/r");
  const Plan* second = memo.find(head_of("/repos/o/r", "b"));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->key[0], 2);
  EXPECT_EQ(memo.find(head_of("/repos/o/r", "c")), nullptr);
  EXPECT_EQ(memo.find(head_of("/repos/o/r", "a") + " "), nullptr);
}

TEST(PlanMemo, KeepsNoCredentialInThePlan) {
  PlanMemo memo;
  memo.remember(head_of("/repos/o/r", "a"), plan_with(1));
  EXPECT_TRUE(memo.find(head_of("/repos/o/r", "a"))->request.authorization.expose().empty());
}

TEST(PlanMemo, StaysWithinItsBounds) {
  PlanMemo memo;
  for (std::size_t i = 0; i < 4 * Limits::kPlannedHeads; ++i)
    memo.remember(head_of("/repos/o/r" + std::to_string(i), "a"), plan_with(static_cast<std::uint8_t>(i)));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 4 * Limits::kPlannedHeads; ++i) {
    const Plan* found = memo.find(head_of("/repos/o/r" + std::to_string(i), "a"));
    if (found == nullptr) continue;
    ++kept;
    EXPECT_EQ(found->key[0], static_cast<std::uint8_t>(i));
  }
  EXPECT_GT(kept, Limits::kPlannedHeads / 2);
  EXPECT_LE(kept, Limits::kPlannedHeads);
  const std::string large = head_of("/" + std::string(Limits::kPlannedHeadBytes, 'x'), "a");
  memo.remember(large, plan_with(1));
  EXPECT_EQ(memo.find(large), nullptr);
}

}  // namespace
}  // namespace ghmesh::proxy
