// SPDX-License-Identifier: Apache-2.0
#include "owner.hpp"

#include <gtest/gtest.h>

#include "test_peers.hpp"

namespace ghmesh::mesh {
namespace {

// An owner alone in its fleet, and members who ask it.
class OwnerTest : public testing::Test {
 protected:
  OwnerTest() {
    bus_.everybody = [] { return std::vector<PeerId>{}; };
    bus_.ranks.set(self_, 1);
    key_.fill(3);
  }

  void ask(std::uint8_t who, std::uint64_t id) {
    owner_.on_ask(peer(who), Ask{.id = id, .key = key_, .tag = tag(who), .have = {}, .hop = 0, .origin = {}}, now_);
  }
  // The messages of that kind since the last call, and to whom.
  template <typename M>
  std::vector<std::pair<PeerId, M>> sent() {
    std::vector<std::pair<PeerId, M>> out;
    for (const Outgoing& each : bus_.out)
      if (const auto* message = std::get_if<M>(&each.message)) out.emplace_back(each.to, *message);
    bus_.out.clear();
    return out;
  }
  Put brought(std::uint64_t lease, std::uint8_t who, std::uint8_t version) const {
    auto made = std::make_shared<Item>();
    made->key = key_;
    made->version.fill(version);
    made->groups = {5};
    made->body = Bytes(10, version);
    return {.lease = lease,
            .item = std::move(made),
            .fresh = {.tag = tag(who), .fetched_at_ms = 1, .fresh_ms = 60'000, .left_ms = 60'000, .seal = {}}};
  }

  const PeerId self_ = peer(1);
  const ExchangeLimits limits_;
  SeededRandom random_{1};
  Bus bus_{self_, limits_, random_};
  Owner owner_{bus_};
  LookupKey key_{};
  TimePoint now_{1h};
};

TEST_F(OwnerTest, OneLeaseAtATime) {
  ask(2, 20);
  const auto leases = sent<Lease>();
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].first, peer(2));
  for (std::uint8_t who = 3; who < 8; ++who) ask(who, who * 10u);
  const auto messages = bus_.out;
  EXPECT_TRUE(sent<Lease>().empty()) << "one fetch is under way";
  EXPECT_EQ(std::count_if(messages.begin(), messages.end(),
                          [](const Outgoing& each) { return std::holds_alternative<Wait>(each.message); }),
            5);
}

TEST_F(OwnerTest, WhatTheFetchBringsGoesToAllWhoWaited) {
  ask(2, 20);
  const std::uint64_t lease = sent<Lease>().at(0).second.lease;
  ask(3, 30);
  ask(4, 40);
  bus_.out.clear();
  owner_.on_put(peer(2), brought(lease, 2, 9), now_ + 10ms);
  const auto bodies = sent<Body>();
  ASSERT_EQ(bodies.size(), 2u);
  for (const auto& [to, body] : bodies) EXPECT_TRUE(body.candidate) << "another token proves it for itself";
  EXPECT_EQ(owner_.flights(), 0u);
}

TEST_F(OwnerTest, OnlyTheHolderOfTheLeaseEndsIt) {
  ask(2, 20);
  const std::uint64_t lease = sent<Lease>().at(0).second.lease;
  ask(3, 30);
  bus_.out.clear();
  owner_.on_release(peer(9), {.lease = lease ^ 1, .key = key_, .outcome = ReleaseOutcome::Negative}, now_);
  EXPECT_TRUE(bus_.out.empty());
  EXPECT_EQ(owner_.flights(), 1u);
  owner_.on_release(peer(2), {.lease = lease, .key = key_, .outcome = ReleaseOutcome::Negative}, now_);
  EXPECT_EQ(sent<Pass>().size(), 1u);
  EXPECT_EQ(owner_.flights(), 0u);
}

TEST_F(OwnerTest, AFetchThatFailsHandsTheLeaseToTheNext) {
  ask(2, 20);
  const std::uint64_t lease = sent<Lease>().at(0).second.lease;
  ask(3, 30);
  bus_.out.clear();
  owner_.on_release(peer(2), {.lease = lease, .key = key_, .outcome = ReleaseOutcome::Failed}, now_);
  const auto next = sent<Lease>();
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0].first, peer(3));
  EXPECT_NE(next[0].second.lease, lease);
}

// Who waits at the shadow waits at the owner as well, in another order perhaps.
TEST_F(OwnerTest, AShadowOfAFetchThatFailedLeavesTheFirstMoveToTheOwner) {
  for (const bool owner_lives : {true, false}) {
    owner_.on_shadow(peer(9), {.lease = 7, .key = key_, .ask = 20, .holder = peer(2), .deadline_ms = 600}, now_);
    ask(3, 30);
    bus_.out.clear();
    owner_.on_release(peer(2), {.lease = 7, .key = key_, .outcome = ReleaseOutcome::Failed}, now_);
    if (owner_lives)
      owner_.on_shadow(peer(9), {.lease = 8, .key = key_, .ask = 40, .holder = peer(4), .deadline_ms = 600}, now_);
    const TimePoint end = now_ + limits_.first_move;
    while (owner_.next_deadline() <= end) owner_.tick(now_ = owner_.next_deadline());
    EXPECT_EQ(sent<Lease>().size(), owner_lives ? 0u : 1u);
  }
}

TEST_F(OwnerTest, BytesFromBeforeAWriteAreKeptButNotFresh) {
  ask(2, 20);
  const std::uint64_t lease = sent<Lease>().at(0).second.lease;
  bus_.invalidated.emplace_back(now_ + 5ms, 5);
  owner_.on_put(peer(2), brought(lease, 2, 9), now_ + 10ms);
  const Held* held = bus_.shelf.best(key_, tag(2));
  ASSERT_NE(held, nullptr);
  EXPECT_EQ(held->fresh_for_anyone(now_ + 10ms), nullptr);
}

