// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

// GitHub's limits: none is hit by a node's own haste, and who would wait too long hears it in GitHub's words.

namespace ghmesh::scenario {
namespace {

class Pace : public Stage {
 protected:
  io::Task<> client(Node& n, int number, TimePoint end) {
    while (loop.now() < end) {
      const std::string target =
          root + "/issues/" + std::to_string(1 + number % 30) + "?client=" + std::to_string(number);
      const std::shared_ptr<Got> got = n.start({"GET", target, kAlice});
      while (!got->done) co_await loop.sleep_for(5ms);
      ++statuses[got->status];
    }
  }
  std::map<int, std::size_t> statuses;
};

TEST_F(Pace, AHundredClientsInBurstsMeetNoSecondaryLimitAndLoseNoPace) {
  Node& n = node();
  origin.latency = 100ms;
  io::TaskGroup group(loop);
  const TimePoint end = loop.now() + 60s;
  for (int i = 0; i < 100; ++i) group.spawn(client(n, i, end));
  loop.run_until([&] { return loop.now() >= end; });
  const std::uint64_t in_a_minute = upstream();
  loop.run_until([&] { return group.size() == 0; });
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
  EXPECT_EQ(statuses[200], statuses[200] + statuses[403] + statuses[502]);
  EXPECT_GE(in_a_minute, 0.9 * 12 * 60);
  EXPECT_LE(in_a_minute, 900u);
  EXPECT_LE(origin.most_in_flight, 60u);
}

// Slow answers: what is in flight bounds the pace then.
TEST_F(Pace, SlowAnswersNeverPutMoreThanSixtyInFlight) {
  Node& n = node();
  origin.latency = 10s;
  io::TaskGroup group(loop);
  const TimePoint end = loop.now() + 60s;
  for (int i = 0; i < 100; ++i) group.spawn(client(n, i, end));
  loop.run_until([&] { return group.size() == 0; });
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
  EXPECT_LE(origin.most_in_flight, 60u);
}

TEST_F(Pace, WhoWouldWaitTooLongHearsItInGithubsWords) {
  NodeOptions options = quick();
  options.pacing.max_queue = 2s;
  options.pacing.burst = 12;
  Node& n = node(options);
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 100; ++i) gots.push_back(n.start({"GET", root + "/issues/1?n=" + std::to_string(i), kAlice}));
  ASSERT_TRUE(run_all(gots));
  std::size_t refused = 0;
  for (const auto& got : gots) {
    EXPECT_LE(got->took, 3s);
    if (got->status == 200) continue;
    ++refused;
    EXPECT_EQ(got->status, 403);
    EXPECT_NE(got->body.find("secondary rate limit"), std::string::npos) << got->body;
    EXPECT_NE(got->field("Retry-After"), "");
  }
  EXPECT_GE(refused, 50u);
  EXPECT_LE(refused, 76u);
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
}

TEST_F(Pace, ASpentBudgetIsSaidHereUntilItsReset) {
  github.quota.rules.user_core = 3;
  Node& n = node();
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(get(n, root + "/issues/" + std::to_string(i), kAlice).status, 200);
  const std::uint64_t asked = upstream();
  for (int i = 4; i <= 9; ++i) {
    const Got got = get(n, root + "/issues/" + std::to_string(i), kAlice);
    EXPECT_EQ(got.status, 403);
    EXPECT_NE(got.body.find("API rate limit exceeded"), std::string::npos) << got.body;
    EXPECT_EQ(got.field("X-RateLimit-Remaining"), "0");
    EXPECT_NE(got.field("X-RateLimit-Reset"), "");
    EXPECT_FALSE(got.fields.has("Retry-After"));
  }
  EXPECT_LE(upstream(), asked + 1);
  // Other tokens are not concerned.
  EXPECT_EQ(get(n, root, kBob).status, 200);
  loop.advance(std::chrono::hours(1) + std::chrono::minutes(10));
  EXPECT_EQ(get(n, root + "/issues/4", kAlice).status, 200);
}

TEST_F(Pace, ASecondaryLimitFromGithubIsWaitedOutAndNotStormed) {
  Node& n = node();
  bool closed = true;
  origin.middle = [&](const standin::Request&, standin::Response& response) {
    if (!closed) return;
    response = {};
    response.status = 403;
    response.fields.add("Retry-After", "10");
    for (const char* name : {"Limit", "Remaining", "Used"})
      response.fields.add(std::string("X-RateLimit-") + name, "5000");
    response.fields.add("X-RateLimit-Reset", "4000000000");
    response.fields.add("X-RateLimit-Resource", "search");
    response.fields.add("Content-Type", "application/json; charset=utf-8");
    response.body = R"({"message":"You have exceeded a secondary rate limit."})";
    response.fields.add("Content-Length", std::to_string(response.body.size()));
  };
  EXPECT_EQ(get(n, root, kAlice).status, 403);
  EXPECT_EQ(n.stats.upstream_calls.value(), 1u);
  EXPECT_EQ(n.stats.charged_calls.value(), 0u);  // it says how much is left, and took nothing of it
  closed = false;
  const std::uint64_t asked = origin.seen.size();
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 1; i <= 20; ++i) gots.push_back(n.start({"GET", root + "/issues/" + std::to_string(i), kAlice}));
  loop.advance(9s);
  EXPECT_EQ(origin.seen.size(), asked);
  ASSERT_TRUE(run_all(gots));
  for (const auto& got : gots) {
    EXPECT_EQ(got->status, 200);
    EXPECT_GE(got->took, 10s);
  }
}

TEST_F(Pace, LocalAnswersCarryTheTokensLatestReading) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  get(n, root, kAlice);
  get(n, root + "/issues/1", kAlice);
  get(n, root + "/issues/2", kAlice);
  get(n, root + "/issues/1", kCarol);
  const Got hit = get(n, root, kAlice);
  ASSERT_TRUE(hit.from("detail=memory")) << hit.field("Cache-Status");
  EXPECT_EQ(hit.field("X-RateLimit-Remaining"), "4997");
  EXPECT_EQ(hit.field("X-RateLimit-Used"), "3");
  EXPECT_EQ(hit.field("X-From-Cache"), "1");
  EXPECT_EQ(hit.fields.view().count("X-RateLimit-Remaining"), 1u);
}

TEST_F(Pace, AReserveIsKeptForWrites) {
  NodeOptions options = quick();
  options.reserve_percent = 50;
  github.quota.rules.user_core = 10;
  Node& n = node(options);
  int served = 0;
  for (int i = 1; i <= 10; ++i) served += get(n, root + "/issues/" + std::to_string(i), kAlice).status == 200;
  EXPECT_EQ(served, 5);
  EXPECT_EQ(ask(n, {"POST", root + "/issues/1/comments", kAlice, {}, R"({"body":"still possible"})"}).status, 201);
}

}  // namespace
}  // namespace ghmesh::scenario
