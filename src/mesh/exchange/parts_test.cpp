// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "mesh/exchange/fleet.hpp"
#include "mesh/exchange/pause.hpp"
#include "mesh/exchange/scores.hpp"
#include "mesh/exchange/shelf.hpp"

namespace ghmesh::mesh {
namespace {

PeerId peer(std::uint8_t n) { return *PeerId::decode(std::array<std::uint8_t, 3>{0, 1, n}); }
const TimePoint kNow = TimePoint(1h);
const ExchangeLimits kLimits;

TokenTag tag(std::uint8_t n) {
  TokenTag t{};
  t.fill(n);
  return t;
}
ItemPtr item(std::uint8_t key, std::uint8_t version, std::size_t size = 10) {
  auto made = std::make_shared<Item>();
  made->key.fill(key);
  made->version.fill(version);
  made->groups = {key};
  made->body = Bytes(size, version);
  return made;
}
Freshness fresh(std::uint8_t token, std::uint32_t ms = 60000) {
  return {.tag = tag(token), .fetched_at_ms = 1, .fresh_ms = ms, .left_ms = ms, .seal = {}};
}

TEST(Limits, APatienceMovesEveryWaitForOthersAndNothingElse) {
  const ExchangeLimits usual = ExchangeLimits::for_patience(50ms);
  EXPECT_EQ(usual.first_answer, kLimits.first_answer);
  EXPECT_EQ(usual.lease, kLimits.lease);
  EXPECT_EQ(usual.longest_wait, kLimits.longest_wait);
  for (const Duration patience : {5ms, 50ms, 400ms, 5000ms}) {
    const ExchangeLimits limits = ExchangeLimits::for_patience(patience);
    EXPECT_EQ(limits.patience, patience);
    // Rank 2 and rank 3 are asked within it, and a write's confirmations are waited for twice as long.
    EXPECT_EQ(limits.first_answer, patience * 3 / 10);
    EXPECT_EQ(limits.invalidate_wait, patience * 2);
    EXPECT_EQ(limits.beat, kLimits.beat);
    EXPECT_GE(limits.missed_beats, 3 * limits.beat);
    EXPECT_GE(limits.lease, 2 * limits.hold_every);
    EXPECT_LE(limits.lease, limits.longest_fetch);
    EXPECT_LE(limits.longest_wait, limits.longest_fetch);
    EXPECT_GE(limits.longest_wait, 7 * patience);
  }
}

TEST(Shelf, FreshForTheTokenThatSawItAndNobodyElse) {
  Shelf shelf(kLimits);
  const Freshness by_one = fresh(1);
  shelf.put(item(5, 1), &by_one, peer(1), kNow);
  const Held* held = shelf.best(item(5, 1)->key, tag(1));
  ASSERT_NE(held, nullptr);
  EXPECT_NE(held->fresh_for(tag(1), kNow + 59s), nullptr);
  EXPECT_EQ(held->fresh_for(tag(1), kNow + 60s), nullptr);
  EXPECT_EQ(held->fresh_for(tag(2), kNow), nullptr);
  EXPECT_NE(held->fresh_for_anyone(kNow), nullptr);
  EXPECT_EQ(Shelf::restate(held->validations[0], kNow + 20s).left_ms, 40000u);
}

TEST(Shelf, TwoTokensMaySeeTwoVersions) {
  Shelf shelf(kLimits);
  const Freshness one = fresh(1), two = fresh(2);
  const LookupKey key = item(5, 1)->key;
  shelf.put(item(5, 1), &one, peer(1), kNow);
  shelf.put(item(5, 2), &two, peer(1), kNow + 1s);
  // Perhaps it changed, perhaps token 2 sees more: the newer one is the better guess for token 1...
  EXPECT_EQ(shelf.best(key, tag(1))->item->version, item(5, 2)->version);
  // ...until token 1 confirms its own again.
  EXPECT_TRUE(shelf.confirm(key, item(5, 1)->version, one, kNow + 2s));
  EXPECT_EQ(shelf.best(key, tag(1))->item->version, item(5, 1)->version);
  EXPECT_TRUE(shelf.confirm(key, item(5, 2)->version, two, kNow + 3s));
  EXPECT_EQ(shelf.best(key, tag(1))->item->version, item(5, 1)->version);
  EXPECT_EQ(shelf.best(key, tag(2))->item->version, item(5, 2)->version);
  // A newer version of token 1 replaces its own old one only.
  shelf.put(item(5, 3), &one, peer(1), kNow + 4s);
  EXPECT_EQ(shelf.best(key, tag(1))->item->version, item(5, 3)->version);
  EXPECT_NE(shelf.at(key, item(5, 2)->version), nullptr);
  EXPECT_EQ(shelf.at(key, item(5, 1)->version), nullptr);
}

// Token 1's answer was under way when token 2 saw a change, and came after it.
TEST(Shelf, WhatATokenSeesNowOutdatesWhatItSawBefore) {
  Shelf shelf(kLimits);
  const Freshness one = fresh(1), two = fresh(2), three = fresh(3);
  const LookupKey key = item(5, 1)->key;
  shelf.put(item(5, 1), &one, peer(1), kNow);
  EXPECT_TRUE(shelf.confirm(key, item(5, 1)->version, three, kNow + 30s));
  shelf.put(item(5, 2), &two, peer(1), kNow + 61s);
  EXPECT_TRUE(shelf.confirm(key, item(5, 1)->version, one, kNow + 61050ms));
  EXPECT_EQ(shelf.best(key, tag(1))->item->version, item(5, 1)->version);
  shelf.put(item(5, 2), &one, peer(1), kNow + 122s);
  EXPECT_EQ(shelf.best(key, tag(1))->item->version, item(5, 2)->version);
  EXPECT_EQ(shelf.best(key, tag(2))->item->version, item(5, 2)->version);
}

TEST(Shelf, WhatWasNotTrueGoesAndTheOtherVersionStays) {
  Shelf shelf(kLimits);
  const Freshness one = fresh(1), two = fresh(2);
  const LookupKey key = item(5, 1)->key;
  shelf.put(item(5, 1), &one, peer(1), kNow);
  const std::size_t bytes = shelf.bytes();
  shelf.put(item(5, 2), &two, peer(1), kNow + 1s);
  shelf.drop(key, item(5, 2)->version);
  EXPECT_EQ(shelf.bytes(), bytes);
  EXPECT_EQ(shelf.best(key, tag(2))->item->version, item(5, 1)->version);
  shelf.drop(key, item(5, 1)->version);
  EXPECT_FALSE(shelf.holds(key));
  EXPECT_EQ(shelf.bytes(), 0u);
}

TEST(Shelf, InvalidationKeepsTheBytesAsCandidates) {
  Shelf shelf(kLimits);
  const Freshness one = fresh(1);
  shelf.put(item(5, 1), &one, peer(1), kNow);
  shelf.put(item(6, 1), &one, peer(1), kNow);
  EXPECT_EQ(shelf.stale_groups({5}), 1u);
  EXPECT_EQ(shelf.best(item(5, 1)->key, tag(1))->fresh_for_anyone(kNow), nullptr);
  EXPECT_NE(shelf.best(item(6, 1)->key, tag(1))->fresh_for_anyone(kNow), nullptr);
}

TEST(Shelf, StaysInsideItsBytes) {
  ExchangeLimits small;
  small.shelf_bytes = 100'000;
  Shelf shelf(small);
  for (int i = 0; i < 200; ++i) {
    auto made = std::make_shared<Item>(*item(1, static_cast<std::uint8_t>(i), 5000));
    store_be(made->key.data(), static_cast<std::uint32_t>(i));
    shelf.put(made, nullptr, peer(1), kNow);
    EXPECT_LE(shelf.bytes(), small.shelf_bytes);
  }
  EXPECT_GT(shelf.entries(), 10u);
  shelf.put(item(2, 2, 50'000), nullptr, peer(1), kNow);
  EXPECT_EQ(shelf.best(item(2, 2)->key, {}), nullptr) << "an eighth of the shelf at most";
}

TEST(Shelf, NobodyStretchesALifeBeyondWhatWasSealed) {
  Shelf shelf(kLimits);
  Freshness liar = fresh(1, 1000);
  liar.left_ms = 86'400'000;
  shelf.put(item(5, 1), &liar, peer(1), kNow);
  EXPECT_EQ(shelf.best(item(5, 1)->key, tag(1))->fresh_for(tag(1), kNow + 1s), nullptr);
}

TEST(Scores, ALiarIsBannedLongerEachTime) {
  PeerScores scores(kLimits);
  TimePoint now = kNow;
  for (const int minutes : {10, 20, 40}) {
    for (int i = 0; i < 20; ++i) scores.judge(peer(1), peer(1), false, now);
    EXPECT_TRUE(scores.banned(peer(1), now + std::chrono::minutes(minutes) - 1s));
    now += std::chrono::minutes(minutes);
    EXPECT_FALSE(scores.banned(peer(1), now));
  }
}

// What one member forges reaches others through honest owners.
TEST(Scores, APublisherIsFoundBehindThoseWhoHandOn) {
  PeerScores scores(kLimits);
  for (int i = 0; i < 80; ++i) {
    const PeerId owner = peer(10 + i % 4);
    scores.judge(owner, peer(1), false, kNow);
    scores.judge(owner, peer(static_cast<std::uint8_t>(2 + i % 3)), true, kNow);
  }
  EXPECT_TRUE(scores.banned(peer(1), kNow));
  for (std::uint8_t honest : {2, 3, 4, 10, 11, 12, 13}) EXPECT_FALSE(scores.banned(peer(honest), kNow)) << int{honest};
}

// An owner that forges has bytes of many go bad, and theirs are good elsewhere; naming one of them does not help it.
TEST(Scores, AnOwnerThatForgesIsFoundBeforePublishers) {
  for (const bool one_name : {false, true}) {
    PeerScores scores(kLimits);
    for (int i = 0; i < 100; ++i) {
      const PeerId publisher = peer(static_cast<std::uint8_t>(2 + (one_name ? 0 : i % 3)));
      scores.judge(peer(1), publisher, false, kNow);
      scores.judge(peer(10), peer(static_cast<std::uint8_t>(2 + i % 3)), true, kNow);
    }
    EXPECT_TRUE(scores.banned(peer(1), kNow));
    for (std::uint8_t honest : {2, 3, 4, 10}) EXPECT_FALSE(scores.banned(peer(honest), kNow)) << int{honest};
  }
}

// Two owners forge, and one member published all: it fails by the numbers of both, and of theirs none is true.
TEST(Scores, WhoPublishedAllIsNotBlamedForSeveralOwnersThatForge) {
  PeerScores scores(kLimits);
  for (int i = 0; i < 100; ++i) {
    scores.judge(peer(10 + i % 2), peer(1), false, kNow);
    if (i % 3 == 0) scores.judge(peer(12), peer(1), true, kNow);
  }
  EXPECT_FALSE(scores.banned(peer(1), kNow));
  EXPECT_TRUE(scores.banned(peer(10), kNow));
  EXPECT_TRUE(scores.banned(peer(11), kNow));
  EXPECT_FALSE(scores.banned(peer(12), kNow));
}

TEST(Scores, WhereNothingTellsThemApartTheSenderIsBlamed) {
  PeerScores scores(kLimits);
  for (int i = 0; i < 20; ++i) scores.judge(peer(1), peer(2), false, kNow);
  EXPECT_TRUE(scores.banned(peer(1), kNow));
  EXPECT_FALSE(scores.banned(peer(2), kNow));
  for (int i = 0; i < 20; ++i) scores.judge(peer(3), peer(3), false, kNow);
  EXPECT_TRUE(scores.banned(peer(3), kNow)) << "its own bytes from itself";
}

TEST(Scores, ChangeIsNotALie) {
  PeerScores scores(kLimits);
  for (int i = 0; i < 1000; ++i) scores.judge(peer(1), peer(1), i % 5 != 0, kNow);
  EXPECT_FALSE(scores.banned(peer(1), kNow));
  EXPECT_GT(scores.score(peer(1)), 0.5);
}

TEST(Scores, SilenceIsPassedOverAndForgiven) {
  PeerScores scores(kLimits);
  scores.note(peer(1), Experience::Silent, kNow);
  EXPECT_TRUE(scores.avoided(peer(1), kNow + 1s));
  EXPECT_FALSE(scores.avoided(peer(1), kNow + 2s));
  scores.note(peer(1), Experience::Silent, kNow + 2s);
  EXPECT_TRUE(scores.avoided(peer(1), kNow + 5s));
  scores.note(peer(1), Experience::Answered, kNow + 5s);
  EXPECT_FALSE(scores.avoided(peer(1), kNow + 5s));
}

TEST(Scores, WhoLetsOthersWaitForNothingIsNotBelievedForMinutesWhateverItSays) {
  PeerScores scores(kLimits);
  for (int question = 0; question < 10; ++question) scores.note(peer(1), Experience::Misled, kNow);
  scores.note(peer(1), Experience::Answered, kNow + 1s);
  EXPECT_TRUE(scores.disbelieved(peer(1), kNow + 119s));
  EXPECT_TRUE(scores.avoided(peer(1), kNow + 119s));
  EXPECT_FALSE(scores.banned(peer(1), kNow + 119s));
  EXPECT_FALSE(scores.disbelieved(peer(1), kNow + 301s));
  scores.note(peer(1), Experience::Misled, kNow + 302s);
  EXPECT_TRUE(scores.disbelieved(peer(1), kNow + 302s + 599s));
  // Once in a long time may be a mistake of ours.
  scores.note(peer(1), Experience::Misled, kNow + 2h);
  EXPECT_FALSE(scores.disbelieved(peer(1), kNow + 2h + 301s));
}

TEST(Scores, QuestionsThatWereLostTogetherAreOneSilence) {
  PeerScores scores(kLimits);
  for (int question = 0; question < 10; ++question) scores.note(peer(1), Experience::Silent, kNow);
  scores.note(peer(1), Experience::Silent, kNow + 1s);
  EXPECT_FALSE(scores.avoided(peer(1), kNow + 2s));
  scores.note(peer(1), Experience::Silent, kNow + 2s);
  EXPECT_TRUE(scores.avoided(peer(1), kNow + 5s)) << "it goes on";
  EXPECT_FALSE(scores.avoided(peer(1), kNow + 6s));
}

TEST(Pause, A7_OneLiarStopsABucketForSecondsOnly) {
  PauseBoard board(kLimits);
  board.on_told(peer(1), tag(1), 1000h, kNow);
  EXPECT_TRUE(board.until(tag(1), 0, kNow + 29s));
  EXPECT_FALSE(board.until(tag(1), 0, kNow + 31s));
  // Repeating it does not corroborate it.
  board.on_told(peer(1), tag(1), 1000h, kNow + 1s);
  EXPECT_FALSE(board.until(tag(1), 0, kNow + 32s));
  board.on_told(peer(2), tag(1), 300s, kNow + 2s);
  EXPECT_FALSE(board.until(tag(1), 0, kNow + 62s)) << "two may be two liars";
  board.on_told(peer(3), tag(1), 300s, kNow + 2s);
  EXPECT_TRUE(board.until(tag(1), 0, kNow + 300s));
  EXPECT_FALSE(board.until(tag(1), 0, kNow + 303s));
}

TEST(Pause, ThreeInLeagueStopABucketForMinutesHoweverOftenTheyRepeatIt) {
  PauseBoard board(kLimits);
  for (int minute = 0; minute < 7; ++minute)
    for (std::uint8_t liar = 1; liar <= 3; ++liar) board.on_told(peer(liar), tag(1), 1000h, kNow + minute * 60s);
  EXPECT_TRUE(board.until(tag(1), 0, kNow + 5min));
  EXPECT_FALSE(board.until(tag(1), 0, kNow + 6min)) << "now the first member looks for itself";
  // It finds that they lied, or becomes a fourth that says so.
  PauseBoard other = board;
  EXPECT_TRUE(other.on_success(tag(1), kNow + 6min));
  other.on_told(peer(1), tag(1), 1000h, kNow + 7min);
  EXPECT_FALSE(other.until(tag(1), 0, kNow + 7min));
  board.on_told(peer(4), tag(1), 1000h, kNow + 7min);
  EXPECT_TRUE(board.until(tag(1), 0, kNow + 10min));
}

TEST(Pause, WhoeverIsDisprovedIsNotListenedTo) {
  PauseBoard board(kLimits);
  board.on_told(peer(1), tag(1), 1000h, kNow);
  EXPECT_TRUE(board.on_success(tag(1), kNow + 31s));
  board.on_told(peer(1), tag(1), 1000h, kNow + 32s);
  EXPECT_FALSE(board.until(tag(1), 0, kNow + 32s));
  board.on_own(tag(1), 600s, kNow + 40s);
  board.on_told(peer(2), tag(1), Duration::zero(), kNow + 41s);
  EXPECT_TRUE(board.until(tag(1), 0, kNow + 42s)) << "others do not take back what GitHub said to us";
}

TEST(Pause, GitHubsOwnWordCountsAndEndsInAnOrder) {
  PauseBoard board(kLimits);
  board.on_own(tag(1), 600s, kNow);
  EXPECT_EQ(*board.until(tag(1), 0, kNow), kNow + 600s);
  EXPECT_GT(*board.until(tag(1), 1, kNow), *board.until(tag(1), 0, kNow));
  EXPECT_FALSE(board.until(tag(2), 0, kNow));
  EXPECT_TRUE(board.on_success(tag(1), kNow));
  EXPECT_FALSE(board.until(tag(1), 9, kNow));
}

bool everybody(const PeerId&) { return true; }
bool nobody_else(const PeerId&) { return false; }

TEST(Fleet, EachMemberOnceAndTheGoneForAnHour) {
  Fleet fleet(peer(1), 1000);
  const auto merge = [&](const std::vector<CounterRow>& rows) { fleet.merge(rows, everybody, kNow); };
  fleet.set_own({5, 1});
  const CounterRow two{.peer = peer(2), .started_ms = 1000, .sequence = 3, .gone_ms = 0, .values = {10, 2}};
  merge({two, two});
  merge({two});
  EXPECT_EQ(fleet.totals(kNow), (std::vector<std::uint64_t>{15, 3}));
  CounterRow old = two;
  old.sequence = 2;
  old.values = {9, 1};
  merge({old});
  EXPECT_EQ(fleet.totals(kNow)[0], 15u);
  merge({{.peer = peer(1), .started_ms = 1000, .sequence = 99, .gone_ms = 0, .values = {1000}}});
  EXPECT_EQ(fleet.totals(kNow)[0], 15u) << "our own figures come from us";
  fleet.on_gone(peer(2), kNow);
  EXPECT_EQ(fleet.totals(kNow + 59min)[0], 15u);
  EXPECT_EQ(fleet.totals(kNow + 61min)[0], 5u);
}

TEST(Fleet, ARestartDoesNotCountBackwards) {
  Fleet fleet(peer(1), 1000);
  const auto merge = [&](const std::vector<CounterRow>& rows) { fleet.merge(rows, everybody, kNow); };
  merge({{.peer = peer(2), .started_ms = 1000, .sequence = 3, .gone_ms = 0, .values = {10}}});
  merge({{.peer = peer(2), .started_ms = 2000, .sequence = 1, .gone_ms = 0, .values = {2}}});
  EXPECT_EQ(fleet.totals(kNow)[0], 12u);
}

// Members pass on what they know of the gone, also to those who never saw them: the hour ends all the same.
TEST(Fleet, TheGoneAreNotKeptAliveByHearsay) {
  Fleet old(peer(1), 1000);
  old.merge({{.peer = peer(2), .started_ms = 1000, .sequence = 3, .gone_ms = 0, .values = {10}}}, everybody, kNow);
  old.on_gone(peer(2), kNow);
  Fleet young(peer(3), 2000);
  for (TimePoint now = kNow + 15s; now < kNow + 3h; now += 30s) {
    young.merge(old.rows_to_tell(8, now), nobody_else, now);
    old.merge(young.rows_to_tell(8, now), nobody_else, now);
    for (Fleet* each : {&old, &young})
      EXPECT_EQ(each->totals(now).empty() ? 0 : each->totals(now)[0], now - kNow < 1h ? 10u : 0u)
          << std::chrono::duration_cast<std::chrono::minutes>(now - kNow).count() << " minutes";
  }
}

TEST(Fleet, WhoComesIsCountedHoweverManyHaveGone) {
  Fleet fleet(peer(1), 1000);
  TimePoint now = kNow;
  const auto nth = [](std::size_t n) {
    return *PeerId::decode(
        std::array<std::uint8_t, 4>{0, 2, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
  };
  for (std::size_t n = 0; n < Fleet::kMembers + 100; ++n, now += 100ms) {
    fleet.merge({{.peer = nth(n), .started_ms = 1000, .sequence = 1, .gone_ms = 0, .values = {1, n}}}, everybody, now);
    fleet.on_gone(nth(n), now);
  }
  const std::vector<FleetMember> members = fleet.members();
  EXPECT_EQ(members.size(), Fleet::kMembers);
  EXPECT_EQ(std::ranges::min(members, {}, [](const FleetMember& each) { return each.row.values[1]; }).row.values[1],
            100u);
}

}  // namespace
}  // namespace ghmesh::mesh