// Among others one that is dead: the answer takes 100 ms, and who hears nothing for 150 gives this owner up.
TEST_F(OwnerTest, WhoWaitsHearsOfItWhenAllAreAskedAgain) {
  bus_.met_by = now_ + 10s;
  bus_.everybody = [] { return std::vector<PeerId>{peer(5)}; };
  owner_.on_shadow(peer(9), {.lease = 7, .key = key_, .ask = 20, .holder = peer(2), .deadline_ms = 600}, now_);
  ask(3, 30);
  TimePoint heard = now_;
  while (sent<Peek>().empty()) {
    now_ = owner_.next_deadline();
    owner_.tick(now_);
    for (const Outgoing& each : bus_.out)
      if (std::holds_alternative<Wait>(each.message)) heard = now_;
  }
  const TimePoint granted = owner_.next_deadline();
  EXPECT_LT(granted - heard, limits_.missed_beats);
}

// All are asked about a lease that another gave while members meet. When they have met, nobody needs to be asked, and
// the lease goes on for as long as was said.
TEST_F(OwnerTest, ALeaseThatIsAskedAboutDoesNotEndWithTheMeeting) {
  bus_.met_by = now_ + 100ms;
  bus_.everybody = [] { return std::vector<PeerId>{peer(2), peer(9)}; };
  const Shadow told{.lease = 7, .key = key_, .ask = 20, .holder = peer(2), .deadline_ms = 600};
  owner_.on_shadow(peer(9), told, now_);
  ask(3, 30);
  std::size_t looks = 0;
  for (const TimePoint end = now_ + 600ms; now_ < end; now_ = owner_.next_deadline()) {
    owner_.tick(now_);
    const auto messages = std::exchange(bus_.out, {});
    for (const Outgoing& each : messages) {
      EXPECT_FALSE(std::holds_alternative<Lease>(each.message)) << "its holder says that it goes on";
      if (const auto* peek = std::get_if<Peek>(&each.message)) {
        ++looks;
        if (each.to == told.holder) owner_.on_shadow(each.to, told, now_);
        owner_.on_found(each.to, {.id = peek->id, .key = key_}, now_);
      }
    }
  }
  EXPECT_EQ(looks, 2u) << "both were asked, once";
}

// Whoever fetches and says so here knows of us, and brings the result.
TEST_F(OwnerTest, AHolderThatSpeaksIsNotAskedAbout) {
  bus_.met_by = now_ + 10s;
  bus_.everybody = [] { return std::vector<PeerId>{peer(2), peer(9)}; };
  owner_.on_shadow(peer(9), {.lease = 7, .key = key_, .ask = 20, .holder = peer(2), .deadline_ms = 600}, now_);
  ask(3, 30);
  const Hold hold{.lease = 7, .key = key_, .next_ms = 250};
  for (int i = 0; i < 8; ++i) {
    owner_.on_hold(peer(2), hold, now_);
    if (i == 4) ask(4, 40);
    for (const TimePoint end = now_ + 250ms; owner_.next_deadline() < end;) owner_.tick(now_ = owner_.next_deadline());
  }
  EXPECT_TRUE(sent<Peek>().empty());
}

// A fetch that waits for its turn at GitHub may take half a minute; its waiters need not hear of it twenty times a
// second.
TEST_F(OwnerTest, TheLongerAFetchTakesTheLessIsSaidOfIt) {
  ask(2, 20);
  const std::uint64_t lease = sent<Lease>().at(0).second.lease;
  ask(3, 30);
  const TimePoint began = now_;
  TimePoint promised = now_ + 50ms;
  TimePoint held = now_;
  bus_.out.clear();
  std::vector<TimePoint> beats;
  while (now_ < began + 30s) {
    if (now_ >= held) {
      const Duration next = limits_.next_hold(now_ - began);
      owner_.on_hold(peer(2),
                     {.lease = lease, .key = key_, .next_ms = static_cast<std::uint16_t>(next / 1ms), .queued = true},
                     now_);
      held = now_ + next;
    }
    now_ = std::min(owner_.next_deadline(), held);
    owner_.tick(now_);
    for (const auto& [to, wait] : sent<Wait>()) {
      EXPECT_EQ(to, peer(3));
      EXPECT_EQ(wait.what, Wait::For::Turn);
      EXPECT_LE(now_, promised);
      promised = now_ + std::chrono::milliseconds(wait.next_ms) + 1ms;
      beats.push_back(now_);
    }
  }
  EXPECT_TRUE(sent<Lease>().empty()) << "its holder says that it goes on";
  EXPECT_LE(beats.size(), 25u);
  EXPECT_GE(beats.size(), 15u);
  EXPECT_LE(beats[1] - beats[0], 60ms);
  // What it last promised was two seconds.
  now_ = held + limits_.lease_after(2s) + 1s;
  owner_.tick(now_);
  owner_.tick(now_);
  EXPECT_EQ(sent<Lease>().size(), 1u) << "and is silent";
}

TEST_F(OwnerTest, ALeaseThatHasEndedWakesNobodyLater) {
  ask(2, 20);
  const std::uint64_t lease = sent<Lease>().at(0).second.lease;
  EXPECT_LT(owner_.next_deadline(), TimePoint::max());
  owner_.on_release(peer(2), {.lease = lease, .key = key_, .outcome = ReleaseOutcome::Negative}, now_);
  EXPECT_EQ(owner_.next_deadline(), TimePoint::max());
}

}  // namespace
}  // namespace ghmesh::mesh
