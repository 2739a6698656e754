// SPDX-License-Identifier: Apache-2.0
#include "github/pacing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace ghmesh::github {
namespace {

const Partition kToken{1};
const LimitVerdict kFine{};

class PacingTest : public ::testing::Test {
 protected:
  Ticket add(std::uint64_t client = 1, bool write = false, const Partition& token = kToken) {
    PacedRequest request;
    request.token = token;
    request.client = client;
    request.is_write = write;
    pacer->enqueue(++last, request, clock.now());
    return last;
  }
  void fine(std::size_t times = 1) {
    for (std::size_t i = 0; i < times; ++i) pacer->done(kToken, "core", kFine, clock.now());
  }

  ManualClock clock;
  SeededRandom random{3};
  // A small burst, so that the tests see the rate soon.
  std::unique_ptr<Pacer> pacer = std::make_unique<Pacer>(random, PacingOptions{.burst = 12});
  Ticket last = 0;
};

TEST_F(PacingTest, ABurstThenTheRate) {
  for (int i = 0; i < 40; ++i) add();
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 12u);
  fine(12);
  clock.advance(1s);
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 12u);
  EXPECT_EQ(pacer->waiting(), 16u);
}

// GitHub counts 900 points in a minute: no minute may hold more, and the first one should not hold much less.
TEST_F(PacingTest, NoMinuteHoldsMoreThanGitHubAllows) {
  Pacer eager(random);
  std::vector<TimePoint> released;
  for (int tick = 0; tick < 1800; ++tick) {
    while (eager.waiting() < 100) {
      ++last;
      eager.enqueue(last, PacedRequest{.token = kToken, .client = last % 7}, clock.now());
    }
    const Pacer::Turn turn = eager.turn(clock.now());
    for (std::size_t i = 0; i < turn.released.size(); ++i) {
      released.push_back(clock.now());
      eager.done(kToken, "core", kFine, clock.now());
    }
    clock.advance(100ms);
  }
  std::size_t most = 0;
  for (std::size_t first = 0, end = 0; first < released.size(); ++first) {
    while (end < released.size() && released[end] - released[first] < 60s) ++end;
    most = std::max(most, end - first);
  }
  EXPECT_LE(most, 900u);
  EXPECT_GE(most, 810u);
}

TEST_F(PacingTest, AsksAgainJustInTime) {
  for (int i = 0; i < 13; ++i) add();
  const Pacer::Turn turn = pacer->turn(clock.now());
  ASSERT_TRUE(turn.ask_again);
  EXPECT_GT(*turn.ask_again, clock.now());
  EXPECT_LE(*turn.ask_again, clock.now() + 90ms);
  clock.advance(*turn.ask_again - clock.now() + 1us);
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 1u);
  EXPECT_FALSE(pacer->turn(clock.now()).ask_again);
}

TEST_F(PacingTest, AtMostSixtyInFlight) {
  for (int second = 0; second < 10; ++second) {
    for (int i = 0; i < 12; ++i) add();
    pacer->turn(clock.now());
    clock.advance(1s);
  }
  EXPECT_EQ(pacer->in_flight(kToken), 60u);
  fine(1);
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 1u);
}

TEST_F(PacingTest, ClientsTakeTurns) {
  std::map<Ticket, std::uint64_t> owner;
  for (int i = 0; i < 30; ++i) owner[add(1)] = 1;
  for (int i = 0; i < 3; ++i) owner[add(2)] = 2;
  std::map<std::uint64_t, int> served;
  for (const Ticket ticket : pacer->turn(clock.now()).released) ++served[owner[ticket]];
  EXPECT_EQ(served[2], 3);
  EXPECT_EQ(served[1], 9);
}

TEST_F(PacingTest, TokensDoNotWaitForEachOther) {
  for (int i = 0; i < 30; ++i) add();
  const Ticket other = add(1, false, Partition{2});
  const Pacer::Turn turn = pacer->turn(clock.now());
  EXPECT_NE(std::find(turn.released.begin(), turn.released.end(), other), turn.released.end());
}

