// SPDX-License-Identifier: Apache-2.0
#include "http/message/date.hpp"

#include <gtest/gtest.h>

namespace ghmesh::http {
namespace {

constexpr WallTime kNow = WallTime(std::chrono::seconds(1767225600));  // 2026-01-01
constexpr WallTime kExample = WallTime(std::chrono::seconds(784111777));

TEST(HttpDate, ReadsTheThreeFormsOfTheRfc) {
  for (const char* text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                           "Sun Nov  6 08:49:37 1994", "SUN, 06 nov 1994 08:49:37 gMT"})
    EXPECT_EQ(parse_http_date(text, kNow), kExample) << text;
}

TEST(HttpDate, TwoDigitYearsAreAtMostFiftyAhead) {
  EXPECT_EQ(format_http_date(*parse_http_date("Thursday, 18-Aug-50 02:01:18 GMT", kNow)),
            "Thu, 18 Aug 2050 02:01:18 GMT");
  EXPECT_EQ(format_http_date(*parse_http_date("Wednesday, 18-Aug-76 02:01:18 GMT", kNow)),
            "Tue, 18 Aug 2076 02:01:18 GMT");
  EXPECT_EQ(format_http_date(*parse_http_date("Thursday, 18-Aug-77 02:01:18 GMT", kNow)),
            "Thu, 18 Aug 1977 02:01:18 GMT");
}

TEST(HttpDate, AnythingElseIsNoDate) {
  for (const char* text : {"",
                           "0",
                           "-1",
                           "foo",
                           "Thu, 18 Aug 2050 02:01:18 UTC",
                           "Thu, 18 Aug 2050 02:01:18 AEST",
                           "Thu, 18 Aug 50 02:01:18 GMT",
                           "Thu 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18  Aug  2050 02:01:18 GMT",
                           "Thu, 18-Aug-2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 02.01.18 GMT",
                           "Thu, 18 Aug 2050 2:01:18 GMT",
                           "Thu, 32 Aug 2050 02:01:18 GMT",
                           "Thu, 31 Feb 2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 24:01:18 GMT",
                           "Thu, 18 Aug 2050 02:01:61 GMT",
                           "Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT",
                           "Thu, 18 Aug 2050 02:01:18 GMT ",
                           "Thu, 18 Aug 2050 02:01:18",
                           "2050-08-18T02:01:18Z",
                           "Xxx, 18 Aug 2050 02:01:18 GMT"})
    EXPECT_FALSE(parse_http_date(text, kNow)) << text;
}

TEST(HttpDate, FarDatesSaturate) {
  EXPECT_GT(*parse_http_date("Sun, 21 Nov 2286 04:46:39 GMT", kNow), kNow + std::chrono::hours(24 * 365 * 200));
  EXPECT_LT(*parse_http_date("Sun, 21 Nov 1500 04:46:39 GMT", kNow), kNow);
  EXPECT_EQ(format_http_date(*parse_http_date("Sun, 21 Nov 0000 04:46:39 GMT", kNow)), "Sat, 01 Jan 1678 00:00:00 GMT");
}

TEST(HttpDate, WritesWhatItReads) {
  EXPECT_EQ(format_http_date(kExample + std::chrono::milliseconds(900)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(WallTime{}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

}  // namespace
}  // namespace ghmesh::http
