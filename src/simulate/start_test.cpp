// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "simulate/simulator.hpp"

// A fleet that starts at one instant, as the jobs of a matrix do: nobody is old enough to own keys, yet what all ask is
// paid once, and stays paid when they come of age.

namespace ghmesh::simulate {
namespace {

constexpr std::uint32_t kKeys = 20;

struct Start : Simulator {
  Start(std::uint64_t seed, std::size_t nodes, Duration within) : Simulator(seed), random(seed * 31) {
    for (std::uint32_t key = 0; key < 200; ++key) set_change_interval(key, 10000h);
    upstream_fixed = 100ms;
    fresh_for = 10min;
    for (std::size_t i = 0; i < nodes; ++i) {
      join();
      run_for(within / static_cast<int>(nodes));
    }
  }
  // Each node asks for every key, within 50 ms.
  void ask_all(std::uint32_t first = 0) {
    for (const NodeIndex node : live())
      for (std::uint32_t key = first; key < first + kKeys; ++key)
        at(std::chrono::microseconds(random.below(50'000)), [this, node, key] { request(node, key); });
    run_for(2s);
  }
  SeededRandom random;
};

class AtOnce : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, AtOnce, testing::Range<std::uint64_t>(1, 13));

TEST_P(AtOnce, EachQuestionIsPaidOnce) {
  for (const std::size_t nodes : {2, 3, 5, 8}) {
    Start scene(GetParam(), nodes, 50ms);
    scene.run_for(200ms);
    scene.ask_all();
    EXPECT_EQ(scene.totals().requests, nodes * kKeys);
    EXPECT_EQ(scene.totals().charged, kKeys) << nodes;
    EXPECT_EQ(scene.totals().alone, 0u);
  }
}

TEST_P(AtOnce, FiftyNeedHalfASecondToKnowEachOther) {
  Start scene(GetParam(), 50, 50ms);
  scene.run_for(500ms);
  scene.ask_all();
  EXPECT_EQ(scene.totals().charged, kKeys);
}

// Whoever asks within the round trips in which members meet may know only some of them, so a question has an owner for
// each group that knows of itself: some are paid twice, none by everybody.
TEST_P(AtOnce, WhatIsAskedBeforeTheyHaveMetIsSharedToo) {
  Start scene(GetParam(), 5, 50ms);
  scene.ask_all();
  EXPECT_GE(scene.totals().charged, kKeys);
  EXPECT_LE(scene.totals().charged, 2 * kKeys);
}

// Who comes to own a key in the middle of a fetch by its earlier owner waits for that fetch, however long GitHub takes.
TEST_P(AtOnce, WhoComesDuringAFetchDoesNotFetchAgain) {
  for (const std::size_t nodes : {1, 2, 4}) {
    Start scene(GetParam(), nodes, 50ms);
    scene.run_for(300ms);
    scene.upstream_fixed = 400ms;
    for (const NodeIndex node : scene.live())
      for (std::uint32_t key = 0; key < kKeys; ++key)
        scene.at(std::chrono::microseconds(scene.random.below(50'000)), [&, node, key] { scene.request(node, key); });
    scene.run_for(60ms);
    const NodeIndex late = scene.join();
    scene.run_for(20ms);  // until it has met one of them
    for (std::uint32_t key = 0; key < kKeys; ++key)
      scene.at(std::chrono::microseconds(scene.random.below(400'000)), [&, key] { scene.request(late, key); });
    scene.run_for(3s);
    EXPECT_EQ(scene.totals().requests, (nodes + 1) * kKeys);
    EXPECT_EQ(scene.totals().charged, kKeys) << nodes;
  }
}

// Nor does a fetch that began while the two got to know each other.
TEST_P(AtOnce, WhatIsAskedWhileSomebodyIsMetIsNotFetchedAgain) {
  for (const std::size_t nodes : {1, 2, 4}) {
    Start scene(GetParam(), nodes, 50ms);
    scene.run_for(300ms);
    scene.upstream_fixed = 400ms;
    for (std::uint32_t key = 0; key < kKeys; ++key)
      scene.at(std::chrono::microseconds(scene.random.below(20'000)), [&, key] { scene.request(0, key); });
    const NodeIndex late = scene.join();
    // As init waits until nobody has come for three rounds of news.
    scene.run_for(150ms);
    for (std::uint32_t key = 0; key < kKeys; ++key) scene.request(late, key);
    scene.run_for(3s);
    EXPECT_EQ(scene.totals().charged, kKeys) << nodes;
  }
}

// Ranks change when the others come, and when they come of age; what was paid stays paid.
TEST_P(AtOnce, ComingOfAgeLosesNothing) {
  for (const std::size_t nodes : {3, 5, 8, 20})
    for (const Duration within : {Duration(50ms), Duration(1s), Duration(4s), Duration(9s)}) {
      Start scene(GetParam(), nodes, within);
      scene.run_for(300ms);
      constexpr std::uint64_t keys = 100;
      for (const NodeIndex node : scene.live())
        for (std::uint32_t key = 0; key < keys; ++key)
          scene.at(std::chrono::microseconds(scene.random.below(15'000'000)),
                   [&, node, key] { scene.request(node, key); });
      scene.run_for(20s);
      // One more: asked while its owner was changing, by members that heard of that some milliseconds apart.
      EXPECT_GE(scene.totals().charged, keys);
      EXPECT_LE(scene.totals().charged, keys + 1) << nodes << " within " << within / 1ms << " ms";
    }
}

TEST_P(AtOnce, ALateJoinerFindsWhatTheYoungFleetPaid) {
  Start scene(GetParam(), 5, 50ms);
  scene.run_for(200ms);
  scene.ask_all();
  EXPECT_EQ(scene.totals().charged, kKeys);
  // While all are young, when the first are of age, and when those that came later are.
  for (const Duration pause : {Duration(0s), Duration(4s), Duration(6s), Duration(6s)}) {
    scene.run_for(pause);
    const NodeIndex late = scene.join();
    scene.run_for(300ms);
    for (std::uint32_t key = 0; key < kKeys; ++key) scene.request(late, key);
    scene.run_for(1s);
  }
  EXPECT_EQ(scene.totals().charged, kKeys);
}

}  // namespace
}  // namespace ghmesh::simulate
