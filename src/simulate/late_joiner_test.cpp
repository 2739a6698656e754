// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "simulate/simulator.hpp"

// A runner that comes late asks for what the fleet holds, in whichever moment of its life: nothing is charged.

namespace ghmesh::simulate {
namespace {

constexpr std::uint32_t kKeys = 100;

struct Late : Simulator {
  // The fleet is that old when the late one comes, and holds every key.
  Late(std::uint64_t seed, Duration age, NetworkModel network = {}) : Simulator(seed, network) {
    for (std::uint32_t key = 0; key < kKeys; ++key) set_change_interval(key, 10000h);
    upstream_fixed = 100ms;
    fresh_for = 10min;
    for (std::uint32_t i = 0; i < 5; ++i) join(i);
    run_for(500ms);
    for (std::uint32_t key = 0; key < kKeys; ++key) request(key % 5, key);
    run_for(age - 500ms);
    EXPECT_EQ(totals().charged, kKeys);
    reset_totals();
    late = join(5);
  }
  void ask_all() {
    for (std::uint32_t key = 0; key < kKeys; ++key) request(late, key);
    run_for(2s);
    EXPECT_EQ(totals().requests, kKeys);
  }
  // The very millisecond in which it comes of age.
  void run_until_owner() {
    run_for(1s);
    EXPECT_EQ(mesh(late).stats().partitions, 0u);
    for (int i = 0; i < 10'000 && mesh(late).stats().partitions == 0; ++i) run_for(1ms);
    EXPECT_GT(mesh(late).stats().partitions, 0u);
  }
  NodeIndex late = 0;
};

class LateJoiner : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, LateJoiner, testing::Range<std::uint64_t>(1, 9));

TEST_P(LateJoiner, PaysNothingForWhatIsHeld) {
  for (const Duration age : {Duration(3s), Duration(8s), Duration(30s)})
    for (const Duration wait : {Duration(50ms), Duration(300ms), Duration(4s), Duration(5010ms), Duration(5100ms),
                                Duration(6s), Duration(10s)}) {
      Late scene(GetParam(), age);
      scene.run_for(wait);
      scene.ask_all();
      EXPECT_EQ(scene.totals().charged, 0u) << "after " << wait / 1ms << " ms, in a fleet of " << age / 1s << " s";
    }
}

// It owns keys from one moment to the next; what it owns is still on its way to it, from members that are slow.
TEST_P(LateJoiner, PaysNothingWhileWhatItOwnsIsOnItsWay) {
  for (const Duration rtt : {Duration(1ms), Duration(8ms), Duration(20ms)}) {
    Late scene(GetParam(), 20s, {.rtt_min = rtt, .rtt_max = rtt + 2ms});
    scene.run_until_owner();
    scene.ask_all();
    EXPECT_EQ(scene.totals().charged, 0u) << rtt / 1ms << " ms";
    EXPECT_EQ(scene.totals().alone, 0u);
  }
}

// The copy comes from a member that is gone: new keys wait for it once a partition, not each.
TEST_P(LateJoiner, WaitsForADeadOwnersCopyNoLongerThanItMust) {
  Late scene(GetParam(), 20s);
  scene.run_until_owner();
  for (NodeIndex node = 0; node < 5; ++node) scene.kill(node, false);
  int slow = 0;
  for (std::uint32_t key = kKeys; key < kKeys + 40; ++key) {
    scene.request(scene.late, key, [&](const auto& answer) {
      EXPECT_LE(answer.took, 100ms + 200ms + 1s);
      slow += answer.took > 200ms + 60ms ? 1 : 0;
    });
    // As fast as six that do not hear of each other may ask GitHub each.
    scene.run_for(500ms);
  }
  EXPECT_LE(slow, 5);
}

}  // namespace
}  // namespace ghmesh::simulate
