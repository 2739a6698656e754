// SPDX-License-Identifier: Apache-2.0
#include "mesh_stage.hpp"

// What the members of a mesh do with one token together: one pace, one view of what is left. Figures are the
// stand-in's.

namespace ghmesh::scenario {
namespace {

class FleetPace : public MeshStage {
 protected:
  void form(std::size_t nodes) {
    NodeOptions options = quick();
    options.reserve_percent = reserve;
    for (std::size_t i = 0; i < nodes; ++i) join(options);
    settle();
  }

  // One question after the other, each of them GitHub's to answer; after a refusal it waits a little, as clients do.
  io::Task<> client(Node& n, std::size_t number, TimePoint end) {
    ++running;
    while (loop.now() < end) {
      const std::string target = root + "/issues/" + std::to_string(1 + number % 30) + "?n=" + std::to_string(number);
      const std::shared_ptr<Got> got = n.start({"GET", target, kAlice});
      while (!got->done) co_await loop.sleep_for(20ms);
      ++statuses[got->status];
      ++answered[&n];
      if (got->status != 200) co_await loop.sleep_for(5s);
    }
    --running;
  }
  // All of them begin in the same instant.
  void hammer(std::size_t clients_each, Duration time) {
    origin.record = false;
    origin.latency = 100ms;
    const TimePoint end = loop.now() + time;
    std::size_t number = 0;
    for (const auto& member : members_)
      for (std::size_t i = 0; i < clients_each; ++i) tasks->spawn(client(*member->node, ++number, end));
    const std::uint64_t before = upstream();
    loop.run_until([&] { return loop.now() >= end; }, time + 1s);
    sent = upstream() - before;
    finish();
  }
  void finish() {
    EXPECT_TRUE(loop.run_until([&] { return running == 0; }, 2min));
  }
  std::optional<github::QuotaView> view(const Member& member) {
    for (const github::QuotaView& each : member.node->quota.ledger().view(loop.wall_now()))
      if (each.resource == "core") return each;
    return std::nullopt;
  }

  std::size_t running = 0;
  int reserve = 0;
  std::uint64_t sent = 0;
  std::map<int, std::size_t> statuses;
  std::map<Node*, std::size_t> answered;
  int number_ = 0;
};

// GitHub lets 900 points a minute pass on an endpoint.
constexpr std::uint64_t kMinute = 900;

TEST_F(FleetPace, FiveNodesOnOneTokenInBurstsMeetNoSecondaryLimitAndLoseNoPace) {
  form(5);
  hammer(20, 60s);
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
  EXPECT_GE(sent, kMinute * 9 / 10);
  EXPECT_LE(sent, kMinute);
  EXPECT_LE(origin.most_in_flight, 65u) << "sixty, and each node's first";
  std::size_t least = ~std::size_t{0}, most = 0;
  for (const auto& [node, count] : answered) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  EXPECT_GE(least * 2, most) << "a share each";
}

TEST_F(FleetPace, FiftyNodesOnOneTokenInBurstsMeetNoSecondaryLimitAndLoseNoPace) {
  form(50);
  hammer(2, 60s);
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
  EXPECT_GE(sent, kMinute * 9 / 10);
  EXPECT_LE(sent, kMinute);
  EXPECT_LE(origin.most_in_flight, 60u);
  EXPECT_EQ(answered.size(), 50u);
}

TEST_F(FleetPace, WhatIdleMembersLeaveTheOthersTakeWithinTwoSeconds) {
  form(5);
  hammer(20, 30s);
  // Four fall silent; the fifth has the whole pace.
  Node& last = *members_[0]->node;
  loop.advance(2s);
  const TimePoint end = loop.now() + 20s;
  for (std::size_t i = 0; i < 40; ++i) tasks->spawn(client(last, 1000 + i, end));
  const std::uint64_t before = upstream();
  loop.run_until([&] { return loop.now() >= end; }, 21s);
  EXPECT_GE(upstream() - before, 20u * 12 * 9 / 10);
  finish();
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
}

TEST_F(FleetPace, TheKeepersDeathCostsNoSecondaryLimitAndThePaceGoesOn) {
  form(6);
  origin.record = false;
  origin.latency = 100ms;
  const TimePoint begin = loop.now();
  const TimePoint end = begin + 60s;
  const auto keeper = members_[0]->link->mesh().ranks_of([&] {
    mesh::LookupKey key{};
    std::ranges::copy(tag_of(kAlice), key.begin());
    key.back() = tag_of(kAlice).back();
    return key;
  }())[0];
  std::size_t number = 0;
  for (const auto& member : members_)
    for (std::size_t i = 0; i < 20; ++i)
      if (member->host->id() != keeper) tasks->spawn(client(*member->node, ++number, end));
  loop.run_until([&] { return loop.now() >= begin + 20s; }, 21s);
  for (const auto& member : members_)
    if (member->host->id() == keeper) net.kill(member->address);
  loop.run_until([&] { return loop.now() >= begin + 30s; }, 11s);
  const std::uint64_t before = upstream();
  loop.run_until([&] { return loop.now() >= end; }, 31s);
  EXPECT_GE(upstream() - before, 30u * 12 * 9 / 10);
  finish();
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
}

TEST_F(FleetPace, AQuietMemberAsksWithoutWaitingForAWord) {
  form(3);
  for (const auto& member : members_) {
    const Got got = get(*member->node, root + "/issues/1?n=" + std::to_string(++number_), kAlice);
    EXPECT_EQ(got.status, 200);
    EXPECT_LE(got.took, origin.latency + 20ms);
  }
}

TEST_F(FleetPace, EveryMemberKnowsTheNewestReadingAndWhoSpentWhat) {
  form(3);
  for (int i = 1; i <= 4; ++i) get(*members_[0]->node, root + "/issues/" + std::to_string(i), kAlice);
  for (int i = 5; i <= 7; ++i) get(*members_[1]->node, root + "/issues/" + std::to_string(i), kAlice);
  get(*members_[2]->node, root + "/issues/8", kAlice);
  // Somebody asks GitHub directly.
  standin::Request elsewhere{"GET", root, {{"User-Agent", "curl/8"}, {"Authorization", kAlice}}, ""};
  for (int i = 0; i < 5; ++i) github.handle(elsewhere, loop.wall_now());
  get(*members_[2]->node, root + "/issues/9", kAlice);
  loop.advance(3s);
  const std::vector<std::int64_t> spent{4, 3, 2};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto seen = view(*members_[i]);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->used, 14) << i;
    EXPECT_EQ(seen->remaining, 4986) << i;
    EXPECT_EQ(seen->spent_by_this_node, spent[i]);
    EXPECT_EQ(seen->spent_by_members, 9 - spent[i]);
    EXPECT_EQ(seen->spent_by_others, 5);
    EXPECT_EQ(seen->spent_by_member.size(), 2u);
  }
  // An answer from the store says it, too; and the dead keep what they spent.
  net.kill(members_[1]->address);
  loop.advance(20s);
  EXPECT_EQ(view(*members_[0])->spent_by_members, 5);
  EXPECT_EQ(members_[0]->node->quota.lines(members_[0]->node->plan({"GET", root + "/issues/1", kAlice})).substr(0, 72),
            "x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4986\r\nx-ratelimit-used: ");
}

