// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"
#include "standin/coding.hpp"

// What breaks upstream reaches the client as broken or as an error, and never the store.

namespace ghmesh::scenario {
namespace {

class Faults : public Stage {
 protected:
  standin::FaultRule& on(const std::string& path) {
    rule = {};
    rule.path = path;
    return rule;
  }
  void add() { github.faults.add(rule); }
  standin::FaultRule rule;
};

TEST_F(Faults, AResetIsA502AndTheNextRequestIsServed) {
  Node& n = node();
  on(root).delivery.reset = true;
  add();
  EXPECT_EQ(get(n, root, kAlice).status, 502);
  EXPECT_FALSE(n.holds({"GET", root, kAlice}));
  EXPECT_EQ(get(n, root, kAlice).body, direct({"GET", root, kAlice}).body);
}

TEST_F(Faults, ASmallBodyThatIsCutIsAnErrorAndNotStored) {
  Node& n = node();
  on(root).delivery.cut_after = 100;
  add();
  const Got got = get(n, root, kAlice);
  EXPECT_EQ(got.status, 502);
  EXPECT_FALSE(n.holds({"GET", root, kAlice}));
  EXPECT_EQ(get(n, root, kAlice).body, direct({"GET", root, kAlice}).body);
}

TEST_F(Faults, ALargeBodyThatIsCutBreaksTheTransfer) {
  Node& n = node();
  const std::string path = root + "/contents/large.bin";
  github.world.put_json(path, "{\"content\":\"" + standin::synthetic_text(3, 2 << 20) + "\"}", loop.wall_now());
  // Uncoded, so that what was begun cannot be taken for whole by its coding.
  on(path).delivery.cut_after = 400'000;
  add();
  const Got got = get(n, path, kAlice);
  EXPECT_FALSE(got.whole && got.status == 200);
  EXPECT_FALSE(n.holds({"GET", path, kAlice}));
  const Got again = get(n, path, kAlice);
  EXPECT_TRUE(again.whole);
  EXPECT_EQ(again.body, direct({"GET", path, kAlice}).body);
}

TEST_F(Faults, WrongGzipIsAnErrorAndNotStored) {
  Node& n = node();
  on(root).wrong_gzip = true;
  add();
  EXPECT_EQ(get(n, root, kAlice).status, 502);
  EXPECT_FALSE(n.holds({"GET", root, kAlice}));
  EXPECT_EQ(get(n, root, kAlice).status, 200);
}

TEST_F(Faults, ServerErrorsPassAndAreNotStored) {
  for (const int status : {500, 502, 503}) {
    Node& n = node();
    on(root).status = status;
    add();
    const Got got = get(n, root, kAlice);
    EXPECT_EQ(got.status, status);
    EXPECT_FALSE(n.holds({"GET", root, kAlice}));
    EXPECT_EQ(get(n, root, kAlice).status, 200);
  }
}

TEST_F(Faults, AnErrorDuringAProofLeavesTheEntryAsItWas) {
  Node& n = node();
  const Got first = get(n, root, kAlice);
  for (int i = 0; i < 3; ++i) {
    on(root).status = 503;
    add();
    EXPECT_EQ(get(n, root, kAlice).status, 503);
  }
  newly_charged();
  EXPECT_EQ(get(n, root, kAlice).body, first.body);
  EXPECT_EQ(newly_charged(), 0u);
}

TEST_F(Faults, AFailedLeaderHandsOverOneAtATime) {
  Node& n = node();
  on(root).delivery.reset = true;
  rule.count = 3;
  add();
  std::vector<std::shared_ptr<Got>> gots;
  for (int i = 0; i < 20; ++i) gots.push_back(n.start({"GET", root, kAlice}));
  ASSERT_TRUE(run_all(gots));
  std::size_t errors = 0;
  for (const auto& got : gots) errors += got->status == 502;
  EXPECT_EQ(errors, 3u);
  EXPECT_EQ(upstream(), 4u);
  EXPECT_EQ(charged(), 4u);  // the stand-in counts what it was asked, whatever became of the answer
}

// Text that packs as text does: what packs a hundred to one is taken for a bomb.
TEST_F(Faults, BodiesAboveTheBoundStreamThroughUnkept) {
  Node& n = node();
  const std::string path = root + "/contents/huge.bin";
  std::string text = standin::synthetic_text(5, 1u << 20);
  std::ranges::replace(text, '\n', ' ');
  std::string body = "{\"content\":\"";
  for (int i = 0; i < 17; ++i) body += text;
  github.world.put_json(path, body + "\"}", loop.wall_now());
  const Got got = get(n, path, kAlice);
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.whole);
  EXPECT_TRUE(got.body == body + "\"}");
  EXPECT_FALSE(n.holds({"GET", path, kAlice}));
}

TEST_F(Faults, ManyLargeBodiesAtOnceAllArriveWhole) {
  Node& n = node();
  std::vector<std::shared_ptr<Got>> gots;
  std::string text = standin::synthetic_text(6, 4u << 20);
  std::ranges::replace(text, '\n', ' ');
  for (int i = 0; i < 12; ++i) {
    const std::string path = root + "/contents/part-" + std::to_string(i);
    github.world.put_json(path, "{\"content\":\"" + std::to_string(i) + text + "\"}", loop.wall_now());
    gots.push_back(n.start({"GET", path, kAlice}));
  }
  ASSERT_TRUE(run_all(gots));
  for (std::size_t i = 0; i < gots.size(); ++i) {
    EXPECT_TRUE(gots[i]->whole);
    EXPECT_TRUE(gots[i]->body == "{\"content\":\"" + std::to_string(i) + text + "\"}");
  }
}

TEST_F(Faults, ClientsThatGoAwayLeaveNoPlaceTaken) {
  Node& n = node();
  on(root + "/issues/*").delivery.delay = 5s;
  rule.count = 0;
  add();
  {
    io::TaskGroup leaving(loop);
    for (int i = 1; i <= 30; ++i)
      for (const char* query : {"", "?a=1", "?a=2"})
        n.start({"GET", root + "/issues/" + std::to_string(i) + query, kAlice}, &leaving);
    loop.advance(1s);
  }
  loop.advance(std::chrono::minutes(1));
  github.faults.clear();
  const Got got = get(n, root, kAlice);
  EXPECT_EQ(got.status, 200);
  EXPECT_LE(got.took, 1s);
  for (int i = 1; i <= 30; ++i) EXPECT_EQ(get(n, root + "/issues/" + std::to_string(i), kAlice).status, 200);
}

// ---- all ways give the same bytes

TEST_F(Faults, WithoutProofsAndInPlainHttpTheBytesAreTheSame) {
  NodeOptions off;
  off.proof = false;
  NodeOptions http;
  http.freshness = github::FreshnessPolicy::Http;
  NodeOptions relaxed;
  relaxed.freshness = github::FreshnessPolicy::Relaxed;
  github.quota.rules.user_core = github.quota.rules.anonymous_core = 100'000;
  github.quota.rules.secondary = false;
  const std::vector<Node*> ways = {&node(), &node(off), &node(http), &node(relaxed)};
  std::size_t compared = 0;
  for (std::size_t i = 0; i < paths.size(); i += 3) {
    if (paths[i].find(' ') != std::string::npos) continue;
    for (const std::string& token : {kAlice, kCarol, kBob, std::string()}) {
      const standin::Response want = direct({"GET", paths[i], token});
      for (Node* way : ways)
        for (int round = 0; round < 2; ++round) {
          const Got got = get(*way, paths[i], token);
          ASSERT_EQ(got.status, want.status) << paths[i];
          ASSERT_EQ(got.body, want.body) << paths[i];
          ++compared;
        }
    }
  }
  EXPECT_GT(compared, 1000u);
}

TEST_F(Faults, GzipForThoseWhoTakeIt) {
  Node& n = node(quick(github::FreshnessPolicy::GitHub));
  const std::string path = root + "/contents/data/file-3.txt";
  const std::string want = direct({"GET", path, kAlice}).body;
  for (int round = 0; round < 2; ++round) {
    const Got got = get(n, path, kAlice, {{"Accept-Encoding", "gzip"}});
    EXPECT_EQ(got.field("Content-Encoding"), "gzip");
    EXPECT_TRUE(got.field("ETag").starts_with("W/"));
    EXPECT_EQ(standin::gunzip(got.body), want);
    const Got plain = get(n, path, kAlice);
    EXPECT_EQ(plain.body, want);
    EXPECT_FALSE(plain.field("ETag").starts_with("W/"));
  }
}

}  // namespace
}  // namespace ghmesh::scenario
