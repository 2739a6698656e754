// SPDX-License-Identifier: Apache-2.0
#include "report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ghmesh::cli {
namespace {

TEST(Report, MembersStandInColumns) {
  EXPECT_EQ(table_of(R"({"requests":12,"hit_rate":0.5,"peer_id":null,"addrs":["a","b"],"none":[],"q":{"limit":60}})"),
            "requests  12\n"
            "hit_rate  0.5\n"
            "peer_id   -\n"
            "addrs     a, b\n"
            "none      -\n"
            "q.limit   60\n");
  EXPECT_EQ(table_of("not json"), "not json");
  EXPECT_EQ(table_of(R"({"a":[{"b":1},{"b":2}]})"), "a.0.b  1\na.1.b  2\n");
}

TEST(Report, QuotaHasARowPerTokenAndResource) {
  EXPECT_EQ(
      quota_table_of(R"({"quota":[{"token":"ab","resource":"core","limit":60,"remaining":1}]})"),
      "token  resource  limit  remaining  used  reset  spent_by_this_node  spent_by_members  spent_by_others  "
      "forecast_remaining\n"
      "ab     core      60     1          -     -      -                   -                 -                -\n");
  EXPECT_THAT(quota_table_of(R"({"quota":[{"token":"ab","reset":1700000000}]})"),
              testing::HasSubstr("2023-11-14 22:13:20Z"));
  EXPECT_EQ(quota_table_of(R"({"quota":[]})"), "no quota seen yet\n");
}

TEST(Report, SavingsAreOneLine) {
  EXPECT_EQ(savings_of(R"({"requests":42,"charged_calls":12,"calls_saved":30})"),
            "42 requests, 12 charged by GitHub, 30 saved");
  EXPECT_EQ(savings_of(R"({"requests":1,"charged_calls":1,"calls_saved":0})"),
            "1 request, 1 charged by GitHub, 0 saved");
  for (const char* bad : {"", "{}", "[]", R"({"requests":"42","charged_calls":12,"calls_saved":30})"})
    EXPECT_FALSE(savings_of(bad)) << bad;
}

TEST(Report, TerminalsGetNoControls) {
  EXPECT_EQ(table_of("{\"a\":\"\\u001b[2Jx\"}"), "a  ?[2Jx\n");
  EXPECT_EQ(message_of("{\"message\":\"no\\u0007\"}"), "no?");
  EXPECT_EQ(message_of("plain\nmore"), "plain");
  EXPECT_EQ(message_of(""), "");
}

}  // namespace
}  // namespace ghmesh::cli
