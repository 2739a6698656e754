// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

// Who writes through a node reads its own writes, and so does everybody else on that node, from the moment the writer
// has its answer.

namespace ghmesh::scenario {
namespace {

struct Write {
  const char* name;
  const char* method;
  const char* path;  // below the repository
  const char* body;
  std::vector<const char*> changed;  // what must not be answered from memory afterwards
};

void PrintTo(const Write& write, std::ostream* out) { *out << write.name; }

class Writes : public Stage, public ::testing::WithParamInterface<Write> {
 protected:
  std::string at(const char* path) const {
    std::string out = path;
    // Runs are numbered by the world.
    if (const std::size_t mark = out.find("{run}"); mark != std::string::npos) {
      for (const std::string& known : paths)
        if (known.starts_with(secret + "/actions/runs/") && known.find('/', secret.size() + 14) == std::string::npos)
          return secret + out.replace(mark, 5, known.substr(secret.size() + 14));
    }
    return secret + out;
  }
};

TEST_P(Writes, AreSeenByAllFromTheWritersAnswerOn) {
  const Write& write = GetParam();
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  for (const char* path : write.changed)
    for (const std::string& token : {kAlice, kCarol}) ASSERT_EQ(get(n, at(path), token).status, 200) << path;
  newly_asked();
  for (const char* path : write.changed) EXPECT_TRUE(get(n, at(path), kCarol).from("detail=memory"));
  ASSERT_EQ(newly_asked(), 0u);
  // A reader whose request is out when the write happens may get the older bytes, but nobody after it.
  loop.advance(2s);
  const Got done = ask(n, {write.method, at(write.path), kAlice, {{"Content-Type", "application/json"}}, write.body});
  EXPECT_GE(done.status, 200) << done.body;
  EXPECT_LT(done.status, 300) << done.body;
  for (const char* path : write.changed)
    for (const std::string& token : {kAlice, kCarol}) {
      newly_asked();
      const Got got = get(n, at(path), token);
      EXPECT_GE(newly_asked(), 1u) << path;
      const standin::Response want = direct({"GET", at(path), token});
      EXPECT_EQ(got.status, want.status) << path;
      EXPECT_EQ(got.body, want.body) << path;
    }
  // And then it is fresh again.
  newly_asked();
  for (const char* path : write.changed) get(n, at(path), kCarol);
  EXPECT_LE(newly_asked(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    , Writes,
    ::testing::Values(Write{"comment",
                            "POST",
                            "/issues/1/comments",
                            R"({"body":"new"})",
                            {"/issues/1/comments", "/issues/1", "/issues"}},
                      Write{"label", "POST", "/issues/1/labels", R"({"labels":["bug"]})", {"/issues/1", "/issues"}},
                      Write{"close", "PATCH", "/issues/2", R"({"state":"closed"})", {"/issues/2", "/issues"}},
                      Write{"merge", "PUT", "/pulls/36/merge", R"({})", {"/pulls/36", "/pulls", "/branches/main", ""}},
                      Write{"ref",
                            "PATCH",
                            "/git/refs/heads/main",
                            R"({"sha":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})",
                            {"/git/ref/heads/main", "/branches/main"}},
                      Write{"contents",
                            "PUT",
                            "/contents/new.txt",
                            R"({"message":"m","content":"aGkK"})",
                            {"/readme", "/branches/main", "/commits"}},
                      Write{"rerun", "POST", "/actions/runs/{run}/rerun", "", {"/actions/runs/{run}", "/actions/runs"}},
                      Write{
                          "cancel", "POST", "/actions/runs/{run}/cancel", "", {"/actions/runs/{run}", "/actions/runs"}},
                      Write{"release", "POST", "/releases", R"({"tag_name":"v2"})", {"/releases", "/releases/latest"}},
                      Write{"unknown", "POST", "/some/new/feature", R"({"a":1})", {"", "/issues/1", "/branches/main"}}),
    [](const auto& info) { return info.param.name; });

using Overtaken = Stage;

TEST_F(Overtaken, AnAnswerOlderThanAWriteIsNotKept) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  standin::FaultRule slow;
  slow.path = secret + "/issues/1";
  slow.method = "GET";
  slow.delivery.delay = 3s;
  github.faults.add(slow);
  const auto reader = n.start({"GET", secret + "/issues/1", kCarol});
  loop.advance(1s);
  ASSERT_EQ(ask(n, {"PATCH", secret + "/issues/1", kAlice, {}, R"({"title":"after"})"}).status, 200);
  ASSERT_TRUE(run_all({reader}));
  EXPECT_EQ(reader->body.find("after"), std::string::npos);
  EXPECT_NE(get(n, secret + "/issues/1", kCarol).body.find("after"), std::string::npos);
}

TEST_F(Overtaken, AWriteWhoseFateIsUnknownCountsAsDone) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  get(n, secret + "/issues/1", kCarol);
  standin::FaultRule lost;
  lost.path = secret + "/issues/1";
  lost.method = "PATCH";
  lost.delivery.reset = true;
  github.faults.add(lost);
  EXPECT_EQ(ask(n, {"PATCH", secret + "/issues/1", kAlice, {}, R"({"title":"after"})"}).status, 502);
  EXPECT_NE(get(n, secret + "/issues/1", kCarol).body.find("after"), std::string::npos);
}

TEST_F(Overtaken, ARefusedWriteChangesNothing) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  get(n, root + "/issues/1", kCarol);
  EXPECT_EQ(ask(n, {"PATCH", root + "/issues/1", kBob, {}, R"({"title":"no"})"}).status, 403);
  newly_asked();
  EXPECT_TRUE(get(n, root + "/issues/1", kCarol).from("detail=memory"));
  EXPECT_EQ(newly_asked(), 0u);
}

TEST_F(Overtaken, AMutationIsSeenByRestAndByQueries) {
  Node& n = node(quick(github::FreshnessPolicy::Relaxed));
  const std::string list = secret + "/issues";
  const Ask query{"POST",
                  "/graphql",
                  kAlice,
                  {},
                  R"({"query":"{repository(owner:\"octo-org\",name:\"repo-2\"){issues(first:1){totalCount}}}"})"};
  const Got before = ask(n, query);
  get(n, list, kCarol);
  const std::string body = get(n, secret, kAlice).body;
  const std::size_t mark = body.find("\"node_id\":\"") + 11;
  const std::string id = body.substr(mark, body.find('"', mark) - mark);
  const Got made = ask(n, {"POST",
                           "/graphql",
                           kAlice,
                           {},
                           R"({"query":"mutation{createIssue(input:{repositoryId:\")" + id +
                               R"(\",title:\"by mutation\"}){issue{number}}}"})"});
  ASSERT_NE(made.body.find("\"number\""), std::string::npos) << made.body;
  EXPECT_NE(get(n, list, kCarol).body.find("by mutation"), std::string::npos);
  EXPECT_NE(ask(n, query).body, before.body);
}

}  // namespace
}  // namespace ghmesh::scenario
