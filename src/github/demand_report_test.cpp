// SPDX-License-Identifier: Apache-2.0
#include "github/demand_report.hpp"

#include <gtest/gtest.h>

namespace ghmesh::github {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart = TimePoint(1h);

TEST(DemandReport, TheFirstThatWaitsIsSaidAtOnceAndTheOthersGoTogether) {
  DemandReport report;
  EXPECT_EQ(report.due(), TimePoint::max());
  report.changed({.waiting = 1}, kStart);
  EXPECT_EQ(report.due(), kStart);
  report.said({.waiting = 1}, kStart);
  EXPECT_EQ(report.due(), TimePoint::max());
  // The keeper will let the first one go, and hears of these two by then.
  report.changed({.waiting = 2}, kStart + 1ms);
  report.changed({.waiting = 3}, kStart + 2ms);
  EXPECT_EQ(report.due(), kStart + DemandReport::kEvery);
}

TEST(DemandReport, WhatWaitsBehindAllThatTheKeeperKnowsIsUrgent) {
  DemandReport report;
  report.said({.sent = 3, .waiting = 2}, kStart);
  report.changed({.sent = 4, .waiting = 2}, kStart + 1ms);
  EXPECT_EQ(report.due(), kStart + DemandReport::kEvery);
  report.changed({.sent = 5, .waiting = 1}, kStart + 2ms);
  EXPECT_EQ(report.due(), kStart + 2ms);
}

TEST(DemandReport, AnAnswerIsNotUrgent) {
  DemandReport report;
  report.said({.sent = 1, .in_flight = 1}, kStart);
  report.changed({.sent = 1}, kStart + 1ms);
  EXPECT_EQ(report.due(), kStart + DemandReport::kEvery);
}

TEST(DemandReport, WhoUsesTheTokenListensForAMinuteAndSaysSo) {
  DemandReport report;
  report.used(kStart);
  report.said({.sent = 1}, kStart);
  EXPECT_FALSE(report.refreshes(kStart + DemandReport::kRefresh - 1ms));
  EXPECT_TRUE(report.refreshes(kStart + DemandReport::kRefresh));
  report.said({.sent = 1}, kStart + 5s);
  EXPECT_FALSE(report.refreshes(kStart + 6s));
  EXPECT_TRUE(report.refreshes(kStart + DemandReport::kListens));
  EXPECT_FALSE(report.refreshes(kStart + DemandReport::kListens + 1ms));
}

}  // namespace
}  // namespace ghmesh::github
