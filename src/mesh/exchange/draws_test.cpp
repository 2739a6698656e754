// SPDX-License-Identifier: Apache-2.0
// What a bucket's keeper lets its members do, and tells them.
#include "draws.hpp"

#include <gtest/gtest.h>

#include <map>

#include "test_peers.hpp"

namespace ghmesh::mesh {
namespace {

// The keeper of everything, and what it says to its members.
class KeeperTest : public ::testing::Test {
 protected:
  KeeperTest() { bus.ranks.set(self, 1); }

  struct Sender {
    Draw draw;
    Drawn told;
    std::vector<RateRow> rates;
    bool deaf = false;
  };
  Sender& member(std::uint8_t n) {
    Sender& sender = members[peer(n)];
    sender.draw.bucket = tag(1);
    return sender;
  }
  void say(std::uint8_t n) {
    draws.on_draw(peer(n), member(n).draw, now);
    collect();
  }
  void collect() {
    for (Outgoing& each : std::exchange(bus.out, {})) {
      Sender& sender = members[each.to];
      if (sender.deaf) continue;
      sender.told = std::get<Drawn>(each.message);
      if (sender.told.since <= sender.draw.heard) sender.draw.heard = sender.told.until;
      for (const RateRow& row : sender.told.rates) sender.rates.push_back(row);
    }
  }
  // Sends all it may, and says what it did.
  std::uint64_t use(std::uint8_t n, std::uint32_t wants) {
    Sender& sender = member(n);
    const std::uint64_t may = sender.told.may_send > sender.draw.sent ? sender.told.may_send - sender.draw.sent : 0;
    const std::uint64_t sends = std::min<std::uint64_t>(may, sender.draw.waiting);
    sender.draw.sent += sends;
    sender.draw.waiting = wants;
    say(n);
    return sends;
  }
  void pass(Duration time) {
    for (const TimePoint end = now + time; now < end; now += 10ms) {
      draws.tick(now);
      collect();
    }
  }

