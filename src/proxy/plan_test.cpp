// SPDX-License-Identifier: Apache-2.0
#include "proxy/plan.hpp"

#include <gtest/gtest.h>

namespace ghmesh::proxy {
namespace {

class PlanTest : public testing::Test {
 protected:
  std::unique_ptr<Planner> planner(const char* upstream = "https://api.github.com") {
    return make_github_planner({*http::parse_url(upstream), {}, {}, &clock_}, Bytes(32, 1), Bytes(32, 2));
  }
  Plan plan(Planner& planner, std::string_view target, http::Fields fields = {{"Authorization", "token a"}}) {
    fields_ = std::move(fields);
    return planner.plan({"GET", target, 1, fields_.view()}, target, false);
  }
  ManualClock clock_;
  http::Fields fields_;
};

TEST_F(PlanTest, WhereTheUpstreamKeepsItsApi) {
  for (const auto& [upstream, sent] :
       {std::pair("https://api.github.com", "/repos/o/r"), std::pair("http://127.0.0.1:8080", "/repos/o/r"),
        std::pair("https://ghes.example.test/api/v3", "/api/v3/repos/o/r"),
        std::pair("https://ghes.example.test", "/api/v3/repos/o/r"),
        std::pair("https://api.acme.ghe.com", "/repos/o/r")}) {
    const auto p = planner(upstream);
    EXPECT_EQ(plan(*p, "/repos/o/r").target, sent) << upstream;
    EXPECT_EQ(plan(*p, "/api/v3/repos/o/r").target, sent) << upstream;
  }
}

TEST_F(PlanTest, EscapedSlashesOfOctokitAreTheSameFile) {
  const auto p = planner();
  const Plan escaped = plan(*p, "/repos/o/r/contents/src%2Fmain.c?ref=main");
  const Plan plain = plan(*p, "/repos/o/r/contents/src/main.c?ref=main");
  ASSERT_TRUE(escaped.cacheable);
  EXPECT_EQ(escaped.key, plain.key);
  EXPECT_EQ(escaped.target, plain.target);
  EXPECT_EQ(escaped.resource.family, plain.resource.family);
}

TEST_F(PlanTest, ASlashInsideANameIsAResourceOfItsOwn) {
  const auto p = planner();
  for (const char* target : {"/repos/o/r/branches/a%2Fb", "/repos/o/r/branches/a%2Fb/protection",
                             "/repos/o/r/labels/area%2Fci", "/repos/o/r/compare/main...a%2Fb"}) {
    const Plan named = plan(*p, target);
    EXPECT_TRUE(named.cacheable) << target;
    EXPECT_TRUE(named.target.ends_with(target)) << named.target;
    std::string plain = target;
    plain.replace(plain.find("%2F"), 3, "/");
    EXPECT_NE(named.key, plan(*p, plain).key) << target;
  }
  // However the client writes the escape, it is one resource, and a write to it is one to that.
  EXPECT_TRUE(plan(*p, "/repos/o/r/labels/area%2fci").cacheable);
  EXPECT_EQ(plan(*p, "/repos/o/r/labels/area%2fci").key, plan(*p, "/repos/o/r/labels/area%2Fci").key);
  EXPECT_EQ(plan(*p, "/repos/o/r/labels/area%2fci?a=%2f").target, "/repos/o/r/labels/area%2Fci?a=%2f");
  EXPECT_EQ(p->written("PATCH", "/repos/o/r/labels/area%2fci"), p->written("PATCH", "/repos/o/r/labels/area%2Fci"));
  // A branch that is called a/protection is not the protection of a.
  EXPECT_EQ(plan(*p, "/repos/o/r/branches/a%2Fprotection").resource.family,
            plan(*p, "/repos/o/r/branches/main").resource.family);
  for (const char* target :
       {"/repos/o/r/branches/..%2F..%2F..%2Fuser", "/repos/o/r/branches/a%2F%2Fb", "/repos/o/r/branches/a%5Cb",
        "/repos/o%2Fr/x/branches/a", "/repos/o/r/nothing/a%2Fb", "/user/a%2Fb"})
    EXPECT_FALSE(plan(*p, target).cacheable) << target;
}

TEST_F(PlanTest, ARepositorysNumberIsItsNameOnceKnown) {
  const auto p = planner();
  EXPECT_NE(plan(*p, "/repositories/7/issues").key, plan(*p, "/repos/o/r/issues").key);
  p->learn(plan(*p, "/repos/o/r"), as_bytes(R"({"id":7,"full_name":"o/r","private":false})"));
  EXPECT_EQ(plan(*p, "/repositories/7/issues").key, plan(*p, "/repos/o/r/issues").key);
  EXPECT_EQ(plan(*p, "/repositories/7/issues").target, "/repositories/7/issues");
}

TEST_F(PlanTest, EntriesAreATokensOwnAndCandidatesEverybodys) {
  const auto p = planner();
  const Plan a = plan(*p, "/repos/o/r", {{"Authorization", "token a"}});
  const Plan a_too = plan(*p, "/repos/o/r", {{"Authorization", "Bearer a"}});
  const Plan b = plan(*p, "/repos/o/r", {{"Authorization", "token b"}});
  EXPECT_EQ(a.key, a_too.key);
  EXPECT_NE(a.key, b.key);
  EXPECT_EQ(a.candidate, b.candidate);
  EXPECT_NE(a.candidate, plan(*p, "/repos/o/r", {{"X-GitHub-Api-Version", "2026-03-10"}}).candidate);
}

TEST_F(PlanTest, QuotaIsKnownOfWhatIsNeverCachedToo) {
  const auto p = planner();
  const Plan a = plan(*p, "/repos/o/r/../x", {{"Authorization", "token a"}});
  EXPECT_FALSE(a.cacheable);
  EXPECT_EQ(a.partition, plan(*p, "/repos/o/r", {{"Authorization", "token a"}}).partition);
}

TEST_F(PlanTest, GhsOwnBoundIsAMaxAge) {
  const auto p = planner();
  const Plan bounded = plan(*p, "/repos/o/r", {{"X-GH-CACHE-TTL", "5s"}});
  ASSERT_TRUE(bounded.cache_fields);
  EXPECT_EQ(bounded.cache_fields->first("Cache-Control"), "max-age=5");
}

}  // namespace
}  // namespace ghmesh::proxy
