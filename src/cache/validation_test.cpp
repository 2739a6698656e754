// SPDX-License-Identifier: Apache-2.0
// What is asked of the origin about what is held, and what its 304 means (RFC 9111 §4.3).
#include <gtest/gtest.h>

#include "test_engine.hpp"

namespace ghmesh::cache {
namespace {

// ---- validation (§4.3)

TEST_F(Engine, GzipAndIdentityTagsAreOneTagWhenCompared) {
  answer(200, {{"Cache-Control", "max-age=60"}, {"ETag", "W/\"a\""}});
  ask(get());
  EXPECT_EQ(ask(get({{"If-None-Match", "\"a\""}})).status, 304);
  clock_.advance(std::chrono::seconds(61));
  // GitHub answers with the strong form; the stored bytes do not become strong by it.
  answer(304, {{"ETag", "\"a\""}, {"Cache-Control", "max-age=60"}});
  const Message refreshed = ask(get());
  EXPECT_EQ(refreshed.status, 200);
  EXPECT_EQ(refreshed.fields.joined("ETag"), "W/\"a\"");
}

TEST_F(Engine, A304RefreshesFieldsButNotTheLength) {
  answer(
      200,
      {{"Cache-Control", "max-age=1"}, {"ETag", "\"a\""}, {"X-RateLimit-Remaining", "10"}, {"X-A", "1"}, {"X-B", "1"}});
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  answer(304, {{"ETag", "\"a\""},
               {"X-RateLimit-Remaining", "9"},
               {"X-A", "2"},
               {"X-A", "3"},
               {"Content-Length", "7"},
               {"Connection", "X-C"},
               {"X-C", "1"}});
  for (int i = 0; i < 2; ++i) {
    const Message message = ask(get());
    EXPECT_EQ(message.fields.joined("X-RateLimit-Remaining"), "9");
    EXPECT_EQ(message.fields.joined("X-A"), "2, 3");
    EXPECT_EQ(message.fields.joined("X-B"), "1");
    EXPECT_EQ(message.fields.joined("Content-Length"), "4");
    EXPECT_FALSE(message.fields.has("X-C"));
    EXPECT_EQ(message.fields.joined("Age"), "0");
  }
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, TheClientsOwnTagsStayInTheQuestion) {
  answer(200, {{"Cache-Control", "max-age=1"}, {"ETag", "\"old\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  answer(304, {{"ETag", "\"new\""}}, "");
  EXPECT_EQ(ask(get({{"If-None-Match", "W/\"new\""}})).status, 304);
  EXPECT_EQ(sent("If-None-Match"), "\"old\", W/\"new\"");
  // What this node held is history.
  EXPECT_EQ(cache_.entries(), 0u);
}

TEST_F(Engine, A304ThatNamesNobodyIsAskedAgainWithoutConditions) {
  answer(200, {{"Cache-Control", "max-age=1"}, {"ETag", "\"old\""}});
  ask(get());
  clock_.advance(std::chrono::seconds(5));
  answer(304, {}, "");
  ask(get({{"If-None-Match", "\"other\""}}));
  EXPECT_EQ(forwarded_, 2);
  EXPECT_EQ(sent("If-None-Match"), "");
  EXPECT_EQ(ask(get({{"If-None-Match", "\"other\""}})).status, 304) << "an origin that only says 304 is passed on";
}

TEST_F(Engine, A304WithoutATagAboutSeveralVariantsNamesNobody) {
  for (const char* tag : {"\"a\"", "\"b\""}) {
    answer(200, {{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}, {"ETag", tag}});
    ask(get({{"Accept", tag}}));
  }
  answer(304, {}, "");
  ask(get({{"Accept", "z"}}));
  EXPECT_EQ(forwarded_, 2);
}

TEST_F(Engine, A304WithoutADateIsAsYoungAsItsArrival) {
  answer(200, {{"Cache-Control", "max-age=10"}, {"ETag", "\"a\""}, {"Age", "3"}});
  ask(get());
  clock_.advance(std::chrono::seconds(100));
  next_ = Message{304, {{"ETag", "\"a\""}}, ""};
  EXPECT_EQ(ask(get()).fields.joined("Age"), "0");
  ask(get());
  EXPECT_TRUE(from_cache());
}

TEST_F(Engine, WithoutAStoredAnswerTheClientsConditionsGoUp) {
  answer(304, {{"ETag", "\"a\""}}, "");
  EXPECT_EQ(ask(get({{"If-None-Match", "\"a\""}, {"If-Modified-Since", "x"}})).status, 304);
  EXPECT_EQ(sent("If-None-Match"), "\"a\"");
  EXPECT_EQ(sent("If-Modified-Since"), "x");
  EXPECT_EQ(cache_.entries(), 0u);
}

TEST_F(Engine, ADateIsAskedOnlyWhereThereIsNoTag) {
  const std::string modified = "Wed, 01 Jan 2025 00:00:00 GMT";
  answer(200, {{"Cache-Control", "max-age=1"}, {"Last-Modified", modified}});
  ask(get({}, "/a"));
  answer(200, {{"Cache-Control", "max-age=1"}, {"Last-Modified", modified}, {"ETag", "\"a\""}});
  ask(get({}, "/b"));
  clock_.advance(std::chrono::seconds(5));
  answer(304, {});
  ask(get({}, "/a"));
  EXPECT_EQ(sent("If-Modified-Since"), modified);
  ask(get({}, "/b"));
  EXPECT_EQ(sent("If-Modified-Since"), "");
  EXPECT_EQ(sent("If-None-Match"), "\"a\"");
}

}  // namespace
}  // namespace ghmesh::cache
