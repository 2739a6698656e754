// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "mesh/simulate/simulator.hpp"

namespace ghmesh::mesh::simulate {
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

}  // namespace
}  // namespace ghmesh::mesh::simulate
