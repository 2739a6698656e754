// SPDX-License-Identifier: Apache-2.0
// What a member does about its buckets, and who stands in for a keeper that is silent.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>

#include "draws.hpp"
#include "test_peers.hpp"

namespace ghmesh::mesh {
namespace {

TEST(DrawMember, TellsTheKeeperOfTheTimeAndListensToNobodyElse) {
  SeededRandom random{1};
  const ExchangeLimits limits;
  Bus bus(peer(1), limits, random);
  Draws draws(bus, limits.draws);
  TimePoint now = TimePoint(1h);
  EXPECT_FALSE(draws.is_kept(tag(1)));
  bus.ranks.set(peer(2), 1);
  EXPECT_TRUE(draws.is_kept(tag(1)));
  draws.draw({.bucket = tag(1), .waiting = 3}, now);
  ASSERT_EQ(bus.out.size(), 1u);
  EXPECT_EQ(bus.out[0].to, peer(2));
  draws.on_drawn(peer(3), {.bucket = tag(1), .may_send = 3}, now);
  draws.on_drawn(peer(2), {.bucket = tag(2), .may_send = 3}, now);
  EXPECT_TRUE(draws.take_news().empty());
  draws.on_drawn(peer(2), {.bucket = tag(1), .may_send = 3}, now);
  EXPECT_EQ(draws.take_news().size(), 1u);
  // The next keeper hears of it by itself.
  bus.out.clear();
  bus.ranks.set(peer(2), 0);
  bus.ranks.set(peer(4), 1);
  draws.on_ranks(now);
  draws.tick(now);
  ASSERT_EQ(bus.out.size(), 1u);
  EXPECT_EQ(bus.out[0].to, peer(4));
  EXPECT_EQ(std::get<Draw>(bus.out[0].message).waiting, 3u);
  EXPECT_TRUE(draws.take_unheard().empty());
  // One that stays silent is not waited for, and is looked at.
  now += limits.patience;
  draws.tick(now);
  EXPECT_EQ(draws.take_unheard().size(), 1u);
  now += 1100ms;
  draws.tick(now);
  EXPECT_EQ(bus.doubted, std::vector<PeerId>{peer(4)});
  EXPECT_TRUE(draws.take_unheard().empty()) << "once";
  draws.on_drawn(peer(4), {.bucket = tag(1)}, now);
  draws.draw({.bucket = tag(1), .waiting = 3}, now);
  draws.on_disconnected(peer(4));
  EXPECT_EQ(draws.take_unheard().size(), 1u) << "at once";
}

// Five members with all their roles, and messages between them.
class FleetOfDraws : public ::testing::Test {
 protected:
  struct Node {
    Node(const PeerId& id, const ExchangeLimits& limits, Random& random)
        : bus(id, limits, random), draws(bus, limits.draws) {}
    Bus bus;
    Draws draws;
    Drawn told;
    bool unheard = false;
  };

  FleetOfDraws() {
    for (std::uint8_t n = 1; n <= 5; ++n) nodes.emplace(peer(n), std::make_unique<Node>(peer(n), limits, random));
    for (const auto& [id, node] : nodes)
      for (const auto& [other, unused] : nodes) node->bus.ranks.set(other, 1);
    bucket = tag(1);
    const Ranks::Row& row = nodes.begin()->second->bus.ranks.of(std::uint8_t{1});
    keeper = row[0];
    deputy = row[1];
    third = row[2];
    for (const auto& [id, node] : nodes)
      if (std::ranges::find(row, id) == row.end()) members.push_back(id);
  }
  void ask(const PeerId& who, std::uint32_t waiting) {
    nodes.at(who)->draws.draw({.bucket = bucket, .waiting = waiting}, now);
  }
  // Once something waits it waits for ever, and nothing is sent: counts say what would have been let go.
  void pass(Duration time) {
    for (const TimePoint end = now + time; now < end; now += 10ms) {
      for (const auto& [id, node] : nodes) node->draws.tick(now);
      while (deliver()) continue;
    }
  }
  bool deliver() {
    bool any = false;
    for (const auto& [from, node] : nodes) {
      std::vector<Outgoing> out = std::exchange(node->bus.out, {});
      for (Outgoing& own : std::exchange(node->bus.to_self, {})) out.push_back(std::move(own));
      for (Outgoing& each : out) {
        any = true;
        Node& to = *nodes.at(each.to);
        if (lost(from, each.to)) continue;
        if (const auto* draw = std::get_if<Draw>(&each.message)) to.draws.on_draw(from, *draw, now);
        if (const auto* drawn = std::get_if<Drawn>(&each.message)) to.draws.on_drawn(from, *drawn, now);
      }
      for (Drawn& drawn : node->draws.take_news()) node->told = std::move(drawn);
      if (!node->draws.take_unheard().empty()) node->unheard = true;
    }
    return any;
  }
  std::uint64_t may_send(const PeerId& who) { return nodes.at(who)->told.may_send; }

