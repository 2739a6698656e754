// SPDX-License-Identifier: Apache-2.0
#include "lag.hpp"

#include <gtest/gtest.h>

namespace ghmesh::mesh {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart = TimePoint() + 1h;

TEST(LagTest, APunctualNodeGivesNoSlack) {
  Lag lag;
  for (int i = 0; i < 100; ++i) lag.note(i % 4 * 1ms, kStart + i * 10ms);
  EXPECT_EQ(lag.slack(), Duration::zero());
}

TEST(LagTest, TheWorstOfTheLastSecondsCounts) {
  Lag lag;
  lag.note(30ms, kStart);
  lag.note(10ms, kStart + 500ms);
  EXPECT_EQ(lag.slack(), 120ms);
  lag.note(10ms, kStart + 1100ms);
  EXPECT_EQ(lag.slack(), 120ms);
  lag.note(0ms, kStart + 2200ms);
  EXPECT_EQ(lag.slack(), 40ms);
  lag.note(0ms, kStart + 3300ms);
  EXPECT_EQ(lag.slack(), 0ms);
}

TEST(LagTest, ItIsForgottenAfterAQuietTimeAndBounded) {
  Lag lag;
  lag.note(1h, kStart);
  EXPECT_EQ(lag.slack(), 2s);
  lag.note(0ms, kStart + 5s);
  EXPECT_EQ(lag.slack(), 0ms);
}

}  // namespace
}  // namespace ghmesh::mesh
