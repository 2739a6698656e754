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
  const PlanMemo::Known* first = memo.find(head_of("/repos/o/r", "a"));
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->plan.key[0], 1);
  EXPECT_TRUE(first->plan.cacheable);
  EXPECT_TRUE(first->plan.canonical);
  EXPECT_FALSE(first->plan.request.anonymous);
  EXPECT_EQ(first->plan.target, "/repos/o/r");
  const PlanMemo::Known* second = memo.find(head_of("/repos/o/r", "b"));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->plan.key[0], 2);
  EXPECT_EQ(memo.find(head_of("/repos/o/r", "c")), nullptr);
  EXPECT_EQ(memo.find(head_of("/repos/o/r", "a") + " "), nullptr);
}

TEST(PlanMemo, GivesTheHeadAsItWasParsedFromOctetsOfItsOwn) {
  PlanMemo memo;
  auto octets = std::make_unique<std::string>(
      "GET http://api.github.com/repos/o/r?page=2 HTTP/1.1\r\nHost: api.github.com\r\nConnection: close\r\n"
      "accept: application/json\r\n\r\n");
  const std::string same = *octets;
  memo.remember(*octets, plan_with(1));
  octets.reset();
  const PlanMemo::Known* known = memo.find(same);
  ASSERT_NE(known, nullptr);
  http::http1::RequestParser parser;
  std::vector<http::Field> fields(8);
  ASSERT_EQ(parser.parse(same, fields), http::http1::ParseState::Done);
  const http::http1::RequestHead& head = known->head;
  EXPECT_EQ(head.octets, same);
  EXPECT_EQ(head.size, same.size());
  EXPECT_EQ(head.view.method, "GET");
  EXPECT_EQ(head.view.target, parser.head().view.target);
  EXPECT_EQ(head.form, http::http1::TargetForm::Absolute);
  EXPECT_EQ(head.authority, "api.github.com");
  EXPECT_EQ(head.origin_target, "/repos/o/r?page=2");
  EXPECT_FALSE(head.keep_alive);
  EXPECT_TRUE(head.body.empty());
  ASSERT_EQ(head.view.fields.size(), 3U);
  EXPECT_EQ(head.view.fields.first("Accept"), "application/json");
  EXPECT_FALSE(head.view.fields.has("Authorization"));
}

TEST(PlanMemo, LeavesOutWhatIsNotOneWholeHead) {
  PlanMemo memo;
  const std::string head = head_of("/repos/o/r", "a");
  for (const std::string& other : {head.substr(0, head.size() - 2), head + head, "\r\n" + head, std::string("GET /")}) {
    memo.remember(other, plan_with(1));
    EXPECT_EQ(memo.find(other), nullptr);
  }
}

TEST(PlanMemo, KeepsNoCredentialInThePlan) {
  PlanMemo memo;
  memo.remember(head_of("/repos/o/r", "a"), plan_with(1));
  EXPECT_TRUE(memo.find(head_of("/repos/o/r", "a"))->plan.request.authorization.expose().empty());
}

TEST(PlanMemo, StaysWithinItsBounds) {
  PlanMemo memo;
  for (std::size_t i = 0; i < 4 * Limits::kPlannedHeads; ++i)
    memo.remember(head_of("/repos/o/r" + std::to_string(i), "a"), plan_with(static_cast<std::uint8_t>(i)));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < 4 * Limits::kPlannedHeads; ++i) {
    const PlanMemo::Known* found = memo.find(head_of("/repos/o/r" + std::to_string(i), "a"));
    if (found == nullptr) continue;
    ++kept;
    EXPECT_EQ(found->plan.key[0], static_cast<std::uint8_t>(i));
  }
  EXPECT_GT(kept, Limits::kPlannedHeads / 2);
  EXPECT_LE(kept, Limits::kPlannedHeads);
  const std::string large = head_of("/" + std::string(Limits::kPlannedHeadBytes, 'x'), "a");
  memo.remember(large, plan_with(1));
  EXPECT_EQ(memo.find(large), nullptr);
}

}  // namespace
}  // namespace ghmesh::proxy