TEST_F(FleetPace, TokensAreCountedApart) {
  form(2);
  get(*members_[0]->node, root + "/issues/1", kAlice);
  get(*members_[1]->node, root + "/issues/2", kCarol);
  loop.advance(3s);
  for (const auto& member : members_) {
    ASSERT_EQ(member->node->quota.ledger().size(), 1u);
    EXPECT_EQ(view(*member)->spent_by_members, 0);
  }
}

// A member without any node behind it, which says of a token whatever it likes.
TEST_F(FleetPace, AMemberThatSaysThatNothingIsLeftStopsOthersForHalfAMinuteAndIsNotBelievedAgain) {
  form(2);
  Member& liar = speaker();
  settle();
  Node& honest = *members_[0]->node;
  ASSERT_EQ(get(honest, root + "/issues/1", kAlice).status, 200);
  const auto lie = [&] {
    mesh::RateRow row{.peer = liar.host->id(), .resource = 0, .limit = 5000, .remaining = 0, .used = 5000};
    row.reset = static_cast<std::uint64_t>(view(*members_[0])->reset);
    liar.link->draw({.bucket = tag_of(kAlice), .rates = {row}});
  };
  lie();
  loop.advance(2s);
  EXPECT_EQ(view(*members_[0])->remaining, 0);
  EXPECT_EQ(get(honest, root + "/issues/2", kAlice).status, 403);
  loop.advance(30s);
  EXPECT_EQ(get(honest, root + "/issues/3", kAlice).status, 200) << "one finds out";
  for (int i = 4; i < 10; ++i) {
    lie();
    loop.advance(2s);
    EXPECT_EQ(get(honest, root + "/issues/" + std::to_string(i), kAlice).status, 200);
  }
}

TEST_F(FleetPace, TheReserveIsKeptByWhatTheFleetSpent) {
  github.quota.rules.user_core = 20;
  reserve = 50;
  form(2);
  for (int i = 1; i <= 10; ++i)
    EXPECT_EQ(get(*members_[0]->node, root + "/issues/" + std::to_string(i), kAlice).status, 200);
  // This one has asked GitHub nothing, but introduced itself.
  EXPECT_EQ(get(*members_[1]->node, root + "/issues/11", kAlice).status, 200);
  loop.advance(3s);
  EXPECT_EQ(get(*members_[0]->node, root + "/issues/12", kAlice).status, 403);
  EXPECT_EQ(get(*members_[1]->node, root + "/issues/13", kAlice).status, 403);
  EXPECT_LE(github.journal.total().charged, 11u);
}

}  // namespace
}  // namespace ghmesh::scenario
