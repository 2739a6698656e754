// SPDX-License-Identifier: Apache-2.0
#include "finder.hpp"

#include <gtest/gtest.h>

#include "test_peers.hpp"

namespace ghmesh::mesh {
namespace {

// A member that asks three others, of whom nobody answers unless the test does.
class FinderTest : public testing::Test {
 protected:
  FinderTest() {
    bus_.everybody = [] { return std::vector<PeerId>{}; };
    bus_.is_member = [](const PeerId&) { return true; };
    for (const PeerId& member : {self_, peer(2), peer(3), peer(4)}) bus_.ranks.set(member, 1);
    bus_.members = 3;
  }

  // A key for which this member stands at that rank; kRanks: it has no say.
  LookupKey ranking(std::size_t rank) const {
    LookupKey key{};
    while (bus_.ranks.rank_of(self_, partition_of(key)) != rank) ++key.back();
    return key;
  }
  FindId find(const LookupKey& key) { return finder_.find(key, tag(1), {}, {}, now_); }
  bool asked_others() {
    const bool asked =
        std::ranges::any_of(bus_.out, [](const Outgoing& each) { return std::holds_alternative<Ask>(each.message); });
    bus_.out.clear();
    return asked;
  }
  // A network that carries nothing, until the mesh is not asked any more.
  void lose_everybody() {
    for (int searches = 0; searches < 8; ++searches) {
      find(ranking(kRanks));
      for (const TimePoint until = now_ + limits_.patience_over_budget; now_ < until; now_ += 1ms) finder_.tick(now_);
      for (std::uint8_t n = 2; n <= 4; ++n) bus_.scores.note(peer(n), Experience::Answered, now_);
    }
    find(ranking(kRanks));
    asked_others();
    find(ranking(kRanks));
    ASSERT_FALSE(asked_others()) << "once a second only";
    finder_.take_results();
  }

  const PeerId self_ = peer(1);
  const ExchangeLimits limits_;
  SeededRandom random_{1};
  Bus bus_{self_, limits_, random_};
  Finder finder_{bus_, [](const Shadow&, TimePoint) {}};
  TimePoint now_{1h};
};

TEST_F(FinderTest, WhatIsDecidedHereIsNoTryOfTheMesh) {
  lose_everybody();
  now_ += 2s;
  find(ranking(0));
  find(ranking(kRanks));
  EXPECT_TRUE(asked_others());
  find(ranking(kRanks));
  EXPECT_FALSE(asked_others()) << "that was the try";
}

TEST_F(FinderTest, WhoComesBackIsAskedAtOnceAndByAll) {
  lose_everybody();
  finder_.on_come();
  find(ranking(kRanks));
  EXPECT_TRUE(asked_others());
  find(ranking(kRanks));
  EXPECT_TRUE(asked_others());
}

TEST_F(FinderTest, AnAnsweredQuestionWakesNobodyLater) {
  const LookupKey key = ranking(kRanks);
  const FindId id = find(key);
  EXPECT_EQ(finder_.next_deadline(), now_ + limits_.first_answer);
  const auto item = std::make_shared<Item>();
  item->key = key;
  Body body{.id = id, .item = item, .fresh = {}};
  body.fresh.tag = tag(1);
  ASSERT_TRUE(finder_.on_answer(bus_.out.front().to, id, body, now_ + 1ms));
  ASSERT_EQ(finder_.take_results().size(), 1u);
  EXPECT_EQ(finder_.next_deadline(), TimePoint::max());
}

}  // namespace
}  // namespace ghmesh::mesh
