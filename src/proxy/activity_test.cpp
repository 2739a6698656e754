// SPDX-License-Identifier: Apache-2.0
#include "proxy/activity.hpp"

#include <gtest/gtest.h>

namespace ghmesh::proxy {
namespace {

struct ActivityTest : testing::Test {
  ManualClock clock;
  Activity activity{clock};

  void note(AnswerKind kind, std::string_view path, double seconds, Tally spent = {}, std::string_view method = "GET") {
    activity.note({kind, RequestClass::Default, method, path, 200, spent, seconds, clock.now()});
  }
};

TEST_F(ActivityTest, RowsAddUp) {
  note(AnswerKind::Miss, "/a", 0.2, {1, 1, 1, 200});
  note(AnswerKind::MemoryHit, "/a", 0.00001, {0, 0, 1, 0});
  note(AnswerKind::Proof, "/a", 0.1, {2, 0, 1, 304});
  note(AnswerKind::Error, "/a", 60, {1, 0, 0, 0});
  const ClassRow& row = activity.row(RequestClass::Default);
  EXPECT_EQ(row.requests(), 4u);
  EXPECT_DOUBLE_EQ(row.hit_rate(), 0.5);
  EXPECT_EQ(row.upstream_calls, 4u);
  EXPECT_EQ(row.charged, 1u);
  EXPECT_EQ(row.direct, 3u);
  EXPECT_EQ(row.latency.front(), 1u);
  EXPECT_EQ(row.latency.back(), 1u);
  std::uint64_t sum = 0;
  for (const auto count : row.latency) sum += count;
  EXPECT_EQ(sum, 4u);
  EXPECT_EQ(activity.row(RequestClass::Write).requests(), 0u);
  EXPECT_EQ(activity.row(RequestClass::Write).hit_rate(), 0);
}

TEST_F(ActivityTest, TheSlowestAreKeptInOrderForAnHour) {
  for (int i = 1; i <= 100; ++i) note(AnswerKind::Miss, "/" + std::to_string(i), i);
  const auto slow = activity.slowest();
  ASSERT_EQ(slow.size(), Activity::kSlow);
  EXPECT_EQ(slow.front().path, "/100");
  EXPECT_EQ(slow.back().path, "/81");
  clock.advance(std::chrono::minutes(61));
  EXPECT_TRUE(activity.slowest().empty());
  note(AnswerKind::MemoryHit, "/quick", 0.001);
  ASSERT_EQ(activity.slowest().size(), 1u);
  EXPECT_EQ(activity.slowest()[0].path, "/quick");
}

TEST_F(ActivityTest, TheCostliestAreThoseThatWereCharged) {
  for (int i = 0; i < 5; ++i) note(AnswerKind::Miss, "/dear", 0.1, {1, 1, 1, 200});
  note(AnswerKind::Miss, "/cheap", 0.1, {1, 1, 1, 200});
  note(AnswerKind::Proof, "/free", 0.1, {1, 0, 1, 304});
  note(AnswerKind::Miss, "", 0.1, {1, 1, 1, 200});
  const auto costly = activity.costliest();
  ASSERT_EQ(costly.size(), 2u);
  EXPECT_EQ(costly[0].path, "/dear");
  EXPECT_EQ(costly[0].charged, 5u);
  EXPECT_EQ(costly[0].error, 0u);
  EXPECT_EQ(costly[1].path, "/cheap");
}

TEST_F(ActivityTest, PathsAreBoundedAndAHeavyOneIsNeverLost) {
  for (int i = 0; i < 20'000; ++i) {
    note(AnswerKind::Miss, "/one/" + std::to_string(i), 0.1, {1, 1, 1, 200});
    if (i % 10 == 0) note(AnswerKind::Miss, "/heavy" + std::string(10'000, 'x'), 0.1, {1, 1, 1, 200});
  }
  const auto costly = activity.costliest();
  ASSERT_EQ(costly.size(), Activity::kCostly);
  EXPECT_EQ(costly[0].path.size(), Activity::kPathBytes);
  EXPECT_GE(costly[0].charged, 2000u);
  EXPECT_LE(costly[0].charged - costly[0].error, 2000u);
}

TEST_F(ActivityTest, ObserversAreToldOfEach) {
  int told = 0;
  activity.observe([&](const Answered& answered) { told += answered.path == "/a" ? 1 : 100; });
  note(AnswerKind::MemoryHit, "/a", 0.1);
  activity.observe({});
  note(AnswerKind::MemoryHit, "/a", 0.1);
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace ghmesh::proxy
