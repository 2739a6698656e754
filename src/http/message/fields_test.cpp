// SPDX-License-Identifier: Apache-2.0
#include "http/message/fields.hpp"

#include <gtest/gtest.h>

#include "http/message/message.hpp"

namespace ghmesh::http {
namespace {

TEST(Fields, NamesCompareWithoutCaseAndKeepTheirSpelling) {
  Fields fields{{"ETag", "\"a\""}, {"vary", "Accept"}, {"Vary", "Cookie"}};
  EXPECT_EQ(fields.first("etag"), "\"a\"");
  EXPECT_EQ(fields.joined("VARY"), "Accept, Cookie");
  EXPECT_EQ(fields.begin()[1].name, "vary");
  EXPECT_FALSE(fields.has("Age"));
}

TEST(Fields, AnIndexedViewAnswersAsAnyOther) {
  // Names with equal first letters and lengths among them, so that marks meet.
  const std::vector<Field> fields{{"Host", "a"},   {"accept", "b"},  {"Accept-Encoding", "gzip, br"},
                                  {"Expect", "c"}, {"X-Other", "d"}, {"aCCEPT", "e"},
                                  {"~odd", "f"}};
  const FieldsView plain(fields);
  const FieldsView indexed = FieldsView::indexed(fields);
  for (const std::string_view name :
       {"host", "HOST", "Accept", "accept-encoding", "ACCEPT-ENCODING", "Accepz", "expect", "Extent", "x-other", "~ODD",
        "~odd", "none", "Cache-Control", "", "a"}) {
    EXPECT_EQ(indexed.first(name), plain.first(name)) << name;
    EXPECT_EQ(indexed.joined(name), plain.joined(name)) << name;
    EXPECT_EQ(indexed.has_token(name, "br"), plain.has_token(name, "br")) << name;
    EXPECT_EQ(indexed.count(name), plain.count(name)) << name;
  }
  EXPECT_EQ(indexed.first("Accept"), "b");
  EXPECT_FALSE(FieldsView::indexed({}).has("Accept"));
}

TEST(Fields, SetKeepsThePlaceOfTheFirstAndDropsTheRest) {
  Fields fields{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  fields.set("a", "4");
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields.begin()[0].value, "4");
  EXPECT_EQ(fields.remove("B"), 1u);
  fields.set("C", "5");
  EXPECT_EQ(fields.first("c"), "5");
}

TEST(Fields, CopiesOutliveTheirSourceAndViewsSurviveGrowth) {
  Fields copy;
  {
    Fields source{{"Name", "value"}};
    const std::string_view held = *source.first("Name");
    for (int i = 0; i < 1000; ++i) source.add("X-" + std::to_string(i), std::string(50, 'x'));
    EXPECT_EQ(held, "value");
    copy = source;
  }
  EXPECT_EQ(copy.size(), 1001u);
  EXPECT_EQ(copy.first("x-999"), std::string(50, 'x'));
}

TEST(Lists, CommasInsideQuotesDoNotSplit) {
  std::vector<std::string> members;
  for_each_member(R"( a , "b,\"c" ,, d=", " ,)", [&](std::string_view m) { members.emplace_back(m); });
  EXPECT_EQ(members, (std::vector<std::string>{"a", R"("b,\"c")", R"(d=", ")"}));
}

TEST(HopByHop, WhatConnectionNamesGoesToo) {
  Fields fields{{"Connection", "close, X-Mine"}, {"X-Mine", "1"}, {"TE", "trailers"}, {"X-Other", "2"}};
  remove_hop_by_hop(fields);
  ASSERT_EQ(fields.size(), 1u);
  EXPECT_EQ(fields.first("X-Other"), "2");
}

}  // namespace
}  // namespace ghmesh::http
