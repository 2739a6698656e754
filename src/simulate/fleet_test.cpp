// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "simulate/simulator.hpp"

namespace ghmesh::simulate {
namespace {

TEST(FleetGate, Five) {
  const FleetReport report = simulate_fleet({.nodes = 5, .seed = 1});
  EXPECT_LE(report.charged_per_ideal, 1.04) << report.text();
  EXPECT_LE(report.messages_per_request, 5) << report.text();
  EXPECT_EQ(report.totals.wrong, 0u);
}

TEST(FleetGate, Fifty) {
  const FleetReport report = simulate_fleet({.nodes = 50, .seed = 1});
  EXPECT_LE(report.charged_per_ideal, 1.03) << report.text();
  EXPECT_LE(report.messages_per_request, 5) << report.text();
  EXPECT_LE(report.kilobytes_per_second, 3) << report.text();
  EXPECT_EQ(report.totals.wrong, 0u);
}

// All together ask nearly as much as one token may.
TEST(FleetGate, FiveHundredOnOneToken) {
  const FleetReport report = simulate_fleet({.nodes = 500, .time = 5min, .seed = 1});
  EXPECT_LE(report.charged_per_ideal, 1.02) << report.text();
  EXPECT_EQ(report.totals.again, 0u) << report.text();
  EXPECT_LE(report.messages_per_request, 5) << report.text();
  EXPECT_EQ(report.totals.refused, 0u) << report.text();
  EXPECT_EQ(report.totals.wrong, 0u);
}

// Runners of one job: many more come than live, and leave properly or not. So many that all go at their keeper's word.
TEST(FleetGate, ShortLives) {
  const FleetReport report = simulate_fleet({.nodes = 40, .keys = 300, .time = 15min, .seed = 1, .longest_life = 1min});
  EXPECT_EQ(report.totals.refused, 0u) << report.text();
  EXPECT_LE(report.p99_ms, 1000) << report.text();
  EXPECT_EQ(report.totals.wrong, 0u);
}

// Fifty tokens look at fifty instants, so they see more changes than an ideal that looks once in 60 s.
TEST(FleetGate, ATokenForEveryMember) {
  const FleetReport report = simulate_fleet({.nodes = 50, .time = 10min, .seed = 1, .tokens = 50});
  EXPECT_LE(report.charged_per_ideal, 1.10) << report.text();
  EXPECT_EQ(report.totals.wrong, 0u);
}

TEST(FleetGate, TheSameSeedIsTheSameRun) {
  const FleetPlan plan{.nodes = 10, .keys = 200, .time = 5min, .warm_up = 1min, .seed = 4};
  EXPECT_EQ(simulate_fleet(plan).text(), simulate_fleet(plan).text());
}

}  // namespace
}  // namespace ghmesh::simulate