  SeededRandom random{1};
  ExchangeLimits limits;
  std::map<PeerId, std::unique_ptr<Node>> nodes;
  std::function<bool(const PeerId& from, const PeerId& to)> lost = [](const PeerId&, const PeerId&) { return false; };
  TokenTag bucket{};
  PeerId keeper = nobody(), deputy = nobody(), third = nobody();
  std::vector<PeerId> members;  // in no rank
  TimePoint now = TimePoint(1h);
};

TEST_F(FleetOfDraws, OneThatIsSilentToAllIsStoodInForByTheNext) {
  lost = [&](const PeerId& from, const PeerId&) { return from == keeper; };
  ask(members[0], 40);
  pass(2100ms);
  EXPECT_TRUE(nodes.at(members[0])->unheard);
  EXPECT_EQ(may_send(members[0]), 40u);
  // The others find the same, and have one pace with it.
  ask(members[1], 40);
  ask(third, 40);
  pass(1100ms);
  EXPECT_EQ(may_send(members[0]) + may_send(members[1]) + may_send(third), 60u) << "as many as may be in flight";
  EXPECT_EQ(nodes.at(deputy)->draws.kept(), 1u);
  EXPECT_EQ(nodes.at(third)->draws.kept(), 0u);
  EXPECT_EQ(nodes.at(deputy)->bus.doubted, std::vector<PeerId>{}) << "it asked only on behalf of others";
}

// What waits goes after a moment without leave, and the next one waits anew: that is no word of the keeper's.
TEST_F(FleetOfDraws, ASilentKeeperIsPassedOverAlsoByWhoNeverWaitsLong) {
  lost = [&](const PeerId& from, const PeerId&) { return from == keeper; };
  for (int i = 0; i < 4; ++i) {
    ask(members[0], 1);
    pass(300ms);
    ask(members[0], 0);
    pass(300ms);
  }
  EXPECT_EQ(nodes.at(members[0])->bus.doubted, std::vector<PeerId>{keeper});
  ask(members[0], 1);
  pass(600ms);
  EXPECT_EQ(may_send(members[0]), 1u);
}

// Its silence is looked at every second, which must not begin the wait anew.
TEST_F(FleetOfDraws, OfASilentKeeperTheCallerHearsHoweverLongThePatience) {
  limits.patience = 2s;
  lost = [&](const PeerId& from, const PeerId&) { return from == keeper; };
  ask(members[0], 40);
  pass(1900ms);
  EXPECT_FALSE(nodes.at(members[0])->unheard);
  pass(200ms);
  EXPECT_TRUE(nodes.at(members[0])->unheard);
}

TEST_F(FleetOfDraws, TwoThatAreSilentAreStoodInForByTheThird) {
  lost = [&](const PeerId& from, const PeerId&) { return from == keeper || from == deputy; };
  ask(members[0], 40);
  pass(3200ms);
  EXPECT_EQ(may_send(members[0]), 40u);
  ask(third, 20);
  pass(2100ms);
  EXPECT_EQ(may_send(third), 20u) << "it is told so by itself";
}

TEST_F(FleetOfDraws, NobodyStandsInForOneThatIsSilentToOneMemberOnly) {
  lost = [&](const PeerId& from, const PeerId& to) { return from == keeper && to == members[0]; };
  ask(members[0], 40);
  pass(20s);
  EXPECT_EQ(may_send(members[0]), 0u);
  EXPECT_EQ(nodes.at(deputy)->draws.kept(), 0u);
  EXPECT_EQ(nodes.at(third)->draws.kept(), 0u);
  EXPECT_TRUE(nodes.at(members[0])->unheard);
  // What the deputy asked for takes nothing from anybody.
  lost = [](const PeerId&, const PeerId&) { return false; };
  ask(members[1], 60);
  pass(5100ms);
  EXPECT_EQ(may_send(members[0]) + may_send(members[1]), 60u);
}

TEST_F(FleetOfDraws, AReadingThatWasLostIsToldAgain) {
  const auto draw = [&](const PeerId& who, std::vector<RateRow> rates) {
    nodes.at(who)->draws.draw({.bucket = bucket, .rates = std::move(rates)}, now);
  };
  draw(members[0], {});
  pass(600ms);
  lost = [&](const PeerId&, const PeerId& to) { return to == members[0]; };
  draw(members[1], {{.peer = members[1], .resource = 0, .limit = 5000, .remaining = 4999, .used = 1, .reset = 9}});
  pass(2s);
  lost = [](const PeerId&, const PeerId&) { return false; };
  EXPECT_TRUE(nodes.at(members[0])->told.rates.empty());
  // It speaks every few seconds.
  draw(members[0], {});
  pass(600ms);
  EXPECT_EQ(nodes.at(members[0])->told.rates.size(), 1u);
}

// Also by members that want nothing more than to know.
TEST_F(FleetOfDraws, OneThatSpeaksAgainTellsItsReadingsToThoseThatPassedItOver) {
  const auto reading = [&](std::uint32_t used) {
    return RateRow{
        .peer = members[1], .resource = 0, .limit = 5000, .remaining = 5000 - used, .used = used, .reset = 9};
  };
  const auto draw = [&](const PeerId& who, std::uint32_t waiting, std::vector<RateRow> rates) {
    nodes.at(who)->draws.draw({.bucket = bucket, .waiting = waiting, .rates = std::move(rates)}, now);
  };
  lost = [&](const PeerId& from, const PeerId&) { return from == keeper; };
  draw(members[0], 5, {});
  draw(members[1], 5, {reading(1)});
  pass(5s);
  draw(members[0], 0, {});
  draw(members[1], 0, {reading(2)});
  pass(5s);
  lost = [&](const PeerId& from, const PeerId&) { return from == deputy; };
  draw(members[1], 0, {reading(3)});
  for (int i = 0; i < 3; ++i) {
    pass(1s);
    draw(members[0], 0, {});
  }
  pass(1s);
  const std::vector<RateRow>& rates = nodes.at(members[0])->told.rates;
  ASSERT_EQ(rates.size(), 1u);
  EXPECT_EQ(rates[0].used, 3u);
}

TEST_F(FleetOfDraws, OneThatSpeaksAgainIsListenedToAgain) {
  lost = [&](const PeerId& from, const PeerId&) { return from == keeper; };
  ask(members[0], 40);
  pass(10s);
  lost = [](const PeerId&, const PeerId&) { return false; };
  pass(2100ms);
  nodes.at(members[0])->told = {};
  lost = [&](const PeerId& from, const PeerId&) { return from == deputy; };
  pass(600ms);
  EXPECT_EQ(may_send(members[0]), 40u) << "from the keeper";
  pass(2min);
  EXPECT_EQ(nodes.at(deputy)->draws.kept(), 0u);
}

}  // namespace
}  // namespace ghmesh::mesh
