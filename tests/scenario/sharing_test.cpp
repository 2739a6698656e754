// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

// What tokens may have from each other, and what it costs: the promise of the project in numbers.

namespace ghmesh::scenario {
namespace {

using Sharing = Stage;

TEST_F(Sharing, FiveTokensAndAHundredResourcesCostAHundredOnce) {
  Node& n = node();
  std::vector<std::string> tokens;
  for (int i = 0; i < 5; ++i) {
    const std::string value = "many-" + std::to_string(i);
    github.tokens.add_user(value, "user" + std::to_string(i), {"octo-org/repo-1", "octo-org/repo-2"});
    tokens.push_back("Bearer " + value);
  }
  std::vector<std::string> targets;
  for (const std::string& path : paths)
    // An empty list costs nothing once the class is known (rule 10); a full page brings its successor with it (rule 9).
    if (targets.size() < 100 && path.find(' ') == std::string::npos && github.world.find(path)->body != "[]" &&
        !path.ends_with("/issues"))
      targets.push_back(path);
  ASSERT_EQ(targets.size(), 100u);
  for (int round = 0; round < 2; ++round) {
    for (const std::string& token : tokens)
      for (const std::string& target : targets) {
        const Got got = get(n, target, token, round == 0 ? http::Fields() : no_cache());
        ASSERT_EQ(got.status, 200) << target << got.body;
        EXPECT_EQ(got.body, direct({"GET", target, token}).body) << target;
      }
    EXPECT_EQ(newly_charged(), round == 0 ? 100u : 0u);
  }
}

// ---- two hundred jobs of one repository, twenty requests each, a budget of a thousand

class Headline : public Stage {
 protected:
  static constexpr int kJobs = 200;
  static constexpr int kRequests = 20;

  Headline() {
    for (int i = 0; i < kJobs; ++i) {
      github.tokens.add_job("ghs_job-" + std::to_string(i), "octo-org/repo-2");
      jobs.push_back("Bearer ghs_job-" + std::to_string(i));
    }
    // What a job looks at: the repository, its code, some issues and pulls, its own run.
    targets = {secret, secret + "/contents/README.md", secret + "/readme", secret + "/languages", secret + "/labels"};
    for (int i = 0; i < 6; ++i) targets.push_back(secret + "/contents/data/file-" + std::to_string(i) + ".txt");
    for (int i = 1; i <= 4; ++i) targets.push_back(secret + "/issues/" + std::to_string(i));
    targets.push_back(secret + "/pulls/36");
    targets.push_back(secret + "/branches/main");
    targets.push_back(secret + "/git/ref/heads/main");
    targets.push_back(secret + "/actions/runs");
    targets.push_back(secret + "/releases/latest");
    for (const std::string& target : targets) expected[target] = direct({"GET", target, jobs[0]}).body;
  }

  static io::Task<> job(Headline& stage, Node& n, std::string token, std::vector<std::string> what) {
    for (const std::string& target : what) {
      const std::shared_ptr<Got> got = n.start({"GET", target, token});
      while (!got->done) co_await stage.loop.sleep_for(1ms);
      stage.asked += 1;
      stage.right += got->status == 200 && got->whole && got->body == stage.expected[target];
      stage.longest = std::max(stage.longest, got->took);
    }
  }
  void run_jobs(Node& n, bool at_once, const std::vector<std::string>& what) {
    io::TaskGroup group(loop);
    for (const std::string& token : jobs) {
      group.spawn(job(*this, n, token, what));
      if (!at_once) loop.run_until([&] { return group.size() == 0; });
    }
    loop.run_until([&] { return group.size() == 0; });
  }

