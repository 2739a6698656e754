// SPDX-License-Identifier: Apache-2.0
// k of n members lie. What they may cost is time: no wrong byte, nothing that was to stay on its node, and the others
// still serve each other.
#include "test_scene.hpp"

namespace ghmesh::simulate {
namespace {

constexpr std::size_t kMembers = 10;
constexpr std::uint32_t kKeys = 100;
// Of which these never leave their node.
constexpr std::uint32_t kPrivate = 5;

void each_item(Message& message, const std::function<void(Item&)>& change) {
  const auto forge = [&](ItemPtr& item) {
    if (item == nullptr) return;
    auto forged = std::make_shared<Item>(*item);
    change(*forged);
    item = std::move(forged);
  };
  if (auto* body = std::get_if<Body>(&message)) forge(body->item);
  if (auto* put = std::get_if<Put>(&message)) forge(put->item);
  if (auto* lease = std::get_if<Lease>(&message)) forge(lease->item);
  if (auto* found = std::get_if<Found>(&message)) forge(found->item);
  if (auto* chunk = std::get_if<Chunk>(&message))
    for (ChunkEntry& entry : chunk->entries) forge(entry.item);
}

void each_freshness(Message& message, const std::function<void(Freshness&)>& change) {
  if (auto* body = std::get_if<Body>(&message)) change(body->fresh);
  if (auto* same = std::get_if<Same>(&message)) change(same->fresh);
  if (auto* put = std::get_if<Put>(&message)) change(put->fresh);
  if (auto* renew = std::get_if<Renew>(&message)) change(renew->fresh);
  if (auto* found = std::get_if<Found>(&message))
    for (Freshness& fresh : found->freshnesses) change(fresh);
  if (auto* chunk = std::get_if<Chunk>(&message))
    for (ChunkEntry& entry : chunk->entries)
      for (Freshness& fresh : entry.freshnesses) change(fresh);
}

enum class Lie {
  ForgedBodies,    // one octet is another's
  AnotherKeys,     // the bytes of another resource, whole and once true
  StaleBodies,     // what the origin said a while ago, called fresh for a day
  Junk,            // frames that nobody can open or read: also wrong MACs, replayed and spliced envelopes
  Silence,         // alive, and answers no question
  PauseForEver,    // "rate limited until 2099"
  WaitForFetch,    // somebody fetches it, it says to every question, and goes on saying so
  WaitForTurn,     // or waits for its turn at GitHub
  PrivateLookups,  // asks everybody for what is to stay where it is
};

struct Crowd : Scene {
  Crowd() : Scene(9, kMembers) {
    for (std::uint32_t key = 0; key < kKeys; ++key)
      if (key % 3 == 0) set_change_interval(key, 3min);
    for (std::uint32_t key = 0; key < kPrivate; ++key) never_leave.insert(key);
  }
  // The first `liars` of the members lie and have no clients; the others have eight requests a second each.
  void play(std::size_t liars) {
    SeededRandom random(5);
    for (int i = 0; i < 6000; ++i) {
      const auto key = static_cast<std::uint32_t>(random.below(kKeys));
      const NodeIndex node = kMembers - 1 - static_cast<std::size_t>(i) % (kMembers - liars);
      at(std::chrono::milliseconds(i * 40), [this, node, key] { request(node, key); });
    }
    run_for(240s);
  }
  double served() { return static_cast<double>(totals().local + totals().from_peers); }
};

void lie(Crowd& crowd, Lie kind, std::size_t liars) {
  const auto lies = [liars](NodeIndex node) { return node < liars; };
  std::map<LookupKey, Bytes> seen;  // bodies that went by, for those who tell old ones
  crowd.tamper = [=](NodeIndex from, NodeIndex, Message& message) mutable {
    if (!lies(from)) {
      each_item(message, [&](Item& item) { seen.try_emplace(item.key, item.body); });
      return true;
    }
    switch (kind) {
      case Lie::ForgedBodies: each_item(message, [](Item& item) { item.body.back() ^= 1; }); break;
      case Lie::AnotherKeys:
        each_item(message, [&](Item& item) {
          for (const auto& [key, body] : seen)
            if (key != item.key) item.body = body;
        });
        break;
      case Lie::StaleBodies:
        each_item(message, [&](Item& item) {
          if (const auto it = seen.find(item.key); it != seen.end()) item.body = it->second;
        });
        each_freshness(message, [](Freshness& fresh) { fresh.left_ms = fresh.fresh_ms = WireLimits::kFreshMs; });
        break;
      case Lie::Silence: return std::holds_alternative<Ping>(message) || std::holds_alternative<Pong>(message);
      case Lie::PauseForEver: {
        TokenTag tag{};
        store_be(tag.data(), std::uint64_t{1});
        if (!std::holds_alternative<Ping>(message) && !std::holds_alternative<Pong>(message))
          message = Pause{.bucket = tag, .for_ms = WireLimits::kPauseMs};
        break;
      }
      case Lie::WaitForFetch:
      case Lie::WaitForTurn:
      case Lie::Junk:
      case Lie::PrivateLookups: break;
    }
    return true;
  };
  if (kind == Lie::WaitForFetch || kind == Lie::WaitForTurn)
    crowd.tamper = [&crowd, lies, what = kind == Lie::WaitForTurn ? Wait::For::Turn : Wait::For::Fetch](
                       NodeIndex from, NodeIndex to, Message& message) {
      const auto* ask = std::get_if<Ask>(&message);
      if (ask == nullptr || !lies(to)) return true;
      for (int i = 0; i < 35; ++i)
        crowd.at(std::chrono::seconds(i), [&crowd, from, to, what, id = ask->id] {
          crowd.send(to, from, Wait{.id = id, .next_ms = 1000, .what = what});
        });
      return false;
    };
  if (kind == Lie::Junk) crowd.garble = [=](NodeIndex from, NodeIndex) { return lies(from); };
  if (kind != Lie::PrivateLookups) return;
  for (int second = 0; second < 240; ++second)
    crowd.at(std::chrono::seconds(second), [&crowd, liars, second] {
      for (std::size_t liar = 0; liar < liars; ++liar)
        for (const NodeIndex node : crowd.live()) {
          if (node < liars) continue;
          const auto key = Simulator::lookup_key_of(static_cast<std::uint32_t>(second) % kPrivate);
          const auto id = static_cast<std::uint64_t>(second) << 20 | node;
          TokenTag tag{};
          store_be(tag.data(), std::uint64_t{1});
          crowd.send(liar, node, Ask{.id = id, .key = key, .tag = tag, .have = {}, .hop = 1, .origin = std::nullopt});
          crowd.send(liar, node, Peek{.id = id, .key = key, .have = {}});
          crowd.send(liar, node, WhoHas{.id = id, .key = key});
          crowd.send(liar, node, Pull{.id = id, .partition = static_cast<std::uint8_t>(key[0] % 64), .have = {}});
        }
    });
}

class Byzantine : public testing::TestWithParam<std::tuple<Lie, std::size_t>> {};
INSTANTIATE_TEST_SUITE_P(Lies, Byzantine,
                         testing::Combine(testing::Values(Lie::ForgedBodies, Lie::AnotherKeys, Lie::StaleBodies,
                                                          Lie::Junk, Lie::Silence, Lie::PauseForEver, Lie::WaitForFetch,
                                                          Lie::WaitForTurn, Lie::PrivateLookups),
                                          testing::Values(1u, 2u, 3u)));

TEST_P(Byzantine, A1_A3_A6_CostsTimeButNeverAnswers) {
  const auto [kind, liars] = GetParam();
  Crowd honest, crowd;
  honest.play(liars);
  lie(crowd, kind, liars);
  crowd.play(liars);
  ASSERT_EQ(honest.totals().wrong, 0u);
  EXPECT_EQ(crowd.totals().wrong, 0u);
  EXPECT_EQ(crowd.totals().leaks, 0u);
  EXPECT_GE(crowd.served(), 0.8 * honest.served());
  // A pause of three in league ends within minutes.
  crowd.run_for(7min);
  honest.run_for(7min);
  EXPECT_EQ(crowd.totals().latencies_ms.size(), honest.totals().latencies_ms.size()) << "every request is answered";
  // Of two in league one stands behind the other for some keys: nobody tells their lie from a fetch that takes long.
  if ((kind == Lie::WaitForFetch || kind == Lie::WaitForTurn) && liars > 1) return;
  EXPECT_LE(crowd.totals().percentile(0.99), honest.totals().percentile(0.99) + 50);
}

// One member with clients of its own puts forged bytes. They reach the others through honest owners, and it is the one
// that is not listened to.
TEST(Blame, FallsOnWhoPublishedAndNotOnWhoHandedOn) {
  Crowd crowd;
  constexpr NodeIndex kForger = 0;
  // Every fetch finds something new, and is put.
  for (std::uint32_t key = 0; key < kKeys; ++key) crowd.set_change_interval(key, 1min);
  crowd.tamper = [](NodeIndex from, NodeIndex, Message& message) {
    if (from != kForger) return true;
    if (auto* put = std::get_if<Put>(&message)) {
      auto forged = std::make_shared<Item>(*put->item);
      forged->body.back() ^= 1;
      put->item = std::move(forged);
    }
    return true;
  };
  const PeerId forger = crowd.mesh(kForger).self().peer;
  std::size_t blamed = 0;
  // A ban outlasts two rounds.
  for (int round = 0; round < 3; ++round) {
    crowd.play(0);
    for (NodeIndex node = 1; node < kMembers; ++node)
      for (const PeerInfo& peer : crowd.mesh(node).peers(crowd.now())) {
        if (peer.banned) EXPECT_EQ(peer.peer, forger) << "seen by " << node;
        blamed += peer.banned ? 1 : 0;
      }
  }
  EXPECT_GE(blamed, kMembers / 2) << crowd.totals().refused_seals << " answers with a wrong seal";
  EXPECT_EQ(crowd.totals().wrong, 0u);
}

// The count of wrong bytes can fail: members that believe what the mesh brings are caught with each kind of bytes.
class WrongBytesAreSeen : public testing::TestWithParam<Lie> {};
INSTANTIATE_TEST_SUITE_P(Lies, WrongBytesAreSeen,
                         testing::Values(Lie::ForgedBodies, Lie::AnotherKeys, Lie::StaleBodies));

TEST_P(WrongBytesAreSeen, OfAMemberThatSkipsTheProof) {
  Crowd crowd;
  lie(crowd, GetParam(), 2);
  crowd.credulous = [](NodeIndex) { return true; };
  crowd.play(2);
  EXPECT_GT(crowd.totals().wrong, 0u);
}

// Who fetched it has the true one, and is asked before GitHub.
TEST(WrongBytes, OfAKeeperCostARoundTripAndNoCharge) {
  Scene scene(3);
  const NodeIndex owner = scene.owner(kKey), second = scene.second(kKey);
  scene.tamper = [&](NodeIndex from, NodeIndex, Message& message) {
    if (from == owner || from == second) each_item(message, [](Item& item) { item.body.back() ^= 1; });
    return true;
  };
  scene.ask(scene.outsider(kKey), kKey);
  EXPECT_EQ(scene.totals().upstream, 1u);
  for (std::size_t which = 1; which < 6; ++which) {
    const Simulator::Answer answer = scene.ask(scene.outsider(kKey, which), kKey);
    EXPECT_FALSE(answer.upstream);
    EXPECT_LE(answer.took, 20ms);
  }
  EXPECT_EQ(scene.totals().refused_seals, 5u);
  EXPECT_EQ(scene.totals().upstream, 1u);
  EXPECT_EQ(scene.totals().wrong, 0u);
}

TEST(WrongBytes, OfABugInOneHonestMemberAreSeen) {
  // Hands out another key's bytes as its own answer to that key; they carry the same version as the right ones.
  Scene scene(3);
  const NodeIndex asker = scene.outsider(kKey), fetcher = scene.outsider(kKey, 1);
  scene.ask(fetcher, kKey + 1);
  scene.ask(fetcher, kKey);
  scene.tamper = [&](NodeIndex, NodeIndex to, Message& message) {
    if (to == asker) each_item(message, [&](Item& item) { item.body[7] = kKey + 1; });
    return true;
  };
  scene.ask(asker, kKey);
  EXPECT_EQ(scene.totals().wrong, 0u) << "the seal is of other bytes: GitHub was asked";
  EXPECT_EQ(scene.totals().upstream, 3u);
  scene.credulous = [&](NodeIndex node) { return node == scene.outsider(kKey, 2); };
  scene.tamper = [&](NodeIndex, NodeIndex to, Message& message) {
    if (to == scene.outsider(kKey, 2)) each_item(message, [&](Item& item) { item.body[7] = kKey + 1; });
    return true;
  };
  scene.ask(scene.outsider(kKey, 2), kKey);
  EXPECT_EQ(scene.totals().wrong, 1u);
}

TEST(Leaks, AreSeen) {
  Scene scene(3);
  scene.ask(scene.outsider(kKey), kKey);
  scene.never_leave.insert(kKey);
  // A member that shares what it was told to keep: it fetched before it knew.
  scene.send(scene.outsider(kKey), scene.owner(kKey), Peek{.id = 1, .key = Simulator::lookup_key_of(kKey), .have = {}});
  scene.run_for(10ms);
  EXPECT_GT(scene.totals().leaks, 0u);
}

}  // namespace
}  // namespace ghmesh::simulate