TEST_F(PacingTest, SecondaryLimitClosesTheTokenAndDoubles) {
  PacingOptions options;
  options.max_queue = 10min;
  pacer = std::make_unique<Pacer>(random, options);
  add();
  pacer->turn(clock.now());
  pacer->done(kToken, "core", {LimitKind::Secondary, {}}, clock.now());
  Duration first = *pacer->closed_until(kToken, "core") - clock.now();
  EXPECT_GE(first, Duration(60s));
  EXPECT_LE(first, Duration(66s));
  add();
  EXPECT_TRUE(pacer->turn(clock.now()).released.empty());
  clock.advance(first);
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 1u);
  pacer->done(kToken, "core", {LimitKind::Secondary, {}}, clock.now());
  const Duration second = *pacer->closed_until(kToken, "core") - clock.now();
  EXPECT_GE(second, Duration(120s));
  EXPECT_LE(second, Duration(132s));
}

TEST_F(PacingTest, RetryAfterIsObeyed) {
  add();
  pacer->turn(clock.now());
  pacer->done(kToken, "core", {LimitKind::Secondary, Duration(5s)}, clock.now());
  EXPECT_GE(*pacer->closed_until(kToken, "core") - clock.now(), Duration(5s));
  EXPECT_LE(*pacer->closed_until(kToken, "core") - clock.now(), Duration(5500ms));
}

TEST_F(PacingTest, PrimaryLimitClosesItsResourceOnly) {
  add();
  pacer->turn(clock.now());
  pacer->done(kToken, "core", {LimitKind::Primary, Duration(20s)}, clock.now());
  const Ticket core = add();
  PacedRequest search;
  search.token = kToken;
  search.resource = "search";
  pacer->enqueue(1000, search, clock.now());
  const Pacer::Turn turn = pacer->turn(clock.now());
  EXPECT_EQ(turn.released, std::vector<Ticket>{1000});
  clock.advance(23s);
  EXPECT_EQ(pacer->turn(clock.now()).released, std::vector<Ticket>{core});
}

TEST_F(PacingTest, AResetIsNotWaitedForATenthOfAnHourLonger) {
  for (int i = 0; i < 20; ++i) {
    add();
    pacer->turn(clock.now());
    const TimePoint reset = clock.now() + 1h;
    pacer->done(kToken, "core", {LimitKind::Primary, Duration(1h)}, clock.now());
    EXPECT_GE(*pacer->closed_until(kToken, "core"), reset);
    EXPECT_LE(*pacer->closed_until(kToken, "core"), reset + 2s);
    clock.advance(1h + 2s);
  }
}

TEST_F(PacingTest, NoStampedeAfterABackOff) {
  add();
  pacer->turn(clock.now());
  pacer->done(kToken, "core", {LimitKind::Secondary, Duration(10s)}, clock.now());
  for (int i = 0; i < 100; ++i) add(static_cast<std::uint64_t>(i));
  clock.advance(11s);
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 1u);
  clock.advance(40ms);
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 0u);
  clock.advance(60ms);
  EXPECT_EQ(pacer->turn(clock.now()).released.size(), 1u);
}

TEST_F(PacingTest, HopelessWaitsAreRefusedAtOnce) {
  add();
  pacer->turn(clock.now());
  pacer->done(kToken, "core", {LimitKind::Primary, Duration(10min)}, clock.now());
  const Ticket ticket = add();
  const Pacer::Turn turn = pacer->turn(clock.now());
  ASSERT_EQ(turn.refused.size(), 1u);
  EXPECT_EQ(turn.refused[0].ticket, ticket);
  EXPECT_EQ(turn.refused[0].limit, LimitKind::Primary);
  EXPECT_GE(turn.refused[0].retry_after, Duration(10min));
  EXPECT_EQ(pacer->waiting(), 0u);
  // Too many before it, even when nothing is closed.
  for (int i = 0; i < 500; ++i) add(9, false, Partition{4});
  EXPECT_NEAR(static_cast<double>(pacer->turn(clock.now()).refused.size()), 500 - 360, 3);
}

