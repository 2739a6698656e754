// SPDX-License-Identifier: Apache-2.0
// Whose answers may be whose, and which variants lie side by side.
#include <gtest/gtest.h>

#include "cache/limits.hpp"
#include "cache/storing.hpp"
#include "test_engine.hpp"

namespace ghmesh::cache {
namespace {

// ---- the credential partition (RFC 9111 §3.5, §5.2.2.7)

TEST_F(Engine, PrivateIsReusedForTheSameTokenNeverForAnotherNeverAnonymously) {
  const Fields github{{"Cache-Control", "private, max-age=60, s-maxage=60"},
                      {"Vary", "Accept, Authorization, Cookie, X-GitHub-OTP"},
                      {"Vary", "Accept-Encoding, Accept, X-Requested-With"},
                      {"ETag", "W/\"a\""}};
  answer(200, github);
  ask(get({{"Authorization", "token A"}}));
  ask(get({{"Authorization", "token A"}}));
  EXPECT_TRUE(from_cache());
  ask(get({{"Authorization", "token B"}}));
  EXPECT_FALSE(from_cache());
  ask(get());
  EXPECT_FALSE(from_cache());
  ask(get());
  EXPECT_FALSE(from_cache()) << "the anonymous partition must not keep a private answer";
  clock_.advance(std::chrono::seconds(61));
  ask(get({{"Authorization", "token A"}}));
  EXPECT_FALSE(from_cache());
  EXPECT_EQ(sent("If-None-Match"), "W/\"a\"");
}

TEST_F(Engine, CredentialBytesDoNotEnterTheEntry) {
  const Fields fields{{"Authorization", "token SECRET"}, {"Accept", "x"}};
  const Request request = get(fields);
  const Fields response{{"Cache-Control", "max-age=60"}, {"Vary", "Authorization, Accept"}, {"Date", "x"}};
  const auto entry = make_storable(request.view(), {200, response}, {Now::of(clock_), Now::of(clock_)},
                                   http_policy(Partition::Credential));
  ASSERT_TRUE(entry);
  EXPECT_EQ(to_text(entry->encode()).find("SECRET"), std::string::npos);
}

TEST_F(Engine, AuthorizationInTheAnonymousPartitionPassesThrough) {
  const Fields fields{{"Authorization", "x"}};
  const Request request = get(fields);
  const Decision decision = decide(request.view(), {}, http_policy(Partition::Anonymous), Now::of(clock_));
  EXPECT_EQ(decision.action, Action::Pass);
  const Fields response{{"Cache-Control", "max-age=60"}};
  EXPECT_FALSE(make_storable(request.view(), {200, response}, {Now::of(clock_), Now::of(clock_)},
                             http_policy(Partition::Anonymous)));
}

// ---- Vary

TEST_F(Engine, VariantsOfAcceptAndApiVersionLiveSideBySide) {
  const Fields varied{{"Cache-Control", "max-age=60"}, {"Vary", "Accept, X-GitHub-Api-Version"}};
  answer(200, varied, "json");
  ask(get({{"Accept", "application/json"}}));
  answer(200, varied, "diff");
  ask(get({{"Accept", "application/vnd.github.diff"}}));
  answer(200, varied, "new");
  ask(get({{"Accept", "application/json"}, {"X-GitHub-Api-Version", "2026-01-01"}}));
  EXPECT_EQ(ask(get({{"Accept", "application/json"}})).body, "json");
  EXPECT_TRUE(from_cache());
  EXPECT_EQ(ask(get({{"Accept", " application/vnd.github.diff "}})).body, "diff");
  EXPECT_TRUE(from_cache());
  EXPECT_EQ(ask(get({{"X-GitHub-Api-Version", "2026-01-01"}, {"Accept", "application/json"}})).body, "new");
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, A304MayNameTheVariantThatAnswers) {
  answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", "\"a\""}}, "one");
  ask(get({{"Accept", "x"}}));
  answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", "\"b\""}}, "two");
  ask(get({{"Accept", "y"}}));
  answer(304, {{"ETag", "\"b\""}});
  EXPECT_EQ(ask(get({{"Accept", "z"}})).body, "two");
  EXPECT_EQ(sent("If-None-Match"), "\"a\", \"b\"");
  EXPECT_EQ(ask(get({{"Accept", "z"}})).body, "two");
  EXPECT_TRUE(from_cache());
  EXPECT_EQ(ask(get({{"Accept", "x"}})).body, "one");
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, AStrong304FreshensEveryVariantWithThatTag) {
  for (const char* accept : {"x", "y"}) {
    answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", "\"a\""}});
    ask(get({{"Accept", accept}}));
  }
  clock_.advance(std::chrono::seconds(61));
  answer(304, {{"ETag", "\"a\""}});
  ask(get({{"Accept", "x"}}));
  EXPECT_FALSE(from_cache());
  ask(get({{"Accept", "y"}}));
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, VariantsAreBounded) {
  for (int i = 0; i < 40; ++i) {
    answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}});
    ask(get({{"Accept", std::to_string(i)}}));
    clock_.advance(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(cache_.entries(), Limits::kVariants);
  ask(get({{"Accept", "39"}}));
  EXPECT_TRUE(from_cache());
}

// ---- keys

TEST_F(Engine, TargetsThatDifferInAnyByteAreDifferent) {
  answer(200, {{"Cache-Control", "max-age=60"}});
  for (const char* target : {"/a", "/A", "/a?", "/%61", "/a?x=1&y=2", "/a?y=2&x=1", "/a?x=1&x=1", "//a", "/a/"}) {
    ask(get({}, target));
    EXPECT_FALSE(from_cache()) << target;
  }
}

}  // namespace
}  // namespace ghmesh::cache
