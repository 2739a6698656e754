// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.hpp"
#include "mesh_stage.hpp"

// The job tokens of one repository, each at its own node or several at one: GitHub counts them together, so they know
// and stop together. Figures are the stand-in's.

namespace ghmesh::scenario {
namespace {

class JobTokens : public MeshStage {
 protected:
  static std::string job(std::size_t n) { return "Bearer ghs_job-" + std::to_string(n); }
  void add_job(std::size_t n, const std::string& repository) {
    github.tokens.add_job("ghs_job-" + std::to_string(n), repository);
  }
  // Nodes that were started by a job each.
  void form(std::size_t nodes) {
    for (std::size_t i = 0; i < nodes; ++i) {
      add_job(i, kRepository);
      NodeOptions options = quick();
      options.job_repository = kRepository;
      options.job_authorization = job(i);
      join(options);
    }
    settle();
  }
  Node& at(std::size_t n) { return *members_[n]->node; }
  // One that GitHub has to answer.
  Got question(Node& node, const std::string& token) { return get(node, fresh_target(), token); }
  std::string fresh_target() {
    ++number_;
    return root + "/issues/" + std::to_string(1 + number_ % 30) + "?n=" + std::to_string(number_);
  }
  std::uint64_t refused() const { return github.journal.total().primary_limited; }
  std::optional<github::QuotaView> view(Node& node, const std::string& token) {
    const std::string name = github::KeyMaker::fingerprint(node.plan({"GET", root, token}).partition);
    for (const github::QuotaView& each : node.quota.ledger().view(loop.wall_now()))
      if (each.resource == "core" && each.token == name) return each;
    return std::nullopt;
  }
  // Asks until nothing is left, as far as this token knows.
  void spend_all(Node& node, const std::string& token) {
    for (int i = 0; i < 2000; ++i) {
      const Got got = question(node, token);
      if (got.status != 200 || got.field("x-ratelimit-remaining") == "0") return;
    }
    FAIL() << "the quota has no end";
  }
  io::Task<> client(Node& node, std::string token, TimePoint end) {
    ++running_;
    while (loop.now() < end) {
      const std::shared_ptr<Got> got = node.start({"GET", fresh_target(), token});
      while (!got->done) co_await loop.sleep_for(20ms);
      ++statuses_[got->status];
      co_await loop.sleep_for(got->status == 200 ? 500ms : 5s);
    }
    --running_;
  }

  static constexpr const char* kRepository = "octo-org/repo-1";
  int number_ = 0;
  std::size_t running_ = 0;
  std::map<int, std::size_t> statuses_;
};

TEST_F(JobTokens, AMemberKnowsWhatIsLeftBeforeItsJobAsked) {
  form(3);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(question(at(0), job(0)).status, 200);
  for (int i = 0; i < 2; ++i) ASSERT_EQ(question(at(1), job(1)).status, 200);
  loop.advance(3s);
  const auto seen = view(at(2), job(2));
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->limit, 1000);
  EXPECT_EQ(seen->used, 7);
  EXPECT_EQ(seen->remaining, 993);
  EXPECT_EQ(seen->spent_by_this_node, 0);
  EXPECT_EQ(seen->spent_by_members, 7);
  EXPECT_EQ(seen->spent_by_others, 0);
  EXPECT_EQ(seen->spent_by_member.size(), 2u);
  // And those that asked know of each other.
  EXPECT_EQ(view(at(0), job(0))->used, 7);
  EXPECT_EQ(view(at(0), job(0))->spent_by_this_node, 5);
  EXPECT_EQ(view(at(0), job(0))->spent_by_members, 2);
  EXPECT_EQ(upstream(), 7u);
}

TEST_F(JobTokens, AllStopAtOneReadingAndComeBackOneAfterTheOther) {
  form(12);
  add_job(100, "octo-org/repo-2");
  const TimePoint begin = loop.now();
  for (std::size_t i = 0; i < 12; i += 2) ASSERT_EQ(question(at(i), job(i)).status, 200);
  spend_all(at(0), job(0));
  loop.advance(2s);
  ASSERT_EQ(refused(), 0u);
  for (std::size_t i = 0; i < 12; ++i) {
    const Got got = question(at(i), job(i));
    EXPECT_EQ(got.status, 403) << i;
    EXPECT_EQ(got.field("x-ratelimit-remaining"), "0");
    EXPECT_EQ(view(at(i), job(i))->used, 1000);
  }
  EXPECT_EQ(refused(), 0u) << "nobody had to find out for itself";
  // Others are not disturbed.
  for (std::size_t i = 0; i < 12; ++i) {
    const Got personal = question(at(i), kAlice), elsewhere = question(at(i), job(100));
    EXPECT_EQ(personal.status, 200);
    EXPECT_EQ(elsewhere.status, 200);
    EXPECT_LE(personal.took + elsewhere.took, 2 * origin.latency + 100ms);
  }
  // Clients that go on asking, to the end of the window and beyond.
  origin.record = false;
  const TimePoint reset = begin + std::chrono::seconds(view(at(0), job(0))->reset -
                                                       github::unix_seconds(loop.wall_now() - (loop.now() - begin)));
  for (std::size_t i = 0; i < 12; ++i) tasks->spawn(client(at(i), job(i), reset + 40s));
  loop.run_until([&] { return loop.now() >= reset; }, 2h);
  EXPECT_GE(statuses_[403], 5000u);
  EXPECT_LE(refused(), 12u) << "an hour of twelve members: a look now and then, of one for all";
  const std::uint64_t looked = refused();
  newly_asked();
  loop.advance(300ms);
  EXPECT_LE(newly_asked(), 1u) << "one finds out that it is over";
  loop.run_until([&] { return loop.now() >= reset + 10s; }, 1min);
  statuses_.clear();
  loop.run_until([&] { return loop.now() >= reset + 20s; }, 1min);
  EXPECT_EQ(statuses_[403], 0u);
  EXPECT_GE(statuses_[200], 12u * 10);
  EXPECT_TRUE(loop.run_until([&] { return running_ == 0; }, 5min));
  EXPECT_EQ(refused(), looked);
}

TEST_F(JobTokens, TokensAtOneNodeWithoutAMeshShareWhatTheyRead) {
  github.quota.rules.job_core = 50;
  Node& one = node(quick());
  for (std::size_t i = 0; i < 3; ++i) {
    add_job(i, kRepository);
    ASSERT_EQ(question(one, job(i)).status, 200);
  }
  add_job(100, "octo-org/repo-2");
  for (int i = 0; i < 9; ++i) ASSERT_EQ(question(one, job(0)).status, 200);
  loop.advance(2s);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(view(one, job(i))->used, 12) << i;
    EXPECT_EQ(view(one, job(i))->spent_by_this_node + view(one, job(i))->spent_by_members, 12) << i;
  }
  spend_all(one, job(0));
  loop.advance(1s);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(question(one, job(i)).status, 403);
  EXPECT_EQ(refused(), 0u);
  EXPECT_EQ(question(one, job(100)).status, 200);
  EXPECT_EQ(question(one, kAlice).status, 200);
}

