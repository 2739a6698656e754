// SPDX-License-Identifier: Apache-2.0
#include "query.hpp"

#include <gtest/gtest.h>

namespace ghmesh::admin {
namespace {

TEST(Query, DecodesEscapesOnly) {
  EXPECT_EQ(percent_decode("/a%20b+c%2Fd"), "/a b+c/d");
  EXPECT_EQ(percent_decode(""), "");
  EXPECT_EQ(percent_decode("%41"), "A");
  for (const char* bad : {"%", "%4", "x%", "%zz", "%4g", "%00"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(Query, FindsOneValue) {
  EXPECT_EQ(query_value("target=/a%3Fb%3D1&x=2", "target"), "/a?b=1");
  EXPECT_EQ(query_value("target=/a%3Fb%3D1&x=2", "x"), "2");
  EXPECT_EQ(query_value("x", "x"), "");
  EXPECT_EQ(query_value("x=a=b", "x"), "a=b");
  EXPECT_FALSE(query_value("", "x"));
  EXPECT_FALSE(query_value("xx=1", "x"));
  EXPECT_FALSE(query_value("x=1&x=2", "x"));
  EXPECT_FALSE(query_value("x=%", "x"));
}

TEST(Query, SplitsAtTheFirstMark) {
  EXPECT_EQ(split_target("/a?b?c").path, "/a");
  EXPECT_EQ(split_target("/a?b?c").query, "b?c");
  EXPECT_EQ(split_target("/a").query, "");
}

}  // namespace
}  // namespace ghmesh::admin
