// SPDX-License-Identifier: Apache-2.0
#include "mesh/membership/membership.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

namespace ghmesh::mesh {
namespace {

PeerId peer(std::uint32_t n) {
  std::array<std::uint8_t, 6> raw{0, 4};
  store_be(raw.data() + 2, n);
  return *PeerId::decode(raw);
}

// Members joined by a network with 1 ms of delay in virtual time, which a test may cut.
struct Cluster {
  struct Flight {
    PeerId from, to;
    Message message;
  };

  void add(std::uint32_t n, std::optional<std::uint32_t> contact = std::nullopt) {
    auto node = std::make_unique<Membership>(SelfDescription{.peer = peer(n)}, MembershipLimits{}, random, now);
    if (contact) node->on_admitted(peer(*contact), {}, now);
    nodes[peer(n)] = std::move(node);
  }
  void kill(std::uint32_t n) { nodes.erase(peer(n)); }
  Membership& at(std::uint32_t n) { return *nodes.at(peer(n)); }

  void run(Duration time) {
    const TimePoint until = now + time;
    while (true) {
      TimePoint next = until;
      if (!flights.empty()) next = std::min(next, flights.begin()->first);
      for (auto& [id, node] : nodes) next = std::min(next, node->next_deadline());
      now = std::max(now, next);
      while (!flights.empty() && flights.begin()->first <= now) {
        Flight flight = std::move(flights.begin()->second);
        flights.erase(flights.begin());
        const auto it = nodes.find(flight.to);
        if (it == nodes.end() || (cut && cut(flight.from, flight.to))) continue;
        it->second->on_message(flight.from, flight.message, now);
      }
      for (auto& [id, node] : nodes) {
        if (node->next_deadline() <= now) node->tick(now);
        for (Outgoing& out : node->take_outgoing()) {
          ++sent;
          syncs += std::holds_alternative<Sync>(out.message) ? 1 : 0;
          flights.emplace(now + 1ms, Flight{id, out.to, std::move(out.message)});
        }
        node->take_changed(now);
      }
      if (now >= until) return;
    }
  }
  std::size_t seeing(std::uint32_t n) {
    std::size_t count = 0;
    for (auto& [id, node] : nodes) {
      const Member* member = node->find(peer(n));
      count += member != nullptr && member->in_mesh() ? 1 : 0;
    }
    return count;
  }

  SeededRandom random{1};
  TimePoint now = TimePoint(1h);
  std::map<PeerId, std::unique_ptr<Membership>> nodes;
  std::multimap<TimePoint, Flight> flights;
  std::function<bool(const PeerId&, const PeerId&)> cut;
  std::uint64_t sent = 0;
  std::uint64_t syncs = 0;
};

TEST(Membership, AnyOneContactIsEnough) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 20; ++i) {
    cluster.add(i, i - 1);
    cluster.run(100ms);
  }
  cluster.run(4s);
  for (std::uint32_t i = 0; i < 20; ++i) {
    EXPECT_EQ(cluster.at(i).live_count(), 19u);
    EXPECT_EQ(cluster.at(i).digest(), cluster.at(0).digest());
  }
}

TEST(Membership, NewsReachesAHundredInTwoSeconds) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 100; ++i) cluster.add(i, 0);
  cluster.run(20s);
  ASSERT_EQ(cluster.seeing(57), 100u);
  cluster.add(500, 42);
  cluster.run(2s);
  EXPECT_GE(cluster.seeing(500), 100u);
}

TEST(Membership, ADeadMemberIsDeadInTenSecondsAndNobodyElse) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 20; ++i) cluster.add(i, 0);
  cluster.run(10s);
  cluster.kill(7);
  cluster.run(10s);
  EXPECT_EQ(cluster.seeing(7), 0u);
  for (std::uint32_t i = 0; i < 20; ++i)
    if (i != 7) EXPECT_EQ(cluster.seeing(i), 19u);
}

TEST(Membership, DoubtFromTheDataPathIsQuicker) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 10; ++i) cluster.add(i, 0);
  cluster.run(10s);
  cluster.kill(7);
  for (std::uint32_t i = 0; i < 4; ++i) cluster.at(i).doubt(peer(7), cluster.now);
  cluster.run(4s);
  EXPECT_EQ(cluster.seeing(7), 0u);
}

TEST(Membership, OneBadLinkKillsNobody) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 10; ++i) cluster.add(i, 0);
  cluster.run(5s);
  cluster.cut = [](const PeerId& a, const PeerId& b) {
    return (a == peer(1) && b == peer(2)) || (a == peer(2) && b == peer(1));
  };
  cluster.run(60s);
  EXPECT_EQ(cluster.seeing(1), 10u);
  EXPECT_EQ(cluster.seeing(2), 10u);
}

TEST(Membership, ASplitHeals) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 12; ++i) cluster.add(i, 0);
  cluster.run(8s);
  cluster.cut = [](const PeerId& a, const PeerId& b) { return (a < peer(6)) != (b < peer(6)); };
  cluster.run(60s);
  EXPECT_EQ(cluster.at(0).live_count(), 5u);
  cluster.cut = {};
  cluster.run(30s);
  for (std::uint32_t i = 0; i < 12; ++i) EXPECT_EQ(cluster.at(i).live_count(), 11u) << i;
}

TEST(Membership, ARestartedMemberComesBackYoung) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 6; ++i) cluster.add(i, 0);
  cluster.run(60s);
  cluster.kill(3);
  cluster.run(15s);
  EXPECT_EQ(cluster.seeing(3), 0u);
  cluster.add(3, 1);
  cluster.run(3s);
  EXPECT_EQ(cluster.seeing(3), 6u);
  const Member* member = cluster.at(1).find(peer(3));
  EXPECT_FALSE(cluster.at(1).owns_keys(*member, cluster.now));
  cluster.run(3s);
  EXPECT_TRUE(cluster.at(1).owns_keys(*member, cluster.now));
}

