// SPDX-License-Identifier: Apache-2.0
#include "github/freshness.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ghmesh::github {
namespace {

using http::Fields;

Resource at(std::string_view path) { return classify("GET", path); }
const std::string kSha(40, 'a');
const http::ResponseCacheControl kRecorded =
    http::parse_response_cache_control(Fields{{"Cache-Control", "private, max-age=60, s-maxage=60"}});

Seconds fresh(FreshnessPolicy policy, std::string_view path, std::optional<Seconds> ttl = {}) {
  return lifetime({policy, ttl}, at(path), 200, kRecorded).fresh;
}

http::ResponseCacheControl control(std::string_view value) {
  return http::parse_response_cache_control(Fields{{"Cache-Control", value}});
}
http::RequestCacheControl bounds(std::string_view value) {
  return parse_client_bounds(Fields{{"Cache-Control", value}});
}

TEST(Freshness, TheTableOfTheContract) {
  const std::string blob = "/repos/o/r/git/blobs/" + kSha;
  using enum FreshnessPolicy;
  for (const FreshnessPolicy policy : {Strict, GitHub, Relaxed}) EXPECT_EQ(fresh(policy, blob), kForever);
  EXPECT_EQ(fresh(Strict, "/repos/o/r/actions/runs"), Seconds(0));
  EXPECT_EQ(fresh(GitHub, "/repos/o/r/actions/runs"), Seconds(0));
  EXPECT_EQ(fresh(Relaxed, "/repos/o/r/actions/runs"), Seconds(60));
  EXPECT_EQ(fresh(Relaxed, "/repos/o/r/actions/runners"), Seconds(30));
  EXPECT_EQ(fresh(Relaxed, "/orgs/o/actions/runners"), Seconds(30));
  EXPECT_EQ(fresh(Strict, "/repos/o/r"), Seconds(0));
  EXPECT_EQ(fresh(GitHub, "/repos/o/r"), Seconds(60));
  EXPECT_EQ(fresh(Relaxed, "/repos/o/r"), Seconds(300));
  EXPECT_EQ(fresh(Strict, "/repos/o/r", Seconds(300)), Seconds(0));
  EXPECT_EQ(fresh(GitHub, "/repos/o/r", Seconds(300)), Seconds(300));
  EXPECT_EQ(fresh(Relaxed, "/repos/o/r", Seconds(20)), Seconds(20));
  EXPECT_EQ(fresh(GitHub, "/never/heard/of"), Seconds(60));
}

TEST(Freshness, AlwaysProvedIsStillKept) {
  const Lifetime runs = lifetime({FreshnessPolicy::Strict, {}}, at("/repos/o/r/actions/runs"), 200, kRecorded);
  EXPECT_TRUE(runs.store);
  EXPECT_FALSE(runs.stale_ok);
  EXPECT_FALSE(usable_without_asking(runs, Seconds(0), {}));
}

TEST(Freshness, WhatIsNeverKept) {
  const FreshnessOptions options;
  EXPECT_FALSE(lifetime(options, at("/rate_limit"), 200, kRecorded).store);
  EXPECT_FALSE(lifetime(options, at("/search/code"), 200, kRecorded).store);
  EXPECT_FALSE(lifetime(options, at("/repos/o/r/tarball/main"), 200, kRecorded).store);
  for (const int status : {201, 202, 204, 206, 301, 302, 304, 401, 403, 410, 422, 429, 451, 500, 503})
    EXPECT_FALSE(lifetime(options, at("/repos/o/r"), status, kRecorded).store) << status;
  EXPECT_FALSE(lifetime(options, at("/repos/o/r"), 200, control("no-store")).store);
  EXPECT_FALSE(lifetime(options, classify("POST", "/repos/o/r/issues"), 200, kRecorded).store);
}

TEST(Freshness, AbsenceIsRememberedBrieflyAndNeverOfWhatMoves) {
  const FreshnessOptions options;
  const Lifetime missing = lifetime(options, at("/repos/o/r/labels/x"), 404, {});
  EXPECT_TRUE(missing.store);
  EXPECT_EQ(missing.fresh, Seconds(15));
  EXPECT_FALSE(missing.stale_ok);
  EXPECT_FALSE(lifetime(options, at("/repos/o/r/git/ref/heads/x"), 404, {}).store);
  EXPECT_FALSE(lifetime({FreshnessPolicy::Strict, {}}, at("/repos/o/r/labels/x"), 404, {}).store);
}

TEST(Freshness, ResponseControlDecidesUnderGithub) {
  EXPECT_EQ(lifetime({}, at("/repos/o/r"), 200, {}).fresh, Seconds(0));
  EXPECT_EQ(lifetime({}, at("/repos/o/r"), 200, control("no-cache, max-age=60")).fresh, Seconds(0));
  EXPECT_EQ(lifetime({}, at("/repos/o/r"), 200, {}, true).fresh, kForever);
}

TEST(Freshness, ClientBoundsAreReadStrictly) {
  const http::RequestCacheControl asked = parse_client_bounds(
      Fields{{"Cache-Control", "no-cache, Max-Age=\"30\", min-fresh=5"}, {"cache-control", "max-age=10"}});
  EXPECT_TRUE(asked.no_cache);
  EXPECT_EQ(asked.max_age, Seconds(10));
  EXPECT_EQ(asked.min_fresh, Seconds(5));
  EXPECT_EQ(parse_client_bounds(Fields{{"Cache-Control", "max-age=soon"}}).max_age, Seconds(0));
  EXPECT_TRUE(parse_client_bounds(Fields{{"Pragma", "no-cache"}}).no_cache);
  EXPECT_FALSE(parse_client_bounds(Fields{{"Pragma", "no-cache"}, {"Cache-Control", "max-age=5"}}).no_cache);
  EXPECT_TRUE(parse_client_bounds(Fields{{"Cache-Control", "only-if-cached"}}).only_if_cached);
  EXPECT_EQ(parse_client_bounds(Fields{{"X-GH-CACHE-TTL", "1h0m0s"}}).max_age, Seconds(3600));
  EXPECT_EQ(parse_client_bounds(Fields{{"X-GH-CACHE-TTL", "1h"}, {"Cache-Control", "max-age=9"}}).max_age, Seconds(9));
  EXPECT_EQ(parse_client_bounds(Fields{{"X-GH-CACHE-TTL", "later"}}).max_age, Seconds(0));
}

TEST(Freshness, GoDurations) {
  EXPECT_EQ(parse_go_duration("1h30m15s"), Seconds(5415));
  EXPECT_EQ(parse_go_duration("1.5h"), Seconds(5400));
  EXPECT_EQ(parse_go_duration("250ms"), Seconds(0));
  EXPECT_EQ(parse_go_duration("0"), Seconds(0));
  EXPECT_EQ(parse_go_duration("99999999999999h"), Seconds(2147483648));
  for (const char* bad : {"", "5", "h", "-5s", "5x", "5s ", "inf"})
    EXPECT_EQ(parse_go_duration(bad), std::nullopt) << bad;
}

TEST(Freshness, BoundsApplyToEveryAnswer) {
  const Lifetime minute{true, Seconds(60), true};
  EXPECT_TRUE(usable_without_asking(minute, Seconds(59), {}));
  EXPECT_FALSE(usable_without_asking(minute, Seconds(60), {}));
  EXPECT_FALSE(usable_without_asking(minute, Seconds(11), bounds("max-age=10")));
  EXPECT_TRUE(usable_without_asking(minute, Seconds(10), bounds("max-age=10")));
  EXPECT_FALSE(usable_without_asking(minute, Seconds(0), bounds("max-age=0")));
  EXPECT_FALSE(usable_without_asking(minute, Seconds(50), bounds("min-fresh=11")));
  EXPECT_FALSE(usable_without_asking(minute, Seconds(0), bounds("no-cache")));
  const Lifetime forever{true, kForever, true};
  EXPECT_TRUE(usable_without_asking(forever, Seconds(1u << 30), {}));
  EXPECT_FALSE(usable_without_asking(forever, Seconds(100), bounds("max-age=99")));
}

TEST(Freshness, PolicyNamesRoundTrip) {
  for (const char* name : {"strict", "github", "relaxed", "http"})
    EXPECT_EQ(to_string(*parse_freshness_policy(name)), name);
  EXPECT_EQ(parse_freshness_policy("lax"), std::nullopt);
  EXPECT_EQ(graphql_lifetime(FreshnessPolicy::GitHub), Seconds(10));
  EXPECT_EQ(graphql_lifetime(FreshnessPolicy::Strict), Seconds(0));
  EXPECT_EQ(graphql_lifetime(FreshnessPolicy::Relaxed), Seconds(60));
}

}  // namespace
}  // namespace ghmesh::github