  std::vector<std::string> jobs;
  std::vector<std::string> targets;
  std::map<std::string, std::string> expected;
  std::size_t asked = 0;
  std::size_t right = 0;
  Duration longest{};
};

TEST_F(Headline, WithoutANodeTheBudgetIsGone) {
  ASSERT_EQ(targets.size(), std::size_t{kRequests});
  std::size_t refused = 0;
  for (const std::string& token : jobs)
    for (const std::string& target : targets) {
      standin::Request request{"GET", target, http::Fields{{"User-Agent", "x"}, {"Authorization", token}}, {}};
      refused += github.handle(request, loop.wall_now()).status == 403;
    }
  EXPECT_EQ(charged(), 1000u);
  EXPECT_EQ(refused, 3000u);
}

TEST_F(Headline, JobsOneAfterTheOther) {
  Node& n = node(NodeOptions{});
  run_jobs(n, false, targets);
  EXPECT_EQ(right, 4000u);
  EXPECT_LE(charged(), 25u);
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
}

TEST_F(Headline, JobsAllAtTheSameInstant) {
  Node& n = node(NodeOptions{});
  run_jobs(n, true, targets);
  EXPECT_EQ(right, 4000u);
  EXPECT_LE(charged(), 25u);
  EXPECT_EQ(github.journal.total().secondary_limited, 0u);
  EXPECT_LE(longest, 5s);
}

TEST_F(Headline, JobsAllAtOnceOnAHostThatIsKnown) {
  NodeOptions options;
  options.vouched = true;
  Node& n = node(options);
  run_jobs(n, true, targets);
  EXPECT_EQ(right, 4000u);
  EXPECT_LE(charged(), 25u);
}

// The hardest case for learning: nobody asks for anything else.
TEST_F(Headline, OneResourceTwentyTimesByAllAtOnce) {
  Node& n = node(NodeOptions{});
  run_jobs(n, true, std::vector<std::string>(kRequests, secret));
  EXPECT_EQ(right, 4000u);
  EXPECT_LE(charged(), 25u);
  EXPECT_LE(longest, 5s);
}

// ---- who may see what

TEST_F(Sharing, ATokenWithoutAccessGetsGithubsOwn404AndNoByte) {
  Node& n = node();
  ASSERT_EQ(get(n, secret, kAlice).status, 200);
  ASSERT_TRUE(get(n, secret, kCarol).from("detail=proof"));
  const Got got = get(n, secret, kBob);
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(got.body, direct({"GET", secret, kBob}).body);
  EXPECT_EQ(got.body.find("repo-2"), std::string::npos);
  for (const http::Field& field : got.fields) EXPECT_EQ(field.value.find("repo-2"), std::string_view::npos);
}

TEST_F(Sharing, AForgedCandidateCostsOneOrdinaryFetchAndIsNeverServed) {
  Node& n = node();
  const std::string truth = get(n, root, kAlice).body;
  ASSERT_TRUE(n.forge({"GET", root, kAlice}, R"({"full_name":"octo-org/evil"})"));
  newly_charged();
  const Got carol = get(n, root, kCarol);
  EXPECT_EQ(carol.body, truth);
  EXPECT_EQ(newly_charged(), 1u);
  // Who holds the altered bytes as its own is asked about them too: GitHub does not vouch for them.
  const Got alice = get(n, root, kAlice);
  EXPECT_EQ(alice.body, truth);
  EXPECT_LE(newly_charged(), 1u);
  EXPECT_EQ(get(n, root, kBob).body, truth);
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Sharing, AChangeIsPaidForOnceByTokensThatHoldTheOldBody) {
  Node& n = node();
  const std::string tokens[] = {kAlice, kCarol};
  for (const std::string& token : tokens) get(n, root, token);
  for (int change = 0; change < 3; ++change) {
    loop.advance(2s);
    github.world.put_json(root, R"({"full_name":"octo-org/repo-1","change":)" + std::to_string(change) + "}",
                          loop.wall_now());
    newly_charged();
    for (const std::string& token : tokens)
      EXPECT_EQ(get(n, root, token, no_cache()).body, direct({"GET", root, token}).body) << change;
    EXPECT_EQ(newly_charged(), 1u) << change;
  }
}

// ---- one upstream request at a time

TEST_F(Sharing, FiftyClientsOnOneColdKeyMakeOneUpstreamCall) {
  Node& n = node();
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 50; ++i) gots.push_back(n.start({"GET", secret, kAlice}));
  ASSERT_TRUE(run_all(gots));
  EXPECT_EQ(upstream(), 1u);
  for (const auto& got : gots) EXPECT_EQ(got->body, gots[0]->body);
  EXPECT_EQ(n.answers(proxy::AnswerKind::Collapsed), 49u);
}

TEST_F(Sharing, AHungLeaderLetsItsFollowersGoAfterFiveSeconds) {
  Node& n = node();
  standin::FaultRule hang;
  hang.path = secret;
  hang.delivery.hang = true;
  github.faults.add(hang);
  const auto leader = n.start({"GET", secret, kAlice});
  loop.advance(1ms);
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 10; ++i) gots.push_back(n.start({"GET", secret, kAlice}));
  ASSERT_TRUE(run_all(gots));
  for (const auto& got : gots) {
    EXPECT_EQ(got->status, 200);
    EXPECT_LE(got->took, 5s + 100ms);
  }
  EXPECT_FALSE(leader->done);
  ASSERT_TRUE(run_all({leader}));
  EXPECT_EQ(leader->status, 504);
}

