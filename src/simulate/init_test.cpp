// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "simulate/simulator.hpp"

// The jobs of a matrix: they start within a moment, know of each other by a directory only, and ask the very instant
// in which `init` returned. What they all ask is paid once.

namespace ghmesh::simulate {
namespace {

constexpr std::uint32_t kKeys = 20;

struct Matrix : Simulator {
  Matrix(std::uint64_t seed, std::size_t jobs, Duration within, NetworkModel network = {})
      : Simulator(seed, network), random(seed * 77 + 5) {
    for (std::uint32_t key = 0; key < kKeys; ++key) set_change_interval(key, 10000h);
    fresh_for = 10min;
    for (std::size_t i = 0; i < jobs; ++i) at(upto(within), [this] { begin(); });
  }
  // Of the program: its record is written, then the directory is read, and whoever is in it is dialled.
  void begin() {
    const NodeIndex node = start_alone();
    at(1ms + upto(20ms), [this, node] {
      const std::vector<NodeIndex> found = directory;
      directory.push_back(node);
      for (const NodeIndex other : found) at(1ms + upto(15ms), [this, node, other] { meet(node, other); });
      await(node, found);
    });
  }
  // init: everybody that it heard of is a member, and nothing is on its way.
  void await(NodeIndex node, const std::vector<NodeIndex>& found) {
    if (!alive(node)) return;
    const bool met = std::ranges::all_of(
        found, [&](NodeIndex other) { return mesh(node).member(mesh(other).self().peer) != nullptr; });
    if (!met || !mesh(node).quiet(now())) return at(1ms + upto(10ms), [this, node, found] { await(node, found); });
    for (std::uint32_t key = 0; key < kKeys; ++key)
      at(upto(5ms), [this, node, key] {
        if (alive(node)) request(node, key, [this](const Answer& answer) { slowest = std::max(slowest, answer.took); });
      });
  }
  Duration upto(Duration most) {
    return Duration(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(most.count()) + 1)));
  }
  SeededRandom random;
  std::vector<NodeIndex> directory;
  Duration slowest{};
};

class Init : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, Init, testing::Range<std::uint64_t>(1, 13));

TEST_P(Init, WhoAsksTheInstantItReturnedPaysOnce) {
  for (const std::size_t jobs : {2, 4, 7, 16})
    for (const Duration within : {Duration(1ms), Duration(30ms), Duration(200ms), Duration(1s)})
      for (const Duration upstream : {Duration(5ms), Duration(50ms), Duration(300ms)}) {
        Matrix scene(GetParam(), jobs, within, {.rtt_min = 300us, .rtt_max = 10ms});
        scene.upstream_fixed = upstream;
        scene.run_for(4s);
        EXPECT_EQ(scene.totals().requests, jobs * kKeys);
        EXPECT_EQ(scene.totals().charged, kKeys)
            << jobs << " jobs within " << within / 1ms << " ms, upstream " << upstream / 1ms << " ms";
        EXPECT_EQ(scene.totals().alone, 0u);
      }
}

// Whoever came to own a key in the middle of a fetch hears of its end from those who were there before, and does not
// wait until that lease is over: 24 s with this patience.
TEST_P(Init, NobodyWaitsForALeaseThatHasEnded) {
  for (const std::size_t jobs : {4, 7})
    for (const Duration upstream : {Duration(50ms), Duration(150ms), Duration(300ms)}) {
      Matrix scene(GetParam(), jobs, 200ms, {.rtt_min = 300us, .rtt_max = 10ms});
      scene.exchange = ExchangeLimits::for_patience(2s);
      scene.upstream_fixed = upstream;
      scene.run_for(10s);
      EXPECT_EQ(scene.totals().latencies_ms.size(), jobs * kKeys);
      EXPECT_EQ(scene.totals().charged, kKeys);
      EXPECT_LE(scene.slowest, 1s) << jobs << " jobs, upstream " << upstream / 1ms << " ms";
    }
}

// The owner of a key is killed during a fetch while all are young. Whoever waited asks the next in rank, which asks all
// before it gives another lease; the one that fetches may rank third, or not at all.
TEST_P(Init, AnOwnerThatDiesDuringAFetchCostsNothing) {
  for (const bool reset : {true, false})
    for (const Duration upstream : {Duration(300ms), Duration(500ms), Duration(900ms)}) {
      Matrix scene(GetParam(), 4, 30ms);
      scene.run_for(600ms);
      scene.upstream_fixed = upstream;
      for (std::uint32_t key = kKeys; key < kKeys + 100; ++key) {
        const NodeIndex owner = *scene.rank(0, key, 0), second = *scene.rank(0, key, 1);
        if (owner != 3 || second == 3) continue;
        std::vector<NodeIndex> others;
        for (const NodeIndex node : scene.live())
          if (node != owner && node != second) others.push_back(node);
        if (GetParam() % 2 == 0) std::swap(others[0], others[1]);
        scene.reset_totals();
        int answered = 0;
        scene.request(others[0], key, [&](const auto&) { ++answered; });
        scene.at(30ms, [&] { scene.request(others[1], key, [&](const auto&) { ++answered; }); });
        scene.at(32ms, [&] { scene.kill(owner, reset); });
        scene.run_for(2s);
        EXPECT_EQ(answered, 2);
        EXPECT_EQ(scene.totals().charged, 1u) << "upstream " << upstream / 1ms << " ms, reset " << reset;
        EXPECT_EQ(scene.totals().upstream, 1u);
        break;
      }
    }
}

// One of them is killed while all are young, without a word: the others wait for it until they know, not with every
// key.
TEST_P(Init, ADeadFounderIsSoonNotWaitedFor) {
  Matrix scene(GetParam(), 5, 30ms);
  scene.upstream_fixed = 50ms;
  scene.run_for(600ms);
  scene.kill(4, false);
  scene.reset_totals();
  int slow = 0;
  for (std::uint32_t key = kKeys; key < kKeys + 20; ++key) {
    scene.request(0, key, [&](const auto& answer) { slow += answer.took > 50ms + 50ms ? 1 : 0; });
    scene.run_for(100ms);
  }
  EXPECT_EQ(scene.totals().charged, 20u);
  EXPECT_LE(slow, 5);
}

}  // namespace
}  // namespace ghmesh::simulate