TEST_F(PacingTest, PatienceEndsWhileTheHouseIsFull) {
  for (int second = 0; second < 6; ++second) {
    for (int i = 0; i < 12; ++i) add();
    pacer->turn(clock.now());
    clock.advance(1s);
  }
  const Pacer::Turn turn = pacer->turn(clock.now());
  ASSERT_TRUE(turn.ask_again);
  clock.advance(*turn.ask_again - clock.now());
  EXPECT_FALSE(pacer->turn(clock.now()).refused.empty());
}

TEST_F(PacingTest, WritesHaveTheirOwnAllowance) {
  std::size_t written = 0;
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 4; ++i) add(1, true);
    written += pacer->turn(clock.now()).released.size();
    fine(pacer->in_flight(kToken));
    clock.advance(1s);
  }
  EXPECT_LE(written, 84u);
  EXPECT_GE(written, 72u);
}

TEST_F(PacingTest, CancelledTicketsAreGone) {
  for (int i = 0; i < 13; ++i) add();
  pacer->turn(clock.now());
  pacer->cancel(last);
  EXPECT_EQ(pacer->waiting(), 0u);
  clock.advance(1s);
  EXPECT_TRUE(pacer->turn(clock.now()).released.empty());
}

// GitHub's secondary limits as documented: 100 at once, 900 points a minute per endpoint.
struct SecondaryModel {
  std::deque<TimePoint> minute;
  std::size_t in_flight = 0;
  std::size_t refusals = 0;
  void start(TimePoint now) {
    while (!minute.empty() && now - minute.front() > 60s) minute.pop_front();
    if (++in_flight > 100 || minute.size() >= 900) ++refusals;
    minute.push_back(now);
  }
};

TEST_F(PacingTest, AHundredClientsInBurstsNeverMeetASecondaryLimit) {
  SecondaryModel github;
  std::multimap<TimePoint, int> finishing;
  std::size_t served = 0;
  for (int tick = 0; tick < 6000; ++tick) {  // a minute in steps of 10 ms
    if (tick % 500 == 0)
      for (std::uint64_t client = 0; client < 100; ++client) add(client);
    while (!finishing.empty() && finishing.begin()->first <= clock.now()) {
      finishing.erase(finishing.begin());
      --github.in_flight;
      fine();
    }
    for (std::size_t i = pacer->turn(clock.now()).released.size(); i > 0; --i) {
      github.start(clock.now());
      finishing.emplace(clock.now() + 200ms + std::chrono::milliseconds(random.below(300)), 0);
      ++served;
    }
    clock.advance(10ms);
  }
  EXPECT_EQ(github.refusals, 0u);
  EXPECT_GE(served, static_cast<std::size_t>(0.9 * 12 * 60));
}

// ---- Tokens that other nodes draw on as well.

class SharedPacingTest : public PacingTest {
 protected:
  SharedPacingTest() { pacer->set_others(4); }
  void add_shared(std::size_t times = 1, bool write = false) {
    for (std::size_t i = 0; i < times; ++i) {
      PacedRequest request;
      request.token = kToken;
      request.is_write = write;
      request.shared = true;
      pacer->enqueue(++last, request, clock.now());
    }
  }
  std::size_t go() { return pacer->turn(clock.now()).released.size(); }
  void grant(std::uint64_t may_send, std::uint64_t may_write = 0) {
    pacer->grant(kToken, may_send, may_write, 5, clock.now());
  }
};