TEST_F(Sharing, AHungRequestOfAnotherTokenHoldsNobodyLongerThanFiveSeconds) {
  Node& n = node();
  ASSERT_EQ(get(n, root, kAlice).status, 200);  // the class is proven now
  standin::FaultRule hang;
  hang.path = secret;
  hang.delivery.hang = true;
  github.faults.add(hang);
  const auto leader = n.start({"GET", secret, kAlice});
  loop.advance(1ms);
  const Got carol = get(n, secret, kCarol);
  EXPECT_EQ(carol.status, 200);
  EXPECT_LE(carol.took, 5s + 100ms);
  EXPECT_FALSE(leader->done);
}

TEST_F(Sharing, TokensWithoutAccessDoNotWaitForEachOther) {
  Node& n = node();
  ASSERT_EQ(get(n, root, kAlice).status, 200);
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 30; ++i) {
    github.tokens.add_user("out-" + std::to_string(i), "out" + std::to_string(i));
    gots.push_back(n.start({"GET", secret, "Bearer out-" + std::to_string(i)}));
  }
  ASSERT_TRUE(run_all(gots));
  for (const auto& got : gots) {
    EXPECT_EQ(got->status, 404);
    EXPECT_LE(got->took, 100ms);
  }
}

TEST_F(Sharing, AChangeSeenByOneTokenIsPaidForOnce) {
  Node& n = node();
  ASSERT_EQ(get(n, secret, kAlice).status, 200);
  github.world.touch(secret, loop.wall_now() + 1h);
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 30; ++i) {
    github.tokens.add_job("ghs_c-" + std::to_string(i), "octo-org/repo-2");
    gots.push_back(n.start({"GET", secret, "Bearer ghs_c-" + std::to_string(i)}));
  }
  newly_charged();
  ASSERT_TRUE(run_all(gots));
  const std::string now = direct({"GET", secret, kAlice}).body;
  for (const auto& got : gots) EXPECT_EQ(got->body, now);
  EXPECT_EQ(newly_charged(), 1u);
}

// ---- nothing of one token's reaches another

TEST_F(Sharing, TenThousandInterleavedRequestsOfTwoTokensStayApart) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  origin.record = false;
  github.quota.rules.user_core = 1'000'000;
  github.quota.rules.secondary = false;
  // Each of two sees one private repository; every body of it carries its taint.
  for (const char* name : {"red", "blue"}) {
    const std::string full = std::string("octo-org/") + name;
    github.world.add_repository(full, true);
    github.tokens.add_user(std::string(name) + "-token", name, {full});
    for (int i = 0; i < 12; ++i)
      github.world.set_object("/repos/" + full + "/issues/" + std::to_string(i + 1),
                              "{\"number\":" + std::to_string(i + 1) + ",\"title\":\"taint-" + name + "\"}",
                              loop.wall_now());
  }
  // Short latency, many at once, from two clients that ask for both repositories, shared and private things alike.
  origin.latency = 3ms;
  std::vector<std::shared_ptr<Got>> gots;
  std::vector<std::pair<std::string, bool>> meant;  // the other's taint, whether it must be refused
  SeededRandom dice(42);
  std::size_t served = 0;
  for (int i = 0; i < 10'000; ++i) {
    const bool red = dice.below(2) == 0;
    const bool own = dice.below(2) == 0;
    const std::string whose = red == own ? "red" : "blue";
    const std::string target = dice.below(8) == 0
                                   ? root + "/languages"
                                   : "/repos/octo-org/" + whose + "/issues/" + std::to_string(1 + dice.below(12));
    const bool other = target != root + "/languages" && !own;
    Ask ask{"GET", target, red ? "Bearer red-token" : "Bearer blue-token"};
    if (dice.below(4) == 0) ask.more.add("Cache-Control", "no-cache");
    if (dice.below(50) == 0) {
      github.world.touch("/repos/octo-org/" + whose + "/issues/1", loop.wall_now());
    }
    gots.push_back(n.start(std::move(ask)));
    meant.emplace_back(red ? "taint-blue" : "taint-red", other);
    if (dice.below(3) == 0) loop.advance(std::chrono::microseconds(dice.below(2000)));
    if (gots.size() == 500) {
      ASSERT_TRUE(run_all(gots));
      for (std::size_t k = 0; k < gots.size(); ++k) {
        ASSERT_EQ(gots[k]->body.find(meant[k].first), std::string::npos);
        ASSERT_EQ(gots[k]->status, meant[k].second ? 404 : 200) << gots[k]->body;
        ++served;
      }
      gots.clear();
      meant.clear();
    }
  }
  EXPECT_EQ(served, 10'000u);
  EXPECT_GT(n.answers(proxy::AnswerKind::MemoryHit), 100u);
}

}  // namespace
}  // namespace ghmesh::scenario
