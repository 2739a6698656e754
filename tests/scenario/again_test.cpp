// SPDX-License-Identifier: Apache-2.0
#include "stage.hpp"

// The same head over and over, which a node recognises by its octets: however often it was answered from memory, the
// next answer is as right as if it were asked for the first time.

namespace ghmesh::scenario {
namespace {

class Again : public Stage {
 protected:
  Node& sixty_seconds() {
    NodeOptions options = quick(github::FreshnessPolicy::Relaxed);
    options.ttl = 60s;
    return node(options);
  }
  // Until nothing is left to be learnt about it; gives the last answer.
  Got settle(Node& n, const Ask& what) {
    Got got;
    for (int i = 0; i < 5; ++i) got = ask(n, what);
    EXPECT_TRUE(got.from("detail=memory")) << got.field("Cache-Status");
    newly_asked();
    return got;
  }
};

TEST_F(Again, OnlyAgeAndQuotaMove) {
  Node& n = sixty_seconds();
  const Got first = get(n, root, kAlice);
  const Got settled = settle(n, {"GET", root, kAlice});
  loop.advance(10s);
  const Got later = get(n, root, kAlice);
  EXPECT_EQ(newly_asked(), 0u);
  EXPECT_EQ(later.body, first.body);
  EXPECT_EQ(std::stoi(later.field("Age")), std::stoi(settled.field("Age")) + 10);
  for (const char* name : {"Content-Length", "ETag", "Cache-Status", "X-From-Cache", "Date", "Content-Type"})
    EXPECT_EQ(later.field(name), settled.field(name)) << name;
  EXPECT_EQ(n.answers(proxy::AnswerKind::MemoryHit), 6u);
  // What the token spends elsewhere shows here.
  get(n, root + "/issues/1", kAlice);
  EXPECT_LT(std::stoi(get(n, root, kAlice).field("x-ratelimit-remaining")),
            std::stoi(later.field("x-ratelimit-remaining")));
}

TEST_F(Again, EndsWithItsFreshness) {
  Node& n = sixty_seconds();
  get(n, root, kAlice);
  settle(n, {"GET", root, kAlice});
  loop.advance(59s);
  get(n, root, kAlice);
  EXPECT_EQ(newly_asked(), 0u);
  loop.advance(2s);
  get(n, root, kAlice);
  EXPECT_EQ(newly_asked(), 1u);
  EXPECT_LT(std::stoi(settle(n, {"GET", root, kAlice}).field("Age")), 2);
}

TEST_F(Again, AClientsOwnBoundOnTheAgeHolds) {
  Node& n = sixty_seconds();
  const Ask bounded{"GET", root, kAlice, {{"Cache-Control", "max-age=20"}}};
  settle(n, bounded);
  loop.advance(15s);
  ask(n, bounded);
  EXPECT_EQ(newly_asked(), 0u);
  loop.advance(10s);
  ask(n, bounded);
  EXPECT_EQ(newly_asked(), 1u);
}

TEST_F(Again, AConditionIsAnsweredForTheRecordThatIsThere) {
  Node& n = sixty_seconds();
  const Got first = get(n, root, kAlice);
  const Ask conditional{"GET", root, kAlice, {{"If-None-Match", first.field("ETag")}}};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(n, conditional).status, 304);
  const Ask other{"GET", root, kAlice, {{"If-None-Match", "\"another\""}}};
  EXPECT_EQ(settle(n, other).status, 200);
  EXPECT_EQ(ask(n, conditional).status, 304);
  const Ask head{"HEAD", root, kAlice};
  EXPECT_EQ(settle(n, head).body, "");
}

TEST_F(Again, AWriteIsNoticed) {
  Node& n = sixty_seconds();
  settle(n, {"GET", root + "/issues/1", kAlice});
  settle(n, {"GET", root + "/issues/1", kCarol});
  loop.advance(2s);
  ask(n, {"PATCH", root + "/issues/1", kAlice, {{"Content-Type", "application/json"}}, R"({"state":"closed"})"});
  newly_asked();
  for (const std::string& token : {kAlice, kCarol}) {
    const Got got = get(n, root + "/issues/1", token);
    EXPECT_GE(newly_asked(), 1u);
    EXPECT_EQ(got.body, direct({"GET", root + "/issues/1", token}).body);
  }
}

TEST_F(Again, ADoubtAboutEverythingIsNoticed) {
  Node& n = sixty_seconds();
  settle(n, {"GET", root, kAlice});
  loop.advance(1s);
  n.proxy->doubt_all();
  get(n, root, kAlice);
  EXPECT_EQ(newly_asked(), 1u);
}

TEST_F(Again, AnotherRecordIsAnotherAnswer) {
  Node& n = sixty_seconds();
  const std::string others(settle(n, {"GET", root, kAlice}).body.size(), '7');
  ASSERT_TRUE(n.forge({"GET", root, kAlice}, others));
  EXPECT_EQ(get(n, root, kAlice).body, others);
  EXPECT_EQ(newly_asked(), 0u);
}

TEST_F(Again, WhatIsGoneIsFetched) {
  Node& n = sixty_seconds();
  const Got settled = settle(n, {"GET", root, kAlice});
  n.proxy->clear();
  EXPECT_EQ(get(n, root, kAlice).body, settled.body);
  EXPECT_EQ(newly_asked(), 1u);
}

TEST_F(Again, ATokenLearnsNothingOfAnothers) {
  Node& n = sixty_seconds();
  settle(n, {"GET", secret, kAlice});
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(get(n, secret, "token nobody").status, direct({"GET", secret, "token nobody"}).status);
  EXPECT_EQ(get(n, secret, kAlice).status, 200);
}

}  // namespace
}  // namespace ghmesh::scenario