TEST_F(JobTokens, MembersThatOnlyGuessAgreeByWhatTheyWereTold) {
  github.quota.rules.job_core = 100;
  for (std::size_t i = 0; i < 4; ++i) {
    add_job(i, kRepository);
    join();
  }
  settle();
  for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(question(at(i), job(i)).status, 200);
  loop.advance(3s);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(view(at(i), job(i))->used, 4) << i;
  spend_all(at(0), job(0));
  loop.advance(3s);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(question(at(i), job(i)).status, 403);
  EXPECT_EQ(refused(), 0u);
}

TEST_F(JobTokens, AGuessIsNoReadingForATokenThatWasToldNothing) {
  form(1);
  join();
  add_job(100, "octo-org/repo-2");
  settle();
  ASSERT_EQ(question(at(1), job(100)).status, 200);
  loop.advance(3s);
  EXPECT_FALSE(view(at(0), job(0))) << "it may be another bucket's, as here it is";
  ASSERT_EQ(question(at(0), job(0)).status, 200);
  EXPECT_EQ(view(at(0), job(0))->used, 1);
}

TEST_F(JobTokens, TheyGoOnTogetherUnderANewSecret) {
  form(2);
  for (const auto& member : members_) {
    member->sharing->set_lookup_key(keys(2).lookup.clone());
    member->link->set_keys({.current = keys(2), .also_accept = keys(1)});
  }
  for (int i = 0; i < 3; ++i) ASSERT_EQ(question(at(0), job(0)).status, 200);
  loop.advance(25s);
  ASSERT_TRUE(view(at(1), job(1)));
  EXPECT_EQ(view(at(1), job(1))->used, 3);
}

TEST_F(JobTokens, TheKeepersDeathLosesNoReading) {
  form(6);
  for (std::size_t i = 0; i < 6; ++i) ASSERT_EQ(question(at(i), job(i)).status, 200);
  loop.advance(3s);
  const mesh::TokenTag tag = mesh::repository_tag(keys().lookup, "api.github.com", kRepository);
  mesh::LookupKey key{};
  key.back() = tag.back();
  const auto keeper = members_[0]->link->mesh().ranks_of(key)[0];
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < 6; ++i) {
    if (members_[i]->host->id() == keeper)
      net.kill(members_[i]->address);
    else
      left.push_back(i);
  }
  ASSERT_EQ(left.size(), 5u);
  loop.advance(20s);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(question(at(left[0]), job(left[0])).status, 200);
  loop.advance(3s);
  for (const std::size_t i : left) {
    EXPECT_EQ(view(at(i), job(i))->used, 10) << i;
    EXPECT_EQ(view(at(i), job(i))->spent_by_others, 0) << "the dead keep what they spent";
  }
}

