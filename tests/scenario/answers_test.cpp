// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

// What may be answered from here, for how long, and what never.

namespace ghmesh::scenario {
namespace {

using Answers = Stage;

TEST_F(Answers, AClientThatHoldsTheBytesIsToldSoHere) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  const Got first = get(n, root, kAlice);
  newly_asked();
  const Got same = get(n, root, kAlice, {{"If-None-Match", first.field("ETag")}});
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("ETag"), first.field("ETag"));
  EXPECT_EQ(get(n, root, kAlice, {{"If-None-Match", "W/" + first.field("ETag")}}).status, 304);
  EXPECT_EQ(newly_asked(), 0u);
}

TEST_F(Answers, HeadIsAnsweredFromWhatIsHeld) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  const Got first = get(n, root, kAlice);
  newly_asked();
  const Got head = ask(n, {"HEAD", root, kAlice});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(head.field("Content-Length"), std::to_string(first.body.size()));
  EXPECT_EQ(head.field("ETag"), first.field("ETag"));
  EXPECT_EQ(newly_asked(), 0u);
}

TEST_F(Answers, AnAbsenceIsRememberedForFifteenSecondsByItsTokenAlone) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  const std::string missing = root + "/contents/not-there";
  EXPECT_EQ(get(n, missing, kAlice).status, 404);
  newly_asked();
  EXPECT_EQ(get(n, missing, kAlice).status, 404);
  EXPECT_EQ(newly_asked(), 0u);
  EXPECT_EQ(get(n, missing, kCarol).status, 404);
  EXPECT_EQ(newly_asked(), 1u);
  github.world.put_json(missing, "{\"name\":\"not-there\"}", loop.wall_now());
  loop.advance(16s);
  EXPECT_EQ(get(n, missing, kAlice).status, 200);
}

TEST_F(Answers, AnAbsenceOfSomethingVolatileIsNotRemembered) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  EXPECT_EQ(get(n, root + "/actions/runs/77", kAlice).status, 404);
  newly_asked();
  EXPECT_EQ(get(n, root + "/actions/runs/77", kAlice).status, 404);
  EXPECT_EQ(newly_asked(), 1u);
}

TEST_F(Answers, VolatileThingsAreAlwaysAskedAbout) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  for (const char* rest : {"/actions/runs", "/branches/main", "/git/ref/heads/main"}) {
    get(n, root + rest, kAlice);
    newly_asked();
    get(n, root + rest, kAlice);
    EXPECT_EQ(newly_asked(), 1u) << rest;
  }
}

TEST_F(Answers, StatisticsInTheMakingAreNotStored) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  const std::string path = root + "/stats/contributors";
  EXPECT_EQ(get(n, path, kAlice).status, 202);
  EXPECT_FALSE(n.holds({"GET", path, kAlice}));
  EXPECT_EQ(get(n, path, kAlice).status, 200);
}

TEST_F(Answers, SignedAddressesArePassedOnAndNeverStored) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  std::set<std::string> locations;
  for (int i = 0; i < 2; ++i) {
    const Got got = get(n, root + "/tarball/main", kAlice);
    EXPECT_EQ(got.status, 302);
    locations.insert(got.field("Location"));
    loop.advance(10s);
  }
  EXPECT_EQ(locations.size(), 2u);
  EXPECT_NE(locations.begin()->find("objects.githubusercontent.com"), std::string::npos);
  for (const standin::Request& request : origin.seen) EXPECT_EQ(request.target.find("_blobs"), std::string::npos);
  EXPECT_EQ(newly_asked(), 2u);
}

TEST_F(Answers, RedirectsOfRenamedRepositoriesArePassedOn) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  ASSERT_EQ(get(n, root, kAlice).status, 200);
  github.world.rename("octo-org/repo-1", "octo-org/renamed");
  const Got got = get(n, root, kAlice, no_cache());
  EXPECT_EQ(got.status, 301);
  EXPECT_NE(got.field("Location").find("/repositories/"), std::string::npos);
  EXPECT_EQ(got.body, direct({"GET", root, kAlice}).body);
}

TEST_F(Answers, StaleOnErrorsOnlyWhereAllowed) {
  NodeOptions options = quick(github::FreshnessPolicy::GitHub);
  options.stale_if_error = std::chrono::seconds(600);
  Node& allowed = node(options);
  Node& plain = node(quick(github::FreshnessPolicy::GitHub));
  const std::string runs = root + "/actions/runs";
  for (Node* n : {&allowed, &plain})
    for (const std::string& target : {root, runs}) ASSERT_EQ(get(*n, target, kAlice).status, 200);
  loop.advance(90s);
  standin::FaultRule down;
  down.status = 503;
  down.count = 0;
  github.faults.add(down);
  const Got stale = get(allowed, root, kAlice);
  EXPECT_EQ(stale.status, 200);
  EXPECT_TRUE(stale.from("stale")) << stale.field("Cache-Status");
  EXPECT_EQ(get(allowed, runs, kAlice).status, 503);
  EXPECT_EQ(get(plain, root, kAlice).status, 503);
  EXPECT_EQ(get(allowed, root, kCarol).status, 503);
  github.faults.clear();
  down = {};
  down.delivery.reset = true;
  down.count = 0;
  github.faults.add(down);
  EXPECT_EQ(get(allowed, root, kAlice).status, 200);
  EXPECT_EQ(get(allowed, runs, kAlice).status, 502);
  loop.advance(700s);
  EXPECT_EQ(get(allowed, root, kAlice).status, 502);
}

