// SPDX-License-Identifier: Apache-2.0
#include "http/message/cache_control.hpp"

#include <gtest/gtest.h>

#include "http/message/cache_status.hpp"
#include "http/message/range.hpp"
#include "http/message/structured.hpp"
#include "http/message/vary.hpp"

namespace ghmesh::http {
namespace {

using std::chrono::seconds;

ResponseCacheControl response(std::string_view value) {
  return parse_response_cache_control(Fields{{"Cache-Control", value}});
}
RequestCacheControl request(std::string_view value) {
  return parse_request_cache_control(Fields{{"Cache-Control", value}});
}

TEST(CacheControl, LifetimesAreReadStrictly) {
  struct Row {
    const char* value;
    int expected;
  };
  for (const Row& row : {Row{"max-age=3600", 3600},
                         Row{"MaX-aGe=3600", 3600},
                         Row{"max-age=003600", 3600},
                         Row{"max-age=\"3600\"", 3600},
                         Row{"foobar, max-age=3600", 3600},
                         Row{"max-age=60, max-age=60", 60},
                         Row{"max-age=-3600", 0},
                         Row{"max-age='3600'", 0},
                         Row{"max-age=3600.0", 0},
                         Row{"max-age=a3600", 0},
                         Row{"max-age=3600a", 0},
                         Row{"max-age =3600", 0},
                         Row{"max-age= 3600", 0},
                         Row{"max-age", 0},
                         Row{"max-age=", 0},
                         Row{"max-age=\"3600", 0},
                         Row{"max-age=1, max-age=1800", 0},
                         Row{"max-age=1800, max-age=1", 0},
                         Row{"extension=\"max-age=3600\", max-age=1", 1},
                         Row{"max-age=1, extension=\"max-age=3600\"", 1}})
    EXPECT_EQ(response(row.value).max_age, seconds(row.expected)) << row.value;
  EXPECT_FALSE(response("x-max-age=1").max_age);
}

TEST(CacheControl, HugeLifetimesSaturate) {
  EXPECT_EQ(response("max-age=2147483647").max_age, seconds(2147483647));
  for (const char* value : {"max-age=2147483648", "max-age=2147483649", "max-age=99999999999999999999999999"})
    EXPECT_EQ(response(value).max_age, kMaxDeltaSeconds) << value;
}

TEST(CacheControl, FlagsAndQualifiedForms) {
  const auto cc = response("no-cache=\"A, b\", private=\"set-cookie\", must-revalidate, No-StOrE");
  EXPECT_FALSE(cc.no_cache);
  EXPECT_EQ(cc.no_cache_fields, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(cc.is_private);
  EXPECT_EQ(cc.private_fields, (std::vector<std::string>{"set-cookie"}));
  EXPECT_TRUE(cc.must_revalidate);
  EXPECT_TRUE(cc.no_store);
  // A form that names no field is taken whole.
  EXPECT_TRUE(response("no-cache=\"\"").no_cache);
  EXPECT_TRUE(response("no-cache=\"a b\"").no_cache);
  EXPECT_TRUE(response("private=\"x").is_private);
}

TEST(CacheControl, RequestBoundsTakeTheStrictestReading) {
  EXPECT_EQ(request("max-age=5, max-age=3").max_age, seconds(3));
  EXPECT_EQ(request("max-age=x").max_age, seconds(0));
  EXPECT_EQ(request("min-fresh=x").min_fresh, kMaxDeltaSeconds);
  EXPECT_EQ(request("max-stale=x").max_stale, seconds(0));
  EXPECT_TRUE(request("max-stale").max_stale_any);
  EXPECT_TRUE(request("only-if-cached").only_if_cached);
}

TEST(CacheControl, PragmaCountsOnlyAlone) {
  EXPECT_TRUE(parse_request_cache_control(Fields{{"Pragma", "no-cache"}}).no_cache);
  EXPECT_FALSE(parse_request_cache_control(Fields{{"Pragma", "foo"}}).no_cache);
  EXPECT_FALSE(parse_request_cache_control(Fields{{"Pragma", "no-cache"}, {"Cache-Control", "x"}}).no_cache);
}

TEST(CacheControl, TargetedFormIsAStructuredDictionary) {
  const auto targeted = [](std::string_view value) {
    return parse_targeted_cache_control(Fields{{"CDN-Cache-Control", value}}, "CDN-Cache-Control");
  };
  EXPECT_EQ(targeted("foobar, max-age=3600")->max_age, seconds(3600));
  EXPECT_EQ(targeted("max-age=99999999999")->max_age, kMaxDeltaSeconds);
  EXPECT_TRUE(targeted("no-store")->no_store);
  EXPECT_TRUE(targeted("private")->is_private);
  EXPECT_FALSE(targeted("no-store=?0")->no_store);
  for (const char* bad :
       {"", "max-age =100", "max-age= 100", "MaX-aGe=3600", "max-age=10000, &&&&&", "max-age=\"10000\"", "max-age=-1"})
    EXPECT_FALSE(targeted(bad)) << bad;
  EXPECT_FALSE(parse_targeted_cache_control(Fields{}, "CDN-Cache-Control"));
}

TEST(StructuredDictionary, ReadsEveryTypeAndRefusesWhatIsNone) {
  const auto members = parse_structured_dictionary(
      " a=1, b=-2.5;x=?1 ,c=\"q\\\"\", d=tok/en, e=:YWJj:, f=?0, g, h=(1 \"x\";p=2  c), i=@1659578233, j=%\"f%c3%bc\", "
      "a=7 ");
  ASSERT_TRUE(members);
  ASSERT_EQ(members->size(), 10u);
  EXPECT_EQ((*members)[0].integer, 7);
  EXPECT_EQ((*members)[1].type, StructuredType::Decimal);
  EXPECT_EQ((*members)[7].type, StructuredType::InnerList);
  EXPECT_EQ((*members)[8].type, StructuredType::Date);
  for (const char* bad :
       {"a=", "a=1,", ",a", "A=1", "a=1 b=2", "a=\"x", "a=\"\\x\"", "a=1.", "a=1.2345", "a=1234567890123456", "a=:b",
        "a=?2", "a=(1", "a=(1,2)", "a;", "a=@1.5", "a=%\"%C3\"", "a=--1"})
    EXPECT_FALSE(parse_structured_dictionary(bad)) << bad;
  EXPECT_TRUE(parse_structured_dictionary("")->empty());
}

TEST(Vary, LinesAndDuplicatesJoinAndAStarAnywhereWins) {
  const Fields github{{"Vary", "Accept, Authorization, Cookie, X-GitHub-OTP"}, {"Vary", "Accept-Encoding, Accept"}};
  EXPECT_EQ(parse_vary(github).names,
            (std::vector<std::string>{"accept", "accept-encoding", "authorization", "cookie", "x-github-otp"}));
  for (const char* value : {"*", "*, *", ", *", "*, Foo", "Foo, *", "Foo Bar"})
    EXPECT_TRUE((parse_vary(Fields{{"Vary", ""}, {"Vary", value}}).any)) << value;
  EXPECT_FALSE(parse_vary(Fields{}).any);
}

TEST(Vary, SelectingValuesAreNormalised) {
  const std::string joined = selecting_value(Fields{{"Foo", " 1, 2 "}}, "foo");
  EXPECT_EQ(joined, "1,2");
  EXPECT_EQ(selecting_value(Fields{{"Foo", "1"}, {"foo", "2"}}, "Foo"), joined);
  EXPECT_EQ(selecting_value(Fields{{"Foo", ""}}, "Foo"), selecting_value(Fields{}, "Foo"));
}

TEST(Range, OnePartOfTheWhole) {
  const auto part = [](std::string_view value) {
    const RangeRequest r = parse_range(value, 11);
    if (r.outcome != RangeOutcome::Satisfiable)
      return std::string(r.outcome == RangeOutcome::Ignore ? "ignore" : "416");
    return format_content_range(r.range, 11);
  };
  EXPECT_EQ(part("bytes=0-1"), "bytes 0-1/11");
  EXPECT_EQ(part("BYTES=1-"), "bytes 1-10/11");
  EXPECT_EQ(part("bytes=-1"), "bytes 10-10/11");
  EXPECT_EQ(part("bytes=-100"), "bytes 0-10/11");
  EXPECT_EQ(part("bytes=5-99999999999999999999999"), "bytes 5-10/11");
  EXPECT_EQ(part("bytes=11-"), "416");
  EXPECT_EQ(part("bytes=-0"), "416");
  for (const char* ignored : {"bytes=0-1,3-4", "bytes=2-1", "bytes=a-b", "bytes=-", "lines=1-2", "bytes", "bytes=1"})
    EXPECT_EQ(part(ignored), "ignore") << ignored;
  EXPECT_EQ(parse_range("bytes=-5", 0).outcome, RangeOutcome::Unsatisfiable);
  EXPECT_EQ(format_content_range(std::nullopt, 11), "bytes */11");
}

TEST(CacheStatus, WritesTheContractsForms) {
  EXPECT_EQ(format_cache_status({.hit = true, .detail = "memory"}), "ghmesh; hit; detail=memory");
  EXPECT_EQ(format_cache_status({.hit = true, .detail = "stale", .forward = Forward::Stale}),
            "ghmesh; hit; detail=stale; fwd=stale");
  EXPECT_EQ(format_cache_status({.forward = Forward::Miss, .forward_status = 200, .stored = true}),
            "ghmesh; fwd=miss; fwd-status=200; stored");
  EXPECT_EQ(format_cache_status({.forward = Forward::Miss, .ttl = seconds(60), .collapsed = true}),
            "ghmesh; fwd=miss; ttl=60; collapsed");
  EXPECT_EQ(format_cache_status({.forward = Forward::Method}), "ghmesh; fwd=method");
}

}  // namespace
}  // namespace ghmesh::http
