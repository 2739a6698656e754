// SPDX-License-Identifier: Apache-2.0
#include "test_bench.hpp"

namespace ghmesh::standin {
namespace {

class Quota : public Bench {};

TEST_F(Quota, LimitsByKindOfCaller) {
  EXPECT_EQ(field(get(kPublic), "X-RateLimit-Limit"), "5000");
  EXPECT_EQ(field(get(kPublic, kJob), "X-RateLimit-Limit"), "1000");
  EXPECT_EQ(field(get(kPublic, ""), "X-RateLimit-Limit"), "60");
  EXPECT_EQ(field(get("/search/issues?q=x"), "X-RateLimit-Limit"), "30");
  EXPECT_EQ(field(get("/search/issues?q=x"), "X-RateLimit-Resource"), "search");
}

TEST_F(Quota, JobsOfARepositoryShareOneBudget) {
  get(kPublic, "Bearer ghs_job-one");
  EXPECT_EQ(field(get(kPublic, "Bearer ghs_job-two"), "X-RateLimit-Used"), "2");
}

TEST_F(Quota, TokensOfAUserShareOneBudget) {
  model.tokens.add_user("alice-other", "alice");
  get(kPublic);
  EXPECT_EQ(field(get(kPublic, "Bearer alice-other"), "X-RateLimit-Used"), "2");
}

TEST_F(Quota, AnonymousBudgetsAreByAddress) {
  Request r = ask("GET", kPublic);
  for (int i = 0; i < 60; ++i) EXPECT_EQ(send(r).status, 200);
  const Response refused = send(r);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("API rate limit exceeded for 127.0.0.1. (But here's the good news"), std::string::npos);
  r.client = "127.0.0.2";
  EXPECT_EQ(send(r).status, 200);
}

TEST_F(Quota, ExhaustedJobGetsGitHubsWordsUntilTheReset) {
  model.quota.rules.job_core = 2;
  const std::string tag = field(get(kPublic, kJob), "ETag");
  get(kPublic, kJob);
  const Response refused = get(kPublic, kJob);
  EXPECT_EQ(refused.status, 403);
  EXPECT_TRUE(text_of(json(refused), "message").starts_with("API rate limit exceeded for installation ID "));
  EXPECT_EQ(field(refused, "X-RateLimit-Remaining"), "0");
  EXPECT_FALSE(refused.fields.has("Retry-After"));
  EXPECT_EQ(get_if(kPublic, tag, kJob).status, 403);
  now += 1h;
  EXPECT_EQ(get(kPublic, kJob).status, 200);
}

TEST_F(Quota, RateLimitIsFree) {
  get(kPublic);
  for (int i = 0; i < 3; ++i) {
    const Json core = json(get("/rate_limit"))["resources"]["core"];
    EXPECT_EQ(core["used"], 1);
    EXPECT_EQ(core["remaining"], 4999);
  }
}

TEST_F(Quota, ErrorsAndRedirectsAreCharged) {
  get("/repos/octo-org/nothing");
  EXPECT_EQ(field(get(at(kPublic, "/tarball/main")), "X-RateLimit-Used"), "2");
}

TEST_F(Quota, PointsPerMinuteAndEndpoint) {
  const std::string issue = at(kPublic, "/issues/1");
  for (int i = 0; i < 900; ++i) ASSERT_EQ(get(issue).status, 200);
  // Another number is the same endpoint; another resource is not.
  const Response refused = get(at(kPublic, "/issues/2"));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(field(refused, "Retry-After"), "60");
  EXPECT_TRUE(text_of(json(refused), "message").starts_with("You have exceeded a secondary rate limit"));
  EXPECT_TRUE(text_of(json(refused), "documentation_url").ends_with("secondary-rate-limits"));
  EXPECT_NE(field(refused, "X-RateLimit-Remaining"), "0");
  EXPECT_EQ(get(at(kPublic, "/labels")).status, 200);
  EXPECT_EQ(get(issue, kBob).status, 200);
  now += 61s;
  EXPECT_EQ(get(issue).status, 200);
  EXPECT_EQ(model.journal.total().secondary_limited, 1u);
}

TEST_F(Quota, NotModifiedCountsAsAPointUnlessToldOtherwise) {
  const std::string tag = field(get(kPublic), "ETag");
  for (int i = 0; i < 899; ++i) ASSERT_EQ(get_if(kPublic, tag).status, 304);
  EXPECT_EQ(get_if(kPublic, tag).status, 403);
  model.quota.rules.points_for_304 = false;
  now += 61s;
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(get_if(kPublic, tag).status, 304);
}

TEST_F(Quota, ConcurrencyIsTheCallersWord) {
  Request r = ask("GET", kPublic, kAlice);
  r.in_flight = 100;
  EXPECT_EQ(send(r).status, 200);
  r.in_flight = 101;
  EXPECT_EQ(send(r).status, 403);
  EXPECT_EQ(model.journal.total().most_concurrent, 101u);
}

TEST_F(Quota, ContentWritesPerMinute) {
  for (int i = 0; i < 80; ++i)
    ASSERT_EQ(write("POST", at(kPublic, "/issues/1/comments"), R"({"body":"x"})").status, 201);
  EXPECT_EQ(write("POST", at(kPublic, "/issues/1/comments"), R"({"body":"x"})").status, 403);
  EXPECT_EQ(get(kPublic).status, 200);
}

TEST_F(Quota, RefusalsByHand) {
  EXPECT_EQ(get(kPublic, "Bearer nobody").status, 401);
  EXPECT_EQ(text_of(json(get(kPublic, "Bearer nobody")), "message"), "Bad credentials");
  Request nameless = ask("GET", kPublic, kAlice);
  nameless.fields.remove("User-Agent");
  EXPECT_EQ(send(nameless).status, 403);
  Request version = ask("GET", kPublic, kAlice);
  version.fields.add("X-GitHub-Api-Version", "1999-01-01");
  EXPECT_EQ(send(version).status, 400);
  Request type = ask("GET", kPublic, kAlice);
  type.fields.set("Accept", "text/xml");
  EXPECT_EQ(send(type).status, 415);
}

TEST_F(Quota, JournalTellsWhoAskedWhatAtWhoseCost) {
  const std::string tag = field(get(kPublic), "ETag");
  get_if(kPublic, tag);
  ASSERT_EQ(model.journal.entries().size(), 2u);
  const JournalEntry& last = model.journal.entries().back();
  EXPECT_EQ(last.status, 304);
  EXPECT_TRUE(last.conditional);
  EXPECT_FALSE(last.charged);
  EXPECT_EQ(last.token, TokenTable::fingerprint_of("alice-secret"));
  EXPECT_EQ(model.journal.of(last.token).charged, 1u);
}

TEST(Endpoint, NamesAndNumbersAreLeftOut) {
  EXPECT_EQ(endpoint_of("GET", "/repos/a/b/issues/7/comments"), "GET/repos/*/*/issues/*/comments");
  EXPECT_EQ(endpoint_of("HEAD", "/users/x"), "GET/users/*");
  EXPECT_EQ(endpoint_of("POST", "/graphql"), "POST/graphql");
}

}  // namespace
}  // namespace ghmesh::standin