  SeededRandom random{1};
  ExchangeLimits limits;
  PeerId self = peer(200);
  Bus bus{self, limits, random};
  Draws draws{bus, limits.draws};
  TimePoint now = TimePoint(1h);
  std::map<PeerId, Sender> members;
};

TEST_F(KeeperTest, OneAloneGetsTheWholeBurstAndThenThePace) {
  member(1).draw.waiting = 1000;
  say(1);
  EXPECT_EQ(member(1).told.may_send, 60u) << "as many as may be in flight";
  std::uint64_t sent = 0;
  for (const TimePoint end = now + 60s; now < end; now += 20ms) {
    sent += use(1, 1000);
    draws.tick(now);
    collect();
  }
  EXPECT_GE(sent, 870u);
  EXPECT_LE(sent, 881u);
}

TEST_F(KeeperTest, FiveShareEvenlyAndTogetherKeepToOnePace) {
  std::map<std::uint8_t, std::uint64_t> sent;
  for (std::uint8_t n = 1; n <= 5; ++n) member(n).draw.waiting = 100;
  std::uint64_t all = 0;
  const TimePoint begin = now;
  for (; now < begin + 60s; now += 20ms) {
    for (std::uint8_t n = 1; n <= 5; ++n) {
      const std::uint64_t more = use(n, 100);
      all += more;
      // Of the burst, who comes first has most.
      if (now >= begin + 20s) sent[n] += more;
    }
    draws.tick(now);
    collect();
  }
  for (const auto& [n, count] : sent) EXPECT_NEAR(static_cast<double>(count), 96, 2) << int{n};
  EXPECT_GE(all, 870u);
  EXPECT_LE(all, 881u);
  EXPECT_EQ(member(1).told.drawing, 5u);
}

TEST_F(KeeperTest, WhatSomebodyLeavesUnusedGoesToTheOthersAtOnce) {
  member(1).draw.waiting = member(2).draw.waiting = 30;
  say(1);
  say(2);
  EXPECT_EQ(member(1).told.may_send + member(2).told.may_send, 60u) << "the house is full";
  member(1).draw.waiting = 0;  // its clients went away
  say(1);
  use(2, 60);
  EXPECT_EQ(member(2).told.may_send, 90u);
}

TEST_F(KeeperTest, WhoDiesInFlightHoldsUpNobody) {
  member(1).draw.waiting = 60;
  say(1);
  member(1).draw = {.bucket = tag(1), .sent = 60, .in_flight = 60};
  say(1);
  member(2).draw.waiting = 40;
  say(2);
  EXPECT_EQ(member(2).told.may_send, 0u) << "all places were lent";
  draws.on_gone(peer(1), now);
  pass(100ms);
  EXPECT_EQ(member(2).told.may_send, 40u);
  // Or falls silent.
  member(3).draw = {.bucket = tag(1), .in_flight = 200};
  say(3);
  use(2, 80);
  EXPECT_EQ(member(2).told.may_send - member(2).draw.sent, 15u) << "of two that draw, it is believed to hold 45";
  for (int i = 0; i < 6; ++i) {
    pass(1s);
    say(2);
  }
  EXPECT_EQ(member(2).told.may_send - member(2).draw.sent, 60u);
}

TEST_F(KeeperTest, FiftyMembersTogetherHaveNoMoreThanSixtyInFlight) {
  constexpr std::uint8_t kMembers = 50;
  for (std::uint8_t n = 1; n <= kMembers; ++n) member(n).draw.waiting = 3;
  std::uint32_t most = 0, in_flight = 0;
  for (int round = 0; round < 5; ++round) {
    for (std::uint8_t n = 1; n <= kMembers; ++n) {
      Sender& sender = member(n);
      const auto sends =
          static_cast<std::uint32_t>(std::max(sender.told.may_send, sender.draw.sent) - sender.draw.sent);
      sender.draw.sent += sends;
      sender.draw.in_flight += sends;
      in_flight += sends;
      say(n);
    }
    most = std::max(most, in_flight);
  }
  EXPECT_EQ(most, 60u);
  // As soon as they are answered, others go.
  for (std::uint8_t n = 1; n <= kMembers; ++n) member(n).draw.in_flight = 0;
  for (std::uint8_t n = 1; n <= kMembers; ++n) say(n);
  std::uint64_t more = 0;
  for (std::uint8_t n = 1; n <= kMembers; ++n) more += member(n).told.may_send - member(n).draw.sent;
  EXPECT_EQ(more, 60u);
}

TEST_F(KeeperTest, WhoKeepsItsPlacesForEverKeepsNoMoreThanAShare) {
  member(1).draw.waiting = 60;
  say(1);
  member(1).draw.sent = member(1).draw.in_flight = 60;
  say(1);
  std::uint64_t sent = 0;
  member(2).draw.waiting = 5;
  for (const TimePoint end = now + 60s; now < end; now += 20ms) {
    say(1);
    sent += use(2, 5);
    draws.tick(now);
    collect();
  }
  EXPECT_GE(sent, 40u * 12) << "one life of a request, or two, the places are waited for";
}

TEST_F(KeeperTest, ANewKeeperLeavesRoomForThoseWhomItHasNotHeardOf) {
  member(1).draw = {.bucket = tag(1), .sent = 50, .recent = 10, .drawing = 3, .in_flight = 10, .waiting = 60};
  bus.members = 5;
  say(1);
  EXPECT_EQ(member(1).told.may_send - 50, 10u) << "twenty places each of the two others";
  member(2).draw = {.bucket = tag(1), .sent = 30, .recent = 10, .drawing = 3, .in_flight = 2};
  say(2);
  say(1);
  EXPECT_EQ(member(1).told.may_send - 50, 28u);
  pass(5s);
  say(1);
  EXPECT_EQ(member(1).told.may_send - 50, 35u) << "a third is not there; of two that draw, one gets 45";
}

TEST_F(KeeperTest, ANewKeeperKnowsFromTheMembersWhatWasSentLately) {
  member(1).draw = {.bucket = tag(1), .sent = 5000, .recent = 90, .waiting = 200};
  member(2).draw = {.bucket = tag(1), .sent = 7000, .recent = 60, .waiting = 200};
  say(2);
  say(1);
  const auto granted = [&] {
    return member(1).told.may_send - member(1).draw.sent + member(2).told.may_send - member(2).draw.sent;
  };
  EXPECT_EQ(granted(), 60u) << "what the first one may have, as nobody else was known";
  for (int i = 0; i < 10; ++i) {
    use(1, 200);
    use(2, 200);
  }
  // 160 for all of them, less what both had sent before.
  EXPECT_LE(member(1).draw.sent + member(2).draw.sent, 12'000u + 100);
}

TEST_F(KeeperTest, WhatWasSentWithoutLeaveIsTakenOffButALiarTakesLittleMoreThanItsShare) {
  member(1).draw = {.bucket = tag(1), .waiting = 10};
  say(1);
  member(9).draw = {.bucket = tag(1)};
  say(9);
  std::uint64_t sent = 0;
  for (const TimePoint end = now + 60s; now < end; now += 20ms) {
    member(9).draw.sent += 1'000'000;
    member(9).draw.in_flight = 4'000'000;
    say(9);
    sent += use(1, 10);
    draws.tick(now);
    collect();
  }
  EXPECT_GE(sent, 100u);  // of 880
}

TEST_F(KeeperTest, WritesHaveAPaceOfTheirOwnAndTakeNoPlaceWhileTheyWait) {
  member(1).draw = {.bucket = tag(1), .waiting = 60, .waiting_writes = 50};
  say(1);
  EXPECT_EQ(member(1).told.may_write, 8u);
  EXPECT_EQ(member(1).told.may_send, 18u);  // ten reads, and the writes that may go
  pass(20s);
  EXPECT_GE(member(1).told.may_write, 13u);
  EXPECT_LE(member(1).told.may_write, 14u) << "without a word it is gone after 5 s";
}

TEST_F(KeeperTest, NobodyDrivesOutWhatOthersShareByNamingManyTokens) {
  for (const std::uint8_t n : {1, 2}) {
    member(n).draw = {.bucket = tag(1), .waiting = 30};
    say(n);
  }
  for (std::uint32_t i = 0; i < 2 * limits.draws.buckets; ++i) {
    Draw draw{.bucket = tag(9), .waiting = 1};
    store_be(draw.bucket.data(), i);
    now += 1ms;
    draws.on_draw(peer(9), draw, now);
  }
  collect();
  EXPECT_LE(draws.kept(), limits.draws.buckets);
  say(1);
  EXPECT_EQ(member(1).told.drawing, 2u);
}

// A runner per job: in an hour many more draw on a token than there are members at any time.
TEST_F(KeeperTest, HoweverManyHaveComeAndGoneANewcomerIsHeard) {
  bus.members = 2;
  for (std::uint16_t n = 0; n < 1500; ++n) {
    const PeerId runner = *PeerId::decode(
        std::array<std::uint8_t, 4>{0, 2, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
    draws.on_draw(runner, {.bucket = tag(1), .waiting = 1}, now);
    collect();
    ASSERT_EQ(members[runner].told.may_send, 1u) << "of number " << n;
    draws.on_draw(runner, {.bucket = tag(1), .sent = 1, .recent = 1}, now);
    collect();
    if (n % 2 == 0) draws.on_gone(runner, now);
    pass(200ms);
  }
}

TEST_F(KeeperTest, EachHearsWhatTheOthersSawOnceAndOfThemselvesOnly) {
  const RateRow row{
      .peer = peer(99), .resource = 0, .limit = 5000, .remaining = 4000, .used = 1000, .reset = 9, .spent = 7};
  for (std::uint8_t n = 1; n <= 3; ++n) {
    member(n).draw.rates = {row};
    member(n).draw.rates[0].spent = n;
    say(n);
  }
  pass(2100ms);
  for (std::uint8_t n = 1; n <= 3; ++n) {
    ASSERT_EQ(member(n).rates.size(), 2u) << int{n};
    for (const RateRow& each : member(n).rates) {
      EXPECT_NE(each.peer, peer(n));
      EXPECT_EQ(each.peer, peer(static_cast<std::uint8_t>(each.spent)));
    }
  }
  // A late one hears all of it, and the others only of that one.
  member(4).draw.rates = {row};
  member(4).draw.rates[0].spent = 4;
  say(4);
  pass(2100ms);
  EXPECT_EQ(member(4).rates.size(), 3u);
  EXPECT_EQ(member(1).rates.size(), 3u);
}

// While members disagree who keeps a bucket, one that looks elsewhere does not listen.
TEST_F(KeeperTest, WhatOneDidNotHearIsSaidAgainAndNothingElse) {
  const auto spend = [&](std::uint8_t n, std::uint64_t spent) {
    member(n).draw.rates = {{.peer = peer(n), .resource = 0, .limit = 5000, .remaining = 4000, .used = 1, .reset = 9}};
    member(n).draw.rates[0].spent = spent;
    say(n);
  };
  const auto speak = [&](Duration time) {
    for (const TimePoint end = now + time; now < end;) {
      say(1);
      pass(500ms);
    }
  };
  say(1);
  for (std::uint8_t n = 2; n <= 4; ++n) spend(n, n);
  speak(20s);
  ASSERT_EQ(member(1).rates.size(), 3u) << "each once, however often it speaks";
  member(1).deaf = true;
  spend(2, 20);
  pass(1s);
  member(1).deaf = false;
  // Others go on, so that there is always something newer to be told.
  spend(3, 30);
  speak(3s);
  spend(4, 40);
  speak(3s);
  ASSERT_GE(member(1).rates.size(), 6u);
  EXPECT_LE(member(1).rates.size(), 8u) << "what came behind it may come twice";
  EXPECT_TRUE(std::ranges::any_of(member(1).rates, [](const RateRow& row) { return row.spent == 20; }));
}

TEST_F(KeeperTest, InALargeFleetTheNewestReadingComesAsWell) {
  constexpr std::uint8_t kMembers = 199;
  bus.members = kMembers;
  for (std::uint8_t n = 2; n <= kMembers; ++n) {
    member(n).draw.rates = {{.peer = peer(n), .resource = 0, .limit = 5000, .remaining = 4000, .used = 1, .reset = 9}};
    say(n);
  }
  for (const TimePoint end = now + 60s; now < end;) {
    say(1);
    pass(500ms);
  }
  EXPECT_EQ(member(1).rates.size(), kMembers - 1u);
}

}  // namespace
}  // namespace ghmesh::mesh
