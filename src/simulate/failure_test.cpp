// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "test_scene.hpp"

// Every row of the failure table, and what the mesh promises besides, in virtual time with several seeds.

namespace ghmesh::simulate {
namespace {

class FailureTable : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, FailureTable, testing::Range<std::uint64_t>(1, 13));

TEST_P(FailureTable, OwnerDeadWhenAsked) {
  Scene scene(GetParam());
  const NodeIndex asker = scene.outsider(kKey);
  EXPECT_TRUE(scene.ask(scene.outsider(kKey, 1), kKey).charged);
  scene.run_for(61s);
  scene.kill(scene.owner(kKey), false);
  const auto answer = scene.ask(asker, kKey);
  EXPECT_FALSE(answer.charged);
  EXPECT_LE(answer.took, 100ms + 40ms);
  EXPECT_EQ(scene.totals().charged, 1u);
}

TEST_P(FailureTable, OwnerDiesDuringALease) {
  Scene scene(GetParam());
  scene.upstream_fixed = 400ms;
  int answered = 0;
  const NodeIndex owner = scene.owner(kKey);
  for (std::size_t i = 0; i < 4; ++i)
    scene.at(std::chrono::milliseconds(i * 10),
             [&, i] { scene.request(scene.outsider(kKey, i), kKey, [&](const auto&) { ++answered; }); });
  scene.at(100ms, [&] { scene.kill(owner, GetParam() % 2 == 0); });
  scene.run_for(3s);
  EXPECT_EQ(answered, 4);
  EXPECT_EQ(scene.totals().charged, 1u);
  EXPECT_EQ(scene.totals().upstream, 1u);
}

TEST_P(FailureTable, FetcherDies) {
  Scene scene(GetParam());
  scene.upstream_fixed = 400ms;
  int answered = 0;
  const NodeIndex fetcher = scene.outsider(kKey);
  scene.request(fetcher, kKey);
  for (std::size_t i = 1; i < 5; ++i)
    scene.at(std::chrono::milliseconds(20 + i),
             [&, i] { scene.request(scene.outsider(kKey, i), kKey, [&](const auto&) { ++answered; }); });
  scene.at(100ms, [&] { scene.kill(fetcher, GetParam() % 2 == 0); });
  scene.run_for(5s);
  EXPECT_EQ(answered, 4);
  EXPECT_LE(scene.totals().charged, 2u);
}

TEST_P(FailureTable, OwnerAndFetcherDie) {
  Scene scene(GetParam());
  scene.upstream_fixed = 400ms;
  int answered = 0;
  const NodeIndex fetcher = scene.outsider(kKey), owner = scene.owner(kKey);
  scene.request(fetcher, kKey);
  for (std::size_t i = 1; i < 5; ++i)
    scene.at(std::chrono::milliseconds(20 + i),
             [&, i] { scene.request(scene.outsider(kKey, i), kKey, [&](const auto&) { ++answered; }); });
  scene.at(100ms, [&] {
    scene.kill(fetcher, GetParam() % 2 == 0);
    scene.kill(owner, GetParam() % 2 == 0);
  });
  scene.run_for(5s);
  EXPECT_EQ(answered, 4);
  EXPECT_LE(scene.totals().charged, 2u);
}

TEST_P(FailureTable, AMemberCannotTalkToRankOneOnly) {
  Scene scene(GetParam());
  const NodeIndex lonely = scene.outsider(kKey), other = scene.outsider(kKey, 1), owner = scene.owner(kKey);
  scene.cut = [=](NodeIndex a, NodeIndex b) { return (a == lonely && b == owner) || (a == owner && b == lonely); };
  int answered = 0;
  scene.request(other, kKey, [&](const auto&) { ++answered; });
  scene.request(lonely, kKey, [&](const auto&) { ++answered; });
  scene.run_for(2s);
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(scene.totals().upstream, 1u);
  // And the other way round: what the lonely one fetched is known to the owner.
  scene.request(lonely, kKey + 1);
  const NodeIndex owner_of_next = scene.owner(kKey + 1);
  scene.run_for(1s);
  scene.reset_totals();
  scene.ask(owner_of_next, kKey + 1);
  EXPECT_EQ(scene.totals().upstream, 0u);
}

TEST_P(FailureTable, WhoRelaysToADyingOwnerDecidesAtOnce) {
  Scene scene(GetParam());
  const NodeIndex lonely = scene.outsider(kKey), owner = scene.owner(kKey);
  scene.cut = [=](NodeIndex from, NodeIndex to) { return to == owner || (from == owner && to == lonely); };
  std::optional<Duration> took;
  scene.request(lonely, kKey, [&](const auto& answer) { took = answer.took; });
  // Rank 2 was asked after 15 ms, and waits for the owner in its turn.
  scene.at(18ms, [&] { scene.kill(owner, true); });
  scene.run_for(1s);
  ASSERT_TRUE(took);
  EXPECT_LE(*took, 100ms + 25ms);
  EXPECT_EQ(scene.totals().charged, 1u);
}

TEST_P(FailureTable, WhoRefusesConnectionsIsNotWaitedFor) {
  Scene scene(GetParam());
  for (std::uint32_t key = 0; key < 20; ++key) scene.ask(scene.owner(key), key);
  const NodeIndex last = scene.outsider(kKey);
  for (const NodeIndex node : scene.live())
    if (node != last) scene.kill(node, true);
  scene.run_for(5ms);
  // Three ranks refuse, each within a round trip; so do the other two of rank 3's before it pays.
  for (std::uint32_t key = 0; key < 40; ++key) EXPECT_LE(scene.ask(last, key).took, 100ms + 4 * 2ms + 1ms) << key;
}

TEST_P(FailureTable, AllPeersDieOrLie) {
  Scene scene(GetParam());
  const NodeIndex last = scene.outsider(kKey);
  for (const NodeIndex node : scene.live())
    if (node != last) scene.kill(node, false);
  for (std::uint32_t key = 0; key < 40; ++key) EXPECT_LE(scene.ask(last, key).took, 100ms + 51ms) << key;
  // A node that nobody answers stops waiting, but for one try a second.
  int slow = 0;
  for (std::uint32_t key = 40; key < 100; ++key) slow += scene.ask(last, key).took > 101ms ? 1 : 0;
  EXPECT_LE(slow, 8);
  scene.run_for(10min);
  for (std::uint32_t key = 100; key < 140; ++key) EXPECT_LE(scene.ask(last, key).took, 101ms) << "all known to be dead";
}

TEST_P(FailureTable, JoinOfALateRunner) {
  Scene scene(GetParam());
  for (std::uint32_t key = 0; key < 100; ++key) scene.ask(scene.live()[key % 10], key);
  EXPECT_EQ(scene.totals().charged, 100u);
  const NodeIndex late = scene.join();
  scene.run_for(300ms);
  scene.reset_totals();
  for (std::uint32_t key = 0; key < 100; ++key) scene.ask(late, key);
  EXPECT_EQ(scene.totals().charged, 0u);
  EXPECT_EQ(scene.totals().upstream, 0u) << "same token, still fresh: nothing to ask";
}

TEST_P(FailureTable, NetworkSplitForAMinute) {
  Scene scene(GetParam(), 12);
  for (std::uint32_t key = 0; key < 50; ++key) scene.ask(scene.live()[key % 12], key);
  scene.run_for(60s);
  scene.cut = [](NodeIndex a, NodeIndex b) { return (a < 6) != (b < 6); };
  scene.reset_totals();
  // Each side's first requests find dead ranks; every one is answered in time.
  for (int round = 0; round < 30; ++round) {
    const auto key = static_cast<std::uint32_t>(round % 25) * 2;
    if (round % 10 == 0) scene.change(key);
    EXPECT_LE(scene.ask(static_cast<NodeIndex>(round % 12), key).took, 100ms + 250ms);
    scene.run_for(2s);
  }
  EXPECT_LE(scene.totals().charged, 2 * scene.totals().ideal + 2);
  EXPECT_EQ(scene.totals().wrong, 0u);
  scene.cut = {};
  scene.run_for(30s);
  for (const NodeIndex node : scene.live()) EXPECT_EQ(scene.mesh(node).stats().members, 11u);
  scene.change(kKey);
  scene.run_for(61s);
  scene.reset_totals();
  for (const NodeIndex node : scene.live()) scene.ask(node, kKey);
  EXPECT_EQ(scene.totals().charged, 1u);
}

// What members thought of each other during a split is over with it: as soon as all know again who owns a key, it is
// paid for once, by whomever it is asked.
TEST_P(FailureTable, WhatIsNewAfterASplitIsPaidOnce) {
  for (const NodeIndex apart : {1u, 4u}) {
    Scene scene(GetParam(), 12);
    scene.cut = [=](NodeIndex a, NodeIndex b) { return (a < apart) != (b < apart); };
    for (std::uint32_t key = 0; key < 40; ++key) {
      scene.request(0, key);
      scene.request(11, key);
      scene.run_for(50ms);
    }
    scene.run_for(60s);
    scene.cut = {};
    const auto agreed = [&] {
      for (std::uint32_t key = 100; key < 164; ++key)
        for (const NodeIndex node : scene.live())
          for (std::size_t which = 0; which < 3; ++which)
            if (scene.rank(node, key, which) != scene.rank(0, key, which)) return false;
      return scene.mesh(0).stats().members == 11;
    };
    for (int ms = 0; ms < 60'000 && !agreed(); ++ms) scene.run_for(1ms);
    ASSERT_TRUE(agreed());
    scene.reset_totals();
    for (std::uint32_t key = 100; key < 164; ++key)
      for (const NodeIndex node : {0, 5, 11}) scene.request(node, key);
    scene.run_for(30s);
    EXPECT_EQ(scene.totals().charged, 64u) << apart;
  }
}

TEST_P(FailureTable, WhoCameBackIsNotPassedOverForItsOldSilence) {
  Scene scene(GetParam(), 1);
  scene.exchange.doubt = scene.exchange.max_doubt;
  for (int i = 0; i < 9; ++i) scene.join();
  scene.run_for(10s);
  // Two keys with the same first two ranks, of whom the first is lost to all.
  std::uint32_t key = 0;
  while (scene.owner(key) == 0 || scene.second(key) == 0) ++key;
  const NodeIndex lost = scene.owner(key), second = scene.second(key);
  std::uint32_t next = key + 1;
  while (scene.owner(next) != lost || scene.second(next) != second) ++next;
  scene.cut = [=](NodeIndex a, NodeIndex b) { return a == lost || b == lost; };
  scene.ask(second, key);
  scene.run_for(20s);
  ASSERT_NE(scene.rank(second, next, 0), lost);
  // Others say that it is back before it says so itself.
  scene.cut = [=](NodeIndex a, NodeIndex b) { return (a == lost && b == second) || (a == second && b == lost); };
  for (int ms = 0; ms < 60'000 && scene.rank(second, next, 0) != lost; ++ms) scene.run_for(1ms);
  ASSERT_EQ(scene.rank(second, next, 0), lost);
  scene.cut = {};
  scene.reset_totals();
  scene.request(second, next);
  scene.request(scene.outsider(next), next);
  scene.run_for(2s);
  EXPECT_EQ(scene.totals().charged, 1u);
}

TEST_P(FailureTable, OriginSaysStop) {
  Scene scene(GetParam());
  scene.limited_until = scene.now() + 30s;
  int answered = 0;
  for (std::uint32_t i = 0; i < 100; ++i)
    scene.at(std::chrono::milliseconds(i * 200),
             [&, i] { scene.request(i % 10, i, [&](const auto&) { ++answered; }); });
  scene.run_for(29900ms);
  EXPECT_LE(scene.limited_answers, 2u) << "the first 403 stops everybody";
  EXPECT_EQ(answered, 0);
  scene.reset_totals();
  scene.run_for(250ms);
  EXPECT_LE(scene.totals().upstream, 12u) << "those of the first member come first";
  scene.run_for(60s);
  EXPECT_EQ(answered, 100);
}

TEST_P(FailureTable, AStampedeIsOneRequest) {
  Scene scene(GetParam(), 50);
  scene.set_change_interval(kKey, 10000h);
  int answered = 0;
  SeededRandom random(GetParam());
  for (int i = 0; i < 200; ++i)
    scene.at(std::chrono::microseconds(random.below(50'000)),
             [&, i] { scene.request(static_cast<NodeIndex>(i % 50), kKey, [&](const auto&) { ++answered; }); });
  scene.run_for(2s);
  EXPECT_EQ(answered, 200);
  EXPECT_EQ(scene.totals().upstream, 1u);
}

TEST_P(FailureTable, AWriteIsSeenByAllAtOnce) {
  Scene scene(GetParam());
  for (const NodeIndex node : scene.live()) scene.ask(node, kKey);
  EXPECT_EQ(scene.totals().upstream, 1u);
  scene.write(3, kKey);
  scene.run_for(10ms);
  for (const NodeIndex node : scene.live()) EXPECT_EQ(scene.ask(node, kKey).version, scene.version_of_key(kKey));
}

TEST_P(FailureTable, AWriteDuringAFetchIsNotUndoneByIt) {
  Scene scene(GetParam());
  scene.upstream_fixed = 300ms;
  scene.request(scene.outsider(kKey), kKey);
  scene.run_for(200ms);  // the origin has looked
  scene.write(scene.outsider(kKey, 1), kKey);
  scene.run_for(300ms);
  EXPECT_EQ(scene.ask(scene.outsider(kKey, 2), kKey).version, scene.version_of_key(kKey));
}

TEST_P(FailureTable, ADrainedOwnerTakesNothingWithIt) {
  Scene scene(GetParam());
  for (std::uint32_t key = 0; key < 100; ++key) scene.ask(scene.live()[key % 10], key);
  scene.run_for(61s);
  for (int i = 0; i < 6; ++i) {
    scene.stop(scene.owner(kKey));
    scene.run_for(3s);
  }
  scene.reset_totals();
  for (std::uint32_t key = 0; key < 100; ++key) scene.ask(scene.live()[key % scene.live().size()], key);
  EXPECT_EQ(scene.totals().charged, 0u);
}

TEST(Mesh, FiveRunnersHundredCallsEach) {
  Scene scene(1, 5);
  for (std::uint32_t key = 0; key < 100; ++key)
    for (const NodeIndex node : scene.live()) scene.ask(node, key);
  EXPECT_EQ(scene.totals().requests, 500u);
  EXPECT_EQ(scene.totals().charged, 100u);
  EXPECT_LE(scene.totals().upstream, 105u);
}

TEST(Mesh, ATokenPerRunnerIsChargedOnceAndTheRestIsFree) {
  Simulator scene(3);
  for (std::uint32_t key = 0; key < 200; ++key) scene.set_change_interval(key, 10000h);
  for (std::uint32_t i = 0; i < 5; ++i) {
    scene.join(i);
    scene.run_for(50ms);
  }
  scene.run_for(10s);
  for (std::uint32_t key = 0; key < 100; ++key)
    for (NodeIndex node = 0; node < 5; ++node) scene.request(node, key);
  scene.run_for(5s);
  EXPECT_EQ(scene.totals().charged, 100u);
  EXPECT_EQ(scene.totals().upstream, 500u) << "each token proves for itself, free of charge";
}

TEST(Mesh, WhoCannotBeDialledOwnsNothingAndGetsEverything) {
  Simulator scene(4);
  scene.set_change_interval(kKey, 10000h);
  for (int i = 0; i < 8; ++i) {
    scene.join(0, false, i < 4);
    scene.run_for(50ms);
  }
  scene.run_for(10s);
  for (std::uint32_t key = 0; key < 64; ++key) EXPECT_LT(*scene.rank(7, key, 0), 4u);
  for (NodeIndex node = 0; node < 8; ++node) scene.request(node, kKey);
  scene.run_for(2s);
  EXPECT_EQ(scene.totals().upstream, 1u);
}

TEST(Mesh, AResourceThatAlwaysChangesMakesNobodyALiar) {
  Scene scene(6);
  scene.set_change_interval(kKey, 20s);
  for (int i = 0; i < 200; ++i) {
    scene.ask(static_cast<NodeIndex>(i % 10), kKey);
    scene.run_for(30s);
  }
  for (const NodeIndex node : scene.live())
    for (const PeerInfo& peer : scene.mesh(node).peers(scene.now())) EXPECT_FALSE(peer.banned);
}

TEST(Mesh, AloneItIsALocalCache) {
  Simulator scene(5);
  scene.upstream_fixed = 100ms;
  scene.set_change_interval(kKey, 10000h);
  const NodeIndex node = scene.join();
  Duration took{};
  scene.request(node, kKey, [&](const auto& answer) { took = answer.took; });
  scene.run_for(1s);
  EXPECT_EQ(took, Duration(100ms)) << "no member, no delay";
}

}  // namespace
}  // namespace ghmesh::simulate
