// SPDX-License-Identifier: Apache-2.0
// More is asked of GitHub than one token may: a fetch waits for its turn, and others wait for the fetch.
#include "test_scene.hpp"

namespace ghmesh::simulate {
namespace {

// Ten members, and so much before the question that it has its turn after some seconds.
struct Queue : Scene {
  explicit Queue(std::uint64_t seed, Duration wait, Duration age = 10s, const ExchangeLimits& limits = {})
      : Scene(seed, 10, age, limits) {
    const auto ahead = 160 + static_cast<std::uint32_t>(12 * (wait / 1s));
    for (std::uint32_t key = 0; key < ahead; ++key) {
      std::vector<NodeIndex> nodes = live();
      request(nodes[key % nodes.size()], 1000 + key);
    }
    run_for(500ms);
    others = totals().charged;
    for (std::size_t i = 0; i < 4; ++i) asking.push_back(outsider(kKey, i));
  }
  // Four ask, one after the other.
  void ask_all() {
    for (const NodeIndex node : asking) {
      request(node, kKey, [&](const Answer& answer) {
        answers.push_back(answer);
        charged += answer.charged ? 1 : 0;
        upstream += answer.upstream ? 1 : 0;
      });
      run_for(10ms);
    }
  }

  std::uint64_t others = 0;
  std::vector<NodeIndex> asking;
  std::vector<Answer> answers;
  int charged = 0, upstream = 0;
};

class QueueTest : public testing::TestWithParam<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, QueueTest, testing::Range<std::uint64_t>(1, 9));

TEST_P(QueueTest, OneWaitsForItsTurnAndTheOthersForIt) {
  Queue scene(GetParam(), 15s);
  const std::uint64_t before = scene.message_count("wait") + scene.message_count("hold");
  scene.ask_all();
  scene.run_for(29s);
  ASSERT_EQ(scene.answers.size(), 4u);
  EXPECT_EQ(scene.charged, 1);
  EXPECT_EQ(scene.upstream, 1);
  EXPECT_GT(scene.answers[0].took, 6s) << "longer than anybody waits for a fetch that is under way";
  EXPECT_EQ(scene.totals().refused, 0u);
  // The 180 before it are held as well.
  EXPECT_LT(scene.message_count("wait") + scene.message_count("hold") - before, 60u * 4 + 30u * 2 * 180);
  EXPECT_EQ(scene.totals().wrong, 0u);
}

// Those who own keys ask as well, and whoever stands behind an owner is asked for a second opinion.
TEST_P(QueueTest, WhoeverFetchesTheOthersWait) {
  for (const std::size_t rank : {0, 1, 2}) {
    Queue scene(GetParam(), 10s);
    scene.asking.insert(scene.asking.begin(), *scene.rank(scene.asking[0], kKey, rank));
    scene.ask_all();
    scene.run_for(29s);
    ASSERT_EQ(scene.answers.size(), 5u);
    EXPECT_EQ(scene.charged, 1) << "rank " << rank + 1 << " fetches";
    EXPECT_EQ(scene.upstream, 1);
  }
}

// A matrix's jobs burst at once: what waits for its turn waits while they get to know each other, and longer.
TEST_P(QueueTest, NorDoesAFleetThatIsFoundedMeanwhileFetchTwice) {
  // Far apart they ask for a second opinion later, at a time when the holder speaks seldom.
  for (const Duration age : {0ms, 100ms, 200ms, 400ms, 600ms, 800ms, 900ms, 1000ms})
    for (const std::size_t rank : {0, 1, 2}) {
      Queue scene(GetParam(), 10s, age, ExchangeLimits::for_patience(2s));
      scene.asking.insert(scene.asking.begin(), *scene.rank(scene.asking[0], kKey, rank));
      scene.ask_all();
      scene.run_for(29s);
      ASSERT_EQ(scene.answers.size(), 5u);
      EXPECT_EQ(scene.charged, 1) << "rank " << rank + 1 << " fetches, " << age / 1ms << " ms after they came";
      EXPECT_EQ(scene.upstream, 1);
    }
}

// Its client goes away after the others have asked for a second opinion, so that two know of all who wait.
TEST_P(QueueTest, AFetchThatIsGivenUpIsTakenUpByOne) {
  Queue scene(GetParam(), 10s);
  const NodeIndex holder = scene.asking.back();
  scene.asking.pop_back();
  for (std::size_t rank : {1, 2}) scene.asking.push_back(*scene.rank(holder, kKey, rank));
  Mesh& mesh = scene.mesh(holder);
  const FindId find = mesh.find(Simulator::lookup_key_of(kKey), {}, {}, scene.now());
  scene.request(holder, kKey + 1);  // lets go what the mesh has to say
  scene.run_for(20ms);
  mesh.queued(find, true, scene.now());
  for (const NodeIndex node : scene.asking)
    scene.request(node, kKey, [&](const Simulator::Answer& answer) {
      scene.answers.push_back(answer);
      scene.charged += answer.charged ? 1 : 0;
      scene.upstream += answer.upstream ? 1 : 0;
    });
  scene.run_for(4s);
  mesh.abandon(find, ReleaseOutcome::Failed, scene.now());
  scene.request(holder, kKey + 2);
  scene.run_for(29s);
  ASSERT_EQ(scene.answers.size(), 5u);
  EXPECT_EQ(scene.charged, 1);
  EXPECT_EQ(scene.upstream, 1);
}

TEST_P(QueueTest, TheFetchersDeathCostsNoSecondCharge) {
  for (const bool reset : {true, false}) {
    Queue scene(GetParam(), 10s);
    scene.ask_all();
    scene.run_for(2s);
    scene.kill(scene.asking[0], reset);
    scene.run_for(40s);
    ASSERT_EQ(scene.answers.size(), 3u);
    EXPECT_EQ(scene.charged, 1) << (reset ? "reset" : "silent");
    for (const auto& answer : scene.answers) EXPECT_FALSE(answer.refused);
  }
}

TEST_P(QueueTest, NorDoesTheOwners) {
  for (const bool reset : {true, false})
    for (const Duration when : {500ms, 1010ms, 3000ms}) {
      Queue scene(GetParam(), 10s);
      scene.ask_all();
      scene.run_for(when);
      scene.kill(scene.owner(kKey), reset);
      scene.run_for(40s);
      ASSERT_EQ(scene.answers.size(), 4u);
      EXPECT_EQ(scene.charged, 1) << (reset ? "reset" : "silent") << " after " << when / 1ms << " ms";
    }
}

// Without a fetch anywhere: rank 2 knows of none, and gives its own lease; and the next question goes to it.
TEST_P(QueueTest, AnOwnerThatOnlySaysWaitIsNotBelievedForLong) {
  for (const Wait::For what : {Wait::For::Turn, Wait::For::Fetch}) {
    Scene scene(GetParam());
    const NodeIndex liar = scene.owner(kKey);
    scene.tamper = [&](NodeIndex from, NodeIndex to, Message& message) {
      const auto* ask = std::get_if<Ask>(&message);
      if (ask == nullptr || to != liar) return true;
      for (int i = 0; i < 40; ++i)
        scene.at(std::chrono::seconds(i), [&scene, liar, from, what, id = ask->id] {
          scene.send(liar, from, Wait{.id = id, .next_ms = 1000, .what = what});
        });
      return false;
    };
    const NodeIndex asking = scene.outsider(kKey);
    const Simulator::Answer answer = scene.ask(asking, kKey, 30s);
    EXPECT_TRUE(answer.upstream);
    EXPECT_LE(answer.took, 1200ms);
    std::uint32_t other = kKey;
    const auto another = [&](NodeIndex node) {
      do ++other;
      while (scene.owner(other) != liar || scene.second(other) == node);
      return other;
    };
    EXPECT_LE(scene.ask(asking, another(asking), 30s).took, 200ms);
    // Who comes later gets from rank 2 what was there before.
    const NodeIndex later = scene.outsider(kKey, 1);
    scene.run_for(3s);
    const Simulator::Answer shared = scene.ask(later, kKey, 30s);
    EXPECT_FALSE(shared.upstream);
    EXPECT_LE(shared.took, 1200ms);
    EXPECT_LE(scene.ask(later, another(later), 30s).took, 200ms);
  }
}

// It looks for a lost body, and what it asks is slow: that is no queue, and rank 2 has heard of no lease.
TEST_P(QueueTest, AnOwnerThatStillLooksIsWaitedFor) {
  Scene scene(GetParam());
  const NodeIndex owner = scene.owner(kKey), asking = scene.outsider(kKey);
  const LookupKey key = Simulator::lookup_key_of(kKey);
  bool looks = true;
  scene.tamper = [&](NodeIndex from, NodeIndex to, Message& message) {
    const auto* ask = std::get_if<Ask>(&message);
    if (ask == nullptr || to != owner || ask->key != key || !looks) return true;
    looks = false;
    for (int i = 0; i < 40; ++i)
      scene.at(i * 100ms, [&scene, owner, from, id = ask->id] {
        scene.send(owner, from, Wait{.id = id, .next_ms = 100, .what = Wait::For::Search});
      });
    // Then it gives its lease.
    scene.at(4s, [&scene, owner, from, moved = *ask] { scene.send(from, owner, moved); });
    return false;
  };
  const Simulator::Answer answer = scene.ask(asking, kKey, 30s);
  EXPECT_TRUE(answer.upstream);
  EXPECT_GE(answer.took, 4s);
}

// An operator may give the clients more patience (--max-queue), and the lease is theirs for as long.
TEST_P(QueueTest, ALeaseLastsAsLongAsItsHolderMayWait) {
  Simulator scene(GetParam());
  scene.exchange.longest_queue = 122s;
  for (std::size_t i = 0; i < 10; ++i) {
    scene.join();
    scene.run_for(50ms);
  }
  scene.run_for(10s);
  const NodeIndex holder = scene.rank(0, kKey, 0) == NodeIndex{0} ? 1 : 0;
  Mesh& mesh = scene.mesh(holder);
  const FindId find = mesh.find(Simulator::lookup_key_of(kKey), {}, {}, scene.now());
  scene.request(holder, kKey + 1);  // lets go what the mesh has to say
  scene.run_for(100ms);
  mesh.queued(find, true, scene.now());
  scene.run_for(110s);
  const std::uint64_t holds = scene.message_count("hold");
  scene.run_for(5s);
  EXPECT_GT(scene.message_count("hold"), holds);
  mesh.abandon(find, ReleaseOutcome::Failed, scene.now());
}

// The client's patience is one, however it waits.
TEST_P(QueueTest, NobodyWaitsLongerThanMaxQueue) {
  Queue scene(GetParam(), 60s);
  scene.ask_all();
  scene.run_for(70s);
  ASSERT_EQ(scene.answers.size(), 4u);
  for (const auto& answer : scene.answers) EXPECT_LE(answer.took, 34s);
  EXPECT_LE(scene.charged, 1);
}

}  // namespace
}  // namespace ghmesh::simulate
