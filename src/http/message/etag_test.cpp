// SPDX-License-Identifier: Apache-2.0
#include "http/message/etag.hpp"

#include <gtest/gtest.h>

namespace ghmesh::http {
namespace {

TEST(EntityTag, OnlyTheGrammarsSpellingIsATag) {
  EXPECT_TRUE(parse_etag(R"("abc")"));
  EXPECT_TRUE(parse_etag(R"( W/"abc" )")->weak);
  EXPECT_TRUE(parse_etag(R"("")"));
  EXPECT_TRUE(parse_etag("\"abc\xc3\xbc\""));
  for (const char* bad :
       {"", "abc", "w/\"abc\"", "W\"abc\"", "W\\\"abc\"", "\"a b\"", "\"abc", "\"a\"b", "\"a\",", "*"})
    EXPECT_FALSE(parse_etag(bad)) << bad;
}

// The table of RFC 9110 §8.8.3.2.
TEST(EntityTag, ComparesAsTheRfcsTable) {
  struct Row {
    const char *a, *b;
    bool strong, weak;
  };
  for (const Row& row : {Row{R"(W/"1")", R"(W/"1")", false, true}, Row{R"(W/"1")", R"(W/"2")", false, false},
                         Row{R"(W/"1")", R"("1")", false, true}, Row{R"("1")", R"("1")", true, true}}) {
    EXPECT_EQ(strong_match(*parse_etag(row.a), *parse_etag(row.b)), row.strong);
    EXPECT_EQ(weak_match(*parse_etag(row.a), *parse_etag(row.b)), row.weak);
  }
}

TEST(EntityTagList, CommasInsideTagsDoNotSplitAndBackslashesDoNotEscape) {
  const EntityTagList list = parse_etag_list(R"(, "a,b" ,"c\", W/"d",bad , "e"x, "f")");
  ASSERT_EQ(list.tags.size(), 4u);
  EXPECT_EQ(list.tags[0].opaque, R"("a,b")");
  EXPECT_EQ(list.tags[1].opaque, R"("c\")");
  EXPECT_TRUE(list.tags[2].weak);
  EXPECT_EQ(list.tags[3].opaque, R"("f")");
  EXPECT_TRUE(list.weak_contains(*parse_etag(R"("d")")));
  EXPECT_FALSE(list.strong_contains(*parse_etag(R"("d")")));
  EXPECT_TRUE(list.strong_contains(*parse_etag(R"("f")")));
}

TEST(EntityTagList, StarStandsAlone) {
  EXPECT_TRUE(parse_etag_list(" * ").any);
  EXPECT_TRUE(parse_etag_list("*, *").empty());
  EXPECT_TRUE(parse_etag_list("").empty());
}

TEST(EntityTag, RecodingWeakens) {
  EXPECT_EQ(weaken_etag(R"("a")"), R"(W/"a")");
  EXPECT_EQ(weaken_etag(R"(W/"a")"), R"(W/"a")");
  EXPECT_EQ(weaken_etag("abc"), "abc");
}

}  // namespace
}  // namespace ghmesh::http
