// SPDX-License-Identifier: Apache-2.0
// Which tokens are taken for those of one repository, and stop and go on together.
#include <gtest/gtest.h>

#include "proxy/limits.hpp"
#include "test_buckets.hpp"

namespace ghmesh::proxy {
namespace {

// ---- who is taken in

TEST_F(RepositoryBucketsTest, OnlyWhatLooksLikeAJobsTokenIsTakenIn) {
  start();
  for (const char* credential :
       {"Bearer ghp_personal", "Bearer gho_app", "Basic Z2hzXw==", "Bearer Ghs_1", "ghs_1", ""}) {
    Plan plan = request(1);
    plan.request.authorization = crypto::SecretText(credential);
    buckets_->asks(plan);
    EXPECT_EQ(buckets_->tokens(), 0u) << credential;
  }
  Plan nobody = request(1);
  nobody.request.anonymous = true;
  buckets_->asks(nobody);
  EXPECT_EQ(buckets_->tokens(), 0u);
  asks(1);
  asks(1, "o/two");
  EXPECT_EQ(buckets_->tokens(), 1u);
}

TEST_F(RepositoryBucketsTest, TheJobsOwnTokenIsKnownBeforeItAsks) {
  start({.repository = "O/One", .token = token(0)});
  EXPECT_EQ(buckets_->tokens(), 1u);
  reads(0, in(1h));
  asks(1);
  empties(1, in(1h), 1h);
  EXPECT_GE(waits(0), 1h);
  // It stays what it is, whatever it asks for.
  asks(0, "o/two", 10);
  EXPECT_GE(waits(0), 1h);

  for (const JobOfNode& half : {JobOfNode{}, JobOfNode{.repository = "o/one", .token = std::nullopt},
                                JobOfNode{.repository = "", .token = token(0)},
                                JobOfNode{.repository = "o/one", .token = github::kAnonymousPartition}}) {
    start(half);
    EXPECT_EQ(buckets_->tokens(), 0u);
  }
}

TEST_F(RepositoryBucketsTest, TokensAreBoundedAndForgottenAfterTenMinutes) {
  start({.repository = "o/one", .token = token(0)});
  for (std::size_t n = 1; n < Limits::kSealers + 10; ++n) asks(n);
  EXPECT_EQ(buckets_->tokens(), Limits::kSealers);
  loop_.advance(9min);
  asks(7);
  loop_.advance(2min);
  EXPECT_EQ(buckets_->tokens(), 2u) << "the job's own, and the one that asked";
  asks(2000);
  EXPECT_EQ(buckets_->tokens(), 3u);
  loop_.advance(1h);
  EXPECT_EQ(buckets_->tokens(), 1u);
}

// ---- what it guesses

// Which of two repositories, of whose pauses one token hears.
class Guess : public RepositoryBucketsTest {
 protected:
  void SetUp() override { start({.repository = "o/home", .token = token(9)}); }
  bool belongs_to(std::size_t n, std::string_view repository) {
    const github::UnixSeconds reset = in(1h);
    reads(n, reset);
    const std::size_t other = 100 + ++others_;
    buckets_->asks(request(other, repository));
    reads(other, reset, 0);
    buckets_->answered(request(other), "core", 1h);
    const bool waited = waits(n) > Duration::zero();
    buckets_->answered(request(other), "core", {});
    return waited;
  }
  std::size_t others_ = 0;
};

TEST_F(Guess, ItIsTheRepositoryThatIsAskedForMost) {
  asks(1, "o/one");
  EXPECT_TRUE(belongs_to(1, "o/one"));
  EXPECT_TRUE(belongs_to(1, "O/ONE"));
  EXPECT_FALSE(belongs_to(1, "o/two"));
  asks(1, "o/two");
  EXPECT_TRUE(belongs_to(1, "o/one")) << "as often is not more";
  asks(1, "O/Two");
  EXPECT_TRUE(belongs_to(1, "o/two"));
  EXPECT_FALSE(belongs_to(1, "o/one"));
}

TEST_F(Guess, TheNodesOwnRepositoryIsTheFirstGuessAndCountsOneMore) {
  asks(1, "");
  EXPECT_TRUE(belongs_to(1, "o/home")) << "a request of no repository";
  asks(1, "o/one");
  EXPECT_TRUE(belongs_to(1, "o/one"));
  asks(1, "o/home");
  EXPECT_TRUE(belongs_to(1, "o/home"));
  asks(1, "o/one");
  asks(1, "o/one");
  EXPECT_TRUE(belongs_to(1, "o/one"));
}

TEST_F(Guess, WithoutOneATokenOfNoRepositoryIsInNoBucket) {
  start();
  asks(1, "");
  EXPECT_EQ(buckets_->tokens(), 1u);
  empties(1, in(1h), 1h);
  EXPECT_EQ(waits(1), Duration::zero());
}

TEST_F(Guess, OnlyTheFirstFourRepositoriesAreCounted) {
  for (const char* repository : {"o/a", "o/b", "o/c", "o/d"}) asks(1, repository);
  asks(1, "o/e", 100);
  EXPECT_FALSE(belongs_to(1, "o/e"));
  asks(1, "o/d");
  EXPECT_TRUE(belongs_to(1, "o/d"));
}

// ---- what makes it agree

TEST_F(RepositoryBucketsTest, APauseHoldsTokensOfTheSameRepositoryLimitAndWindow) {
  start();
  const github::UnixSeconds reset = in(1h);
  for (std::size_t n = 1; n <= 5; ++n) asks(n);
  asks(6, "o/two");
  reads(2, reset, 0);
  reads(3, reset, 0, 5000);
  reads(4, reset + 60, 0);
  live_.hints[{token(5), "core"}] = {"core", 1000, 0, 1000, reset};
  reads(6, reset, 0);
  empties(1, reset, 1h);
  EXPECT_GE(waits(1), 1h);
  EXPECT_GE(waits(2), 1h);
  EXPECT_EQ(waits(3), Duration::zero()) << "another limit";
  EXPECT_EQ(waits(4), Duration::zero()) << "another window";
  EXPECT_EQ(waits(5), Duration::zero()) << "told nothing itself, and known by guess";
  EXPECT_EQ(waits(6), Duration::zero()) << "another repository";
  EXPECT_EQ(waits(100), Duration::zero()) << "not taken in";
  reads(2, reset, 0, 1000, "graphql");
  EXPECT_EQ(waits(2, "graphql"), Duration::zero()) << "another resource";
}

// Whichever of the steps into which ends are sorted the seconds fall.
TEST_F(RepositoryBucketsTest, EndsOfOneWindowMayLieFiveSecondsApart) {
  for (github::UnixSeconds first = in(1h); first < in(1h + 16s); ++first) {
    for (const int apart : {-5, -1, 1, 5}) {
      start();
      asks(1);
      asks(2);
      reads(2, first + apart, 0);
      empties(1, first, 1h);
      EXPECT_GE(waits(2), 1h) << first << " " << apart;
      // And a word of the other that it is over counts for both.
      reads(2, first + apart, 900);
      buckets_->answered(request(2), "core", {});
      EXPECT_EQ(waits(1), Duration::zero()) << first << " " << apart;
    }
    start();
    asks(1);
    asks(2);
    reads(2, first + 22, 0);
    empties(1, first, 1h);
    EXPECT_EQ(waits(2), Duration::zero()) << first;
  }
}

TEST_F(RepositoryBucketsTest, OfTheJobsOwnTokenAHintIsEnough) {
  start({.repository = "o/one", .token = token(0)});
  asks(1);
  const github::UnixSeconds reset = in(1h);
  empties(1, reset, 1h);
  EXPECT_EQ(waits(0), Duration::zero());
  live_.hints[{token(0), "core"}] = {"core", 1000, 0, 1000, reset};
  EXPECT_GE(waits(0), 5min);
  EXPECT_LE(waits(0), 5min) << "it has not been told anything itself";
  reads(0, reset, 500);
  EXPECT_GE(waits(0), 1h);
}

TEST_F(RepositoryBucketsTest, APauseIsOfAWindowThatGitHubToldOf) {
  start({.repository = "o/one", .token = token(0)});
  asks(1);
  const github::UnixSeconds reset = in(1h);
  reads(1, reset, 0);
  live_.hints[{token(0), "core"}] = {"core", 1000, 0, 1000, reset};
  buckets_->answered(request(0), "core", 1h);
  EXPECT_EQ(waits(1), Duration::zero());
}

TEST_F(RepositoryBucketsTest, WhoDoubtsTheBucketDoesNotFollow) {
  start();
  asks(1);
  asks(2);
  const github::UnixSeconds reset = in(1h);
  reads(2, reset, 0);
  empties(1, reset, 1h);
  live_.doubters.insert(token(2));
  EXPECT_EQ(waits(2), Duration::zero());
  live_.doubters.clear();
  EXPECT_GE(waits(2), 1h);
}

// ---- what ends it

TEST_F(RepositoryBucketsTest, WhoIsNotSureFollowsForFiveMinutesAndThenLooks) {
  start();
  asks(1);
  asks(2);
  const github::UnixSeconds reset = in(1h);
  reads(2, reset, 3);  // by its own last word something is left
  empties(1, reset, 1h);
  loop_.advance(9min);
  asks(2);
  EXPECT_EQ(waits(2), 5min) << "from when it asked";
  loop_.advance(4min);
  EXPECT_EQ(waits(2), 1min);
  loop_.advance(1min);
  EXPECT_EQ(waits(2), Duration::zero());
  // It looked, and nothing is left: now it is sure, for as long as its answer says.
  empties(2, reset, 45min);
  EXPECT_GE(waits(2), 45min);
}

TEST_F(RepositoryBucketsTest, AnAnswerWithSomethingLeftEndsThePauseForAll) {
  start();
  for (std::size_t n = 1; n <= 3; ++n) asks(n);
  const github::UnixSeconds reset = in(1h);
  reads(2, reset, 0);
  reads(3, reset, 0);
  empties(1, reset, 1h);
  ASSERT_GE(waits(2), 1h);
  reads(3, reset, 500);
  buckets_->answered(request(3), "core", {});
  for (std::size_t n = 1; n <= 3; ++n) EXPECT_EQ(waits(n), Duration::zero()) << n;
}

// The next window's first answer is another window's, and ends the last one's pause as well.
TEST_F(RepositoryBucketsTest, TheFirstAnswerOfTheNextWindowEndsThePauseOfTheLast) {
  start();
  asks(1);
  asks(2);
  const github::UnixSeconds reset = in(60s);
  reads(2, reset, 0);
  empties(1, reset, 1min);
  ASSERT_EQ(waits(1), 1min);
  ASSERT_GE(waits(2), 1min);
  loop_.advance(1min);
  live_.owns.clear();
  EXPECT_EQ(waits(1), Duration::zero());
  EXPECT_GT(waits(2), Duration::zero()) << "its own window is over, and it comes back after the first";
  reads(1, reset + 3600, 999);
  buckets_->answered(request(1), "core", {});
  EXPECT_EQ(waits(2), Duration::zero());
}

TEST_F(RepositoryBucketsTest, ALaterPauseIsNotCutShortByAnEarlierOne) {
  start();
  asks(1);
  asks(2);
  const github::UnixSeconds reset = in(1h);
  reads(2, reset, 0);
  empties(1, reset, 30min);
  buckets_->answered(request(1), "core", 10min);
  EXPECT_GE(waits(2), 30min);
  EXPECT_LT(waits(2), 31min);
}

TEST_F(RepositoryBucketsTest, TokensComeBackInTheOrderInWhichTheyAsked) {
  start();
  const github::UnixSeconds reset = in(1h);
  for (std::size_t n = 1; n <= 20; ++n) {
    asks(n);
    reads(n, reset, 0);
  }
  empties(1, reset, 5min);
  for (std::size_t n = 20; n >= 1; --n) {
    const auto place = std::min<std::int64_t>(20 - static_cast<std::int64_t>(n), 16);
    EXPECT_EQ(waits(n), 5min + place * 400ms) << n << ": sixteen places, and one for all others";
  }
  EXPECT_EQ(waits(20), 5min) << "its place stays";
  loop_.advance(5min + 1s);
  EXPECT_EQ(waits(20), Duration::zero());
  EXPECT_EQ(waits(16), 4 * 400ms - 1s);
  loop_.advance(10s);
  for (std::size_t n = 1; n <= 20; ++n) EXPECT_EQ(waits(n), Duration::zero()) << n;
}

TEST_F(RepositoryBucketsTest, PausesAreBoundedAndForgotten) {
  start();
  asks(1);
  const github::UnixSeconds first = in(1h);
  const auto fill = [&](int from, int count, Duration pause) {
    for (int i = from; i < from + count; ++i) empties(1, first + i * 16, pause);
  };
  fill(0, 1024, 1min);
  EXPECT_GE(waits(1), 1min);
  fill(2000, 1, 1min);
  EXPECT_EQ(waits(1), Duration::zero()) << "no room";
  fill(1023, 1, 1min);
  EXPECT_GE(waits(1), 1min) << "what was there is";
  loop_.advance(2min);
  fill(2000, 1, 1min);
  EXPECT_GE(waits(1), 1min);
}

TEST_F(RepositoryBucketsTest, ATokenThatMovesTakesNoPauseAlong) {
  start();
  asks(1);
  asks(2);
  const github::UnixSeconds reset = in(1h);
  reads(2, reset, 0);
  empties(1, reset, 1h);
  ASSERT_GE(waits(2), 1h);
  asks(2, "o/two", 3);
  EXPECT_EQ(waits(2), Duration::zero());
  asks(3, "o/two");
  reads(3, reset, 0);
  EXPECT_EQ(waits(3), Duration::zero());
  // Nor does the window of before count there.
  buckets_->answered(request(3, "o/two"), "core", 1h);
  EXPECT_GE(waits(3), 1h);
  asks(1, "o/two", 3);
  live_.owns.erase({token(1), "core"});
  EXPECT_EQ(waits(1), Duration::zero());
}

}  // namespace
}  // namespace ghmesh::proxy