TEST(Membership, ThoseThatStartTogetherOwnKeysAtOnceAndLaterOnesAtTheirTime) {
  Cluster cluster;
  const auto owns = [&](std::uint32_t seen_by, std::uint32_t n) {
    const Member* member = cluster.at(seen_by).find(peer(n));
    return member != nullptr && cluster.at(seen_by).owns_keys(*member, cluster.now);
  };
  cluster.add(0);
  EXPECT_EQ(cluster.at(0).take_changed(cluster.now).front(), peer(0));
  EXPECT_TRUE(owns(0, 0)) << "a fleet of one";
  for (std::uint32_t i = 1; i < 4; ++i) cluster.add(i, 0);
  cluster.run(200ms);
  cluster.add(4, 1);
  cluster.run(4s);
  for (std::uint32_t by = 0; by < 5; ++by)
    for (std::uint32_t n = 0; n < 5; ++n) EXPECT_TRUE(owns(by, n)) << by << " sees " << n;
  cluster.run(1s);
  cluster.add(5, 2);
  cluster.run(1s);
  for (std::uint32_t by = 0; by < 6; ++by) EXPECT_FALSE(owns(by, 5)) << by;
  EXPECT_TRUE(owns(5, 0)) << "who comes later learns who was first";
  for (std::uint32_t by = 0; by < 6; ++by) EXPECT_TRUE(owns(by, 4)) << by;
  cluster.run(5s);
  for (std::uint32_t by = 0; by < 6; ++by) EXPECT_TRUE(owns(by, 5)) << by;
}

// Who joins after a death never hears of it, and that is no difference of views: comparing them would cost 16 bytes for
// each member every few seconds, and take the turn of a comparison that has something to tell.
TEST(Membership, TheDeadAreNoDifference) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 20; ++i) cluster.add(i, 0);
  cluster.run(20s);
  cluster.kill(7);
  cluster.at(8).leave(cluster.now);
  cluster.run(10ms);
  cluster.kill(8);
  cluster.run(30s);
  cluster.add(100, 1);
  cluster.run(10s);
  for (auto& [id, node] : cluster.nodes) {
    EXPECT_EQ(node->live_count(), 18u);
    EXPECT_EQ(node->digest(), cluster.at(0).digest());
  }
  EXPECT_EQ(cluster.at(100).find(peer(7)), nullptr);
  EXPECT_NE(cluster.at(0).find(peer(7)), nullptr);
  cluster.syncs = 0;
  cluster.run(60s);
  EXPECT_EQ(cluster.syncs, 0u);
}

// A member that every message of an end passed by learns it from the first one who pings it.
TEST(Membership, ALostGoodByeIsMadeUpFor) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 50; ++i) cluster.add(i, 0);
  cluster.run(30s);
  cluster.cut = [](const PeerId&, const PeerId& to) { return to == peer(33); };
  cluster.at(12).leave(cluster.now);
  cluster.run(10ms);
  cluster.kill(12);
  cluster.run(700ms);
  ASSERT_EQ(cluster.seeing(12), 1u);
  cluster.cut = {};
  cluster.run(2s);
  EXPECT_EQ(cluster.seeing(12), 0u);
}

TEST(Membership, LeavingAndDrainingAreToldAtOnce) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 20; ++i) cluster.add(i, 0);
  cluster.run(10s);
  cluster.at(5).drain(cluster.now);
  cluster.run(1500ms);
  for (std::uint32_t i = 0; i < 20; ++i)
    EXPECT_FALSE(cluster.at(i).owns_keys(*cluster.at(i).find(peer(5)), cluster.now)) << i;
  cluster.at(5).leave(cluster.now);
  cluster.run(10ms);
  cluster.kill(5);
  cluster.run(1500ms);
  EXPECT_EQ(cluster.seeing(5), 0u);
}

TEST(Membership, WhoComesIsKnownHoweverManyHaveGone) {
  SeededRandom random{1};
  TimePoint now(1h);
  Membership node({.peer = peer(0)}, {.members = 20}, random, now);
  const auto hear = [&](std::uint32_t n, MemberState state) {
    node.on_message(peer(1), News{.updates = {{.peer = peer(n), .state = state}}}, now);
    node.take_outgoing();
    node.take_changed(now);
  };
  hear(1, MemberState::Alive);
  for (std::uint32_t n = 100; n < 200; ++n, now += 1s) {
    hear(n, MemberState::Alive);
    ASSERT_EQ(node.live_count(), 2u) << n;
    hear(n, MemberState::Left);
  }
  EXPECT_NE(node.find(peer(199)), nullptr);
  EXPECT_EQ(node.find(peer(100)), nullptr) << "who left first is forgotten first";
  // Who lives is forgotten for nobody.
  for (std::uint32_t n = 200; n < 250; ++n) hear(n, MemberState::Alive);
  EXPECT_EQ(node.live_count(), 20u);
  EXPECT_NE(node.find(peer(1)), nullptr);
}

TEST(Membership, AQuietMeshIsQuiet) {
  Cluster cluster;
  cluster.add(0);
  for (std::uint32_t i = 1; i < 50; ++i) cluster.add(i, 0);
  cluster.run(30s);
  cluster.sent = 0;
  cluster.run(10s);
  EXPECT_LT(cluster.sent, 50u * 10u * 3u) << "one ping and one pong a second and member";
}

}  // namespace
}  // namespace ghmesh::mesh
