// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "simulate/simulator.hpp"

// The sum over the fleet that any member shows: right everywhere within two rounds of probes after the last request.

namespace ghmesh::simulate {
namespace {

class Counters : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, Counters, testing::Range<std::uint64_t>(1, 6));

TEST_P(Counters, ReachEverybodyInTwoRoundsOfProbes) {
  for (const std::size_t nodes : {std::size_t{5}, std::size_t{50}}) {
    Simulator scene(GetParam());
    for (std::uint32_t key = 0; key < 100; ++key) scene.set_change_interval(key, 10000h);
    for (std::size_t i = 0; i < nodes; ++i) scene.join();
    scene.run_for(20s);
    for (int burst = 0; burst < 3; ++burst) {
      for (const NodeIndex node : scene.live())
        for (std::uint32_t key = 0; key < 5; ++key)
          scene.request(node, static_cast<std::uint32_t>(node % 20) * 5 + key);
      // A second until it is counted, and a probe a second.
      const Duration bound = 1s + 2 * static_cast<int>(nodes - 1) * MembershipLimits{}.probe_every;
      scene.run_for(bound + 1s);
      for (const NodeIndex node : scene.live())
        EXPECT_EQ(scene.mesh(node).fleet_totals(scene.now()).front(), scene.totals().requests)
            << nodes << " nodes, as seen by " << node << ", burst " << burst;
    }
  }
}

}  // namespace
}  // namespace ghmesh::simulate