// A member without any node behind it, which says of the bucket whatever it likes, in both ways.
TEST_F(JobTokens, AMemberThatSaysThatNothingIsLeftStopsOthersForHalfAMinute) {
  form(2);
  Member& liar = speaker();
  settle();
  ASSERT_EQ(question(at(0), job(0)).status, 200);
  const auto seen = view(at(0), job(0));
  const mesh::TokenTag tag = mesh::repository_tag(keys().lookup, "api.github.com", kRepository);
  const auto lie = [&] {
    mesh::RateRow row{.peer = liar.host->id(), .resource = 0, .limit = 1000, .remaining = 0, .used = 1000};
    row.reset = static_cast<std::uint64_t>(seen->reset);
    liar.link->draw({.bucket = tag, .rates = {row}});
    std::uint8_t numbers[16];
    store_be(numbers, static_cast<std::uint64_t>(seen->limit));
    store_be(numbers + 8, static_cast<std::uint64_t>(seen->reset / 16));
    const crypto::Digest32 name = crypto::sha256({tag, numbers, as_bytes("core")});
    mesh::TokenTag paused{};
    std::copy_n(name.begin(), paused.size(), paused.begin());
    liar.link->pause(paused, 1h);
  };
  lie();
  loop.advance(2s);
  EXPECT_EQ(question(at(0), job(0)).status, 403);
  EXPECT_EQ(question(at(0), kAlice).status, 200);
  const TimePoint begin = loop.now();
  while (question(at(0), job(0)).status != 200 && loop.now() - begin < 10min) loop.advance(1s);
  EXPECT_LE(loop.now() - begin, 35s);
  for (int i = 0; i < 5; ++i) {
    lie();
    loop.advance(2s);
    EXPECT_EQ(question(at(0), job(0)).status, 200);
  }
}

// An App's installation token looks like a job's and asks about the same repository, but its quota is its own.
TEST_F(JobTokens, ATokenThatIsTakenForAnotherJobsKeepsItsOwnFigures) {
  github.quota.rules.job_core = 100;
  form(2);
  add_job(100, "octo-org/repo-2");
  ASSERT_EQ(question(at(0), job(0)).status, 200);
  loop.advance(20s);
  ASSERT_EQ(question(at(1), job(100)).status, 200);
  spend_all(at(0), job(0));
  loop.advance(3s);
  EXPECT_EQ(view(at(1), job(1))->remaining, 0);
  EXPECT_EQ(view(at(1), job(100))->remaining, 99);
  EXPECT_EQ(view(at(1), job(100))->spent_by_members, 0);
  for (int i = 0; i < 5; ++i) {
    const Got got = question(at(1), job(100));
    EXPECT_EQ(got.status, 200);
    EXPECT_LE(got.took, origin.latency + 50ms);
  }
}

TEST_F(JobTokens, EvenOneWhoseWindowEndsInTheSameSecondIsHeldUpForHalfAMinuteAtMost) {
  github.quota.rules.job_core = 100;
  form(4);
  add_job(100, "octo-org/repo-2");
  for (std::size_t i = 0; i < 4; ++i) ASSERT_EQ(question(at(i), job(i)).status, 200);
  ASSERT_EQ(question(at(1), job(100)).status, 200);
  spend_all(at(0), job(0));
  loop.advance(3s);
  const TimePoint begin = loop.now();
  while (question(at(1), job(100)).status != 200 && loop.now() - begin < 10min) loop.advance(5s);
  EXPECT_LE(loop.now() - begin, 5min + 40s);
  // Found out: from now on it is not taken in.
  for (int i = 0; i < 5; ++i) {
    loop.advance(20s);
    EXPECT_EQ(question(at(1), job(100)).status, 200);
  }
  EXPECT_EQ(view(at(1), job(100))->used, 7);
  EXPECT_EQ(view(at(1), job(1))->remaining, 0) << "the bucket itself is empty as before";
}

// The environment of a job may hold an App's token in the place of the job's.
TEST_F(JobTokens, AJobWhoseTokenIsAnAppsIsNotTakenIn) {
  github.quota.rules.job_core = 100;
  form(2);
  add_job(100, "octo-org/repo-2");
  NodeOptions options = quick();
  options.job_repository = kRepository;
  options.job_authorization = job(100);
  Node& other = *join(options).node;
  settle();
  spend_all(at(0), job(0));
  loop.advance(3s);
  const TimePoint begin = loop.now();
  while (question(other, job(100)).status != 200 && loop.now() - begin < 10min) loop.advance(5s);
  EXPECT_LE(loop.now() - begin, 5min + 40s) << "before its first answer it is believed to be what it says";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(question(other, job(100)).status, 200);
  EXPECT_EQ(view(other, job(100))->used, 6);
  EXPECT_EQ(view(at(1), job(1))->used, 100);
}

}  // namespace
}  // namespace ghmesh::scenario