TEST_F(Answers, OnlyIfCachedAsksNobody) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  EXPECT_EQ(get(n, root, kAlice, {{"Cache-Control", "only-if-cached"}}).status, 504);
  EXPECT_EQ(upstream(), 0u);
  get(n, root, kAlice);
  EXPECT_EQ(get(n, root, kAlice, {{"Cache-Control", "only-if-cached"}}).status, 200);
  EXPECT_EQ(get(n, root, kCarol, {{"Cache-Control", "only-if-cached"}}).status, 504);
  EXPECT_EQ(upstream(), 1u);
}

TEST_F(Answers, SearchesAndUnknownFieldsGoPastTheCache) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  for (int i = 0; i < 2; ++i) get(n, "/search/issues?q=Issue", kAlice);
  EXPECT_EQ(newly_asked(), 2u);
  for (int i = 0; i < 2; ++i) get(n, root, kAlice, {{"X-Shapes-The-Body", "1"}});
  EXPECT_EQ(newly_asked(), 2u);
}

// ---- GraphQL

class Graphql : public Stage {
 protected:
  Ask query(const std::string& text, const std::string& token = kAlice, const std::string& rest = "") {
    return {
        "POST", "/graphql", token, {{"Content-Type", "application/json"}}, "{\"query\":\"" + text + "\"" + rest + "}"};
  }
};

TEST_F(Graphql, AQueryIsKeptForItsTokenForTenSeconds) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  const Got first = ask(n, query("{viewer{login}}"));
  EXPECT_NE(first.body.find("alice"), std::string::npos);
  EXPECT_TRUE(first.from("stored")) << first.field("Cache-Status");
  EXPECT_EQ(ask(n, query("{ viewer { login } }")).body, first.body);  // blanks do not tell queries apart
  EXPECT_EQ(newly_asked(), 1u);
  EXPECT_NE(ask(n, query("{viewer{login}}", kCarol)).body.find("carol"), std::string::npos);
  EXPECT_EQ(newly_asked(), 1u);
  loop.advance(11s);
  ask(n, query("{viewer{login}}"));
  EXPECT_EQ(newly_asked(), 1u);
}

TEST_F(Graphql, StrictKeepsNothing) {
  Node& n = node();
  for (int i = 0; i < 2; ++i) ask(n, query("{viewer{login}}"));
  EXPECT_EQ(newly_asked(), 2u);
}

TEST_F(Graphql, VariablesAndOperationNamesAreOtherQuestions) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  const std::string named =
      "query A($n:String!){repository(owner:\\\"octo-org\\\",name:$n){name}} query B{viewer{login}}";
  const auto with = [&](const char* rest) { return ask(n, query(named, kAlice, rest)).body; };
  const std::string a1 = with(R"(,"operationName":"A","variables":{"n":"repo-1"})");
  const std::string a2 = with(R"(,"operationName":"A","variables":{"n":"repo-2"})");
  const std::string b = with(R"(,"operationName":"B","variables":{"n":"repo-1"})");
  EXPECT_NE(a1.find("repo-1"), std::string::npos) << a1;
  EXPECT_NE(a2.find("repo-2"), std::string::npos) << a2;
  EXPECT_NE(b.find("alice"), std::string::npos) << b;
  EXPECT_EQ(newly_asked(), 3u);
  EXPECT_EQ(with(R"(,"variables":{"n":"repo-1"},"operationName":"A")"), a1);
  EXPECT_EQ(newly_asked(), 0u);
}

TEST_F(Graphql, FeaturesAreAnotherQuestionAndReachGithub) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  Ask asked = query("{viewer{login}}");
  ask(n, asked);
  asked.more.add("GraphQL-Features", "merge_queue");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(n, asked).status, 200);
  EXPECT_EQ(newly_asked(), 2u);
  EXPECT_EQ(origin.seen.back().fields.joined("GraphQL-Features"), "merge_queue");
}

TEST_F(Graphql, ErrorsAreNeverStored) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  const std::string hidden = "{repository(owner:\\\"octo-org\\\",name:\\\"repo-2\\\"){name}}";
  for (int i = 0; i < 2; ++i) EXPECT_NE(ask(n, query(hidden, kBob)).body.find("NOT_FOUND"), std::string::npos);
  EXPECT_EQ(newly_asked(), 2u);
  EXPECT_NE(ask(n, query(hidden)).body.find("\"name\""), std::string::npos);
  EXPECT_NE(ask(n, query(hidden, kBob)).body.find("NOT_FOUND"), std::string::npos);
}

TEST_F(Graphql, FiftyOfOneQueryAtOnceAskOnce) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 50; ++i) gots.push_back(n.start(query("{viewer{login}}")));
  ASSERT_TRUE(run_all(gots));
  EXPECT_EQ(newly_asked(), 1u);
  for (const auto& got : gots) EXPECT_EQ(got->body, gots[0]->body);
}

}  // namespace
}  // namespace ghmesh::scenario
