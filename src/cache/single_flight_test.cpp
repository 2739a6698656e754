// SPDX-License-Identifier: Apache-2.0
#include "cache/single_flight.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace ghmesh::cache {
namespace {

using Role = SingleFlight::Role;

// A request at the table: what it joined as and what became of it.
struct Waiter {
  SingleFlight::Joined joined;
  std::optional<Landing> landing;
  SingleFlight::Lead lead;
  SingleFlight::Follow follow;
};

class Flights : public testing::Test {
 protected:
  Waiter& join(std::string_view key = "k") {
    Waiter& waiter = waiters_.emplace_back();
    waiter.joined = table_.join(key, now_, waiter.follow, [&waiter](Landing landing, SingleFlight::Lead lead) {
      waiter.landing = landing;
      waiter.lead = std::move(lead);
    });
    return waiter;
  }

  SingleFlight table_;
  TimePoint now_{std::chrono::hours(1)};
  std::deque<Waiter> waiters_;
};

TEST_F(Flights, OneLeadsAndTheOthersFindItsAnswer) {
  Waiter& leader = join();
  ASSERT_EQ(leader.joined.role, Role::Leader);
  for (int i = 0; i < 10; ++i) ASSERT_EQ(join().joined.role, Role::Follower);
  EXPECT_EQ(join("other").joined.role, Role::Leader);
  EXPECT_EQ(table_.followers(), 10u);
  leader.joined.lead.finish();
  for (int i = 1; i <= 10; ++i) EXPECT_EQ(waiters_[static_cast<std::size_t>(i)].landing, Landing::Done);
  EXPECT_EQ(join().joined.role, Role::Leader);
}

TEST_F(Flights, AFailedLeaderHandsOverOneByOne) {
  Waiter& first = join();
  Waiter& second = join();
  Waiter& third = join();
  first.joined.lead.fail();
  EXPECT_EQ(second.landing, Landing::Lead);
  EXPECT_FALSE(third.landing);
  EXPECT_EQ(join().joined.role, Role::Follower);
  second.lead = SingleFlight::Lead();  // dropped without a word: failed
  EXPECT_EQ(third.landing, Landing::Lead);
  third.lead.finish();
  EXPECT_EQ(waiters_[3].landing, Landing::Done);
  EXPECT_EQ(table_.flights(), 0u);
}

TEST_F(Flights, AHungLeaderLosesItsFollowersInTime) {
  Waiter& leader = join();
  Waiter& early = join();
  now_ += std::chrono::seconds(3);
  Waiter& late = join();
  EXPECT_EQ(table_.expire(now_), now_ + std::chrono::seconds(2));
  now_ += std::chrono::seconds(2);
  EXPECT_EQ(table_.expire(now_), now_ + std::chrono::seconds(3));
  EXPECT_EQ(early.landing, Landing::Alone);
  EXPECT_FALSE(late.landing);
  leader.joined.lead.finish();
  EXPECT_EQ(late.landing, Landing::Done);
  EXPECT_EQ(table_.expire(now_), TimePoint::max());
}

TEST_F(Flights, AnAnswerNotToShareSendsEveryoneAlone) {
  Waiter& leader = join();
  Waiter& follower = join();
  leader.joined.lead.release();
  EXPECT_EQ(follower.landing, Landing::Alone);
}

TEST_F(Flights, TheQueueIsBounded) {
  join();
  for (std::size_t i = 0; i < Limits::kFollowers; ++i) ASSERT_EQ(join().joined.role, Role::Follower);
  EXPECT_EQ(join().joined.role, Role::Alone);
  waiters_[5].follow.~Follow();
  new (&waiters_[5].follow) SingleFlight::Follow();
  EXPECT_EQ(join().joined.role, Role::Follower);
}

TEST_F(Flights, AClientThatLeavesIsNotCalled) {
  Waiter& leader = join();
  {
    SingleFlight::Follow gone;
    table_.join("k", now_, gone, [](Landing, SingleFlight::Lead) { FAIL(); });
  }
  EXPECT_EQ(table_.followers(), 0u);
  leader.joined.lead.finish();
}

// A write goes by while a read is out: the read's answer may be older than the write.
TEST_F(Flights, AWriteTaintsTheFlightAndStartsAnother) {
  Waiter& before = join();
  Waiter& follower = join();
  table_.taint("k");
  EXPECT_TRUE(before.joined.lead.tainted());
  Waiter& after = join();
  EXPECT_EQ(after.joined.role, Role::Leader);
  EXPECT_FALSE(after.joined.lead.tainted());
  before.joined.lead.release();
  EXPECT_EQ(follower.landing, Landing::Alone);
  after.joined.lead.finish();
  EXPECT_EQ(table_.flights(), 0u);
}

TEST_F(Flights, CallbacksMayComeBackAtOnce) {
  Waiter& leader = join();
  SingleFlight::Follow again, follow;
  Role role = Role::Alone;
  table_.join("k", now_, follow, [&](Landing, SingleFlight::Lead) {
    role = table_.join("k", now_, again, [](Landing, SingleFlight::Lead) {}).role;
  });
  leader.joined.lead.finish();
  EXPECT_EQ(role, Role::Leader);
}

}  // namespace
}  // namespace ghmesh::cache