TEST_F(SharedPacingTest, TheFirstGoesAndTheOthersAtTheKeepersWord) {
  add_shared(10);
  EXPECT_EQ(go(), 1u);
  EXPECT_EQ(go(), 0u);
  Demand demand = pacer->demand(kToken, clock.now());
  EXPECT_EQ(demand.sent, 1u);
  EXPECT_EQ(demand.recent, 1u);
  EXPECT_EQ(demand.in_flight, 1u);
  EXPECT_EQ(demand.waiting, 9u);
  grant(5);
  EXPECT_EQ(go(), 4u);
  grant(5);  // said twice
  EXPECT_EQ(go(), 0u);
  EXPECT_EQ(pacer->take_changed(clock.now()), std::vector<Partition>{kToken});
  EXPECT_TRUE(pacer->take_changed(clock.now()).empty());
  clock.advance(20s);
  EXPECT_EQ(pacer->demand(kToken, clock.now()).recent, 0u);
}

TEST_F(SharedPacingTest, AWriteNeedsLeaveOfBothKinds) {
  add_shared();
  EXPECT_EQ(go(), 1u);
  add_shared(2, true);
  EXPECT_EQ(pacer->demand(kToken, clock.now()).waiting_writes, 2u);
  grant(3);
  EXPECT_EQ(go(), 0u);
  grant(3, 1);
  EXPECT_EQ(go(), 1u);
}

// As fast as all of them could at once: five share twelve a second.
TEST_F(SharedPacingTest, WhoHearsNothingGoesOnAtAPaceThatAllCouldKeep) {
  add_shared(60);
  std::size_t sent = 0;
  for (const TimePoint end = clock.now() + 25s; clock.now() < end; clock.advance(10ms)) {
    const std::size_t now = go();
    fine(now);
    sent += now;
  }
  EXPECT_GE(sent, 20u * 12 / 5 - 2);
  EXPECT_LE(sent, 20u * 12 / 5 + 3);
  // The keeper is back.
  pacer->grant(kToken, pacer->demand(kToken, clock.now()).sent, 0, 5, clock.now());
  add_shared(2);
  grant(pacer->demand(kToken, clock.now()).sent + 2);
  EXPECT_EQ(go(), 2u);
}

TEST_F(SharedPacingTest, AKeeperThatDoesNotAnswerIsNotWaitedFor) {
  add_shared(60);
  EXPECT_EQ(go(), 1u);
  clock.advance(1s);
  EXPECT_EQ(go(), 0u);
  pacer->unheard(kToken);
  // A fifth of the twelve that may go at once is its own.
  std::size_t sent = go();
  EXPECT_EQ(sent, 2u);
  fine(sent);
  for (const TimePoint end = clock.now() + 3s; clock.now() < end; clock.advance(10ms)) {
    const std::size_t now = go();
    fine(now);
    sent += now;
  }
  EXPECT_EQ(1 + sent, 3u + 7) << "a fifth of the burst, and then of the pace";
  grant(0);
  clock.advance(500ms);
  EXPECT_EQ(go(), 0u) << "it is heard of again";
}

TEST_F(SharedPacingTest, WhoHearsNothingTakesItsPartOfThePlacesInFlight) {
  pacer = std::make_unique<Pacer>(random, PacingOptions{});
  pacer->set_others(4);
  add_shared(60);
  EXPECT_EQ(go(), 1u);
  pacer->unheard(kToken);
  EXPECT_EQ(go(), 11u) << "of 60";
  EXPECT_EQ(go(), 0u);
  fine(5);
  EXPECT_EQ(go(), 5u);
}

TEST_F(SharedPacingTest, ManyNodesAskFirstAndALoneOneNever) {
  pacer->set_others(49);
  add_shared(3);
  EXPECT_EQ(go(), 0u);
  pacer->set_others(0);
  EXPECT_EQ(go(), 3u);
}

TEST_F(SharedPacingTest, WhatABackOffHoldsAsksForNoLeaveUntilItEnds) {
  add_shared(3);
  EXPECT_EQ(go(), 1u);
  pacer->done(kToken, "core", {.kind = LimitKind::Secondary, .retry_after = 10s}, clock.now());
  EXPECT_EQ(pacer->demand(kToken, clock.now()).waiting, 0u);
  pacer->take_changed(clock.now());
  clock.advance(12s);
  go();
  EXPECT_FALSE(pacer->take_changed(clock.now()).empty());
}

}  // namespace
}  // namespace ghmesh::github
