// SPDX-License-Identifier: Apache-2.0
// What tokens of one repository are told of what the others read and spent.
#include <gtest/gtest.h>

#include "test_buckets.hpp"

namespace ghmesh::proxy {
namespace {

class Telling : public RepositoryBucketsTest {
 protected:
  mesh::RateRow row(std::uint32_t used, std::uint32_t spent, std::uint64_t reset = 5000, std::uint32_t limit = 1000) {
    return {.peer = mesh::nobody(),
            .resource = 0,
            .limit = limit,
            .remaining = limit - used,
            .used = used,
            .reset = reset,
            .age_ms = 0,
            .spent = spent};
  }
  // used and what others spent, as it was told last; nothing if it was told nothing.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> told(std::size_t n) {
    std::optional<std::pair<std::uint32_t, std::uint32_t>> out;
    for (const Readings::Told& each : live_.of_bucket)
      if (each.token == token(n)) out = {each.row.used, each.row.spent};
    return out;
  }
};

TEST_F(Telling, EachIsToldTheHighestReadingAndWhatTheOthersSpent) {
  start();
  for (std::size_t n = 1; n <= 3; ++n) asks(n);
  asks(4, "o/two");
  loop_.advance(1s);
  live_.rows = {
      {token(1), {row(10, 4)}}, {token(2), {row(12, 5, 5004)}}, {token(3), {row(11, 3)}}, {token(4), {row(700, 700)}}};
  reads(1, 5000);
  buckets_->answered(request(1), "core", {});
  EXPECT_TRUE(live_.of_bucket.empty());
  loop_.advance(1s);
  EXPECT_EQ(told(1), std::pair(12u, 8u));
  EXPECT_EQ(told(2), std::pair(12u, 7u));
  EXPECT_EQ(told(3), std::pair(12u, 9u));
  EXPECT_FALSE(told(4)) << "alone in its bucket";
  for (const Readings::Told& each : live_.of_bucket) {
    EXPECT_FALSE(each.certain);
    EXPECT_EQ(each.teller, "other tokens here");
  }
}

TEST_F(Telling, WhatDoesNotFitTogetherIsNotTold) {
  start();
  for (std::size_t n = 1; n <= 4; ++n) asks(n);
  loop_.advance(1s);
  live_.rows = {{token(1), {row(10, 4)}}, {token(2), {row(12, 5, 5006)}}, {token(3), {row(500, 3, 5000, 5000)}}};
  asks(5);  // marks
  loop_.advance(1s);
  for (std::size_t n = 1; n <= 5; ++n) EXPECT_FALSE(told(n)) << n;
}

TEST_F(Telling, ThoseThatAskedInTheLastMinuteAreToldAndTheJobsOwnAlways) {
  start({.repository = "o/one", .token = token(0)});
  asks(1);
  asks(2);
  live_.rows = {{token(0), {row(1, 1)}}, {token(1), {row(2, 1)}}, {token(2), {row(3, 1)}}};
  loop_.advance(90s);
  live_.of_bucket.clear();
  asks(2);
  reads(2, 5000);
  buckets_->answered(request(2), "core", {});
  loop_.advance(2s);
  EXPECT_TRUE(told(0));
  EXPECT_FALSE(told(1));
  EXPECT_TRUE(told(2));
}

TEST_F(Telling, ItIsDoneTwiceASecondAtMostUnlessNothingIsLeft) {
  start();
  asks(1);
  asks(2);
  loop_.advance(5s);
  live_.rows = {{token(1), {row(2, 1)}}, {token(2), {row(3, 1)}}};
  live_.of_bucket.clear();
  reads(1, in(1h));
  for (int i = 0; i < 100; ++i) {
    buckets_->answered(request(1), "core", {});
    loop_.advance(10ms);
  }
  EXPECT_GE(live_.of_bucket.size(), 2u * 1);
  EXPECT_LE(live_.of_bucket.size(), 2u * 3);
  loop_.advance(1s);
  live_.of_bucket.clear();
  buckets_->answered(request(1), "core", {});
  loop_.run_until_idle();
  live_.of_bucket.clear();
  empties(1, in(1h), 1h);
  loop_.run_until_idle();
  EXPECT_EQ(live_.of_bucket.size(), 2u) << "at once";
}

// From a member: without a mesh all buckets have the same name, so here there is one.
TEST_F(Telling, AMembersReadingIsCertainOnlyIfBothSidesKnow) {
  start({.repository = "o/one", .token = token(0)});
  asks(1);
  mesh::Drawn drawn;
  drawn.rates = {row(7, 7)};
  buckets_->on_drawn(drawn);
  ASSERT_EQ(live_.of_bucket.size(), 2u);
  for (const Readings::Told& each : live_.of_bucket) EXPECT_EQ(each.certain, each.token == token(0));
  live_.of_bucket.clear();
  drawn.rates[0].resource |= 0x80;  // the sender guesses
  buckets_->on_drawn(drawn);
  ASSERT_EQ(live_.of_bucket.size(), 2u);
  for (const Readings::Told& each : live_.of_bucket) {
    EXPECT_FALSE(each.certain);
    EXPECT_EQ(each.row.resource, 0);
  }
  live_.of_bucket.clear();
  drawn.bucket.fill(1);
  buckets_->on_drawn(drawn);
  EXPECT_TRUE(live_.of_bucket.empty()) << "another bucket";
}

}  // namespace
}  // namespace ghmesh::proxy
