// SPDX-License-Identifier: Apache-2.0
#include "github/pagination.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ghmesh::github {
namespace {

const char kRecorded[] =
    "<https://api.github.com/repositories/1/issues?page=3>; rel=\"next\", "
    "<https://api.github.com/repositories/1/issues?page=9&q=a,b>; rel=\"last\"";

std::string array_of(std::size_t n) {
  std::string out = "[";
  for (std::size_t i = 0; i < n; ++i) out += (i > 0 ? ",{\"id\":" : "{\"id\":") + std::to_string(i) + "}";
  return out + "]";
}

const Resource kIssues = classify("GET", "/repos/o/r/issues");
bool probe(std::string_view query, const std::string& body, bool link = false, const Resource& resource = kIssues) {
  return need_next_page_probe(resource, query, array_length(as_bytes(body)), link);
}
Target target(std::string_view text) { return parse_target(text).target; }

TEST(Pagination, ParsesLinks) {
  const std::vector<Link> links = parse_links(kRecorded);
  ASSERT_EQ(links.size(), 2u);
  EXPECT_EQ(links[0].uri, "https://api.github.com/repositories/1/issues?page=3");
  EXPECT_EQ(links[0].rel, "next");
  EXPECT_EQ(find_link(kRecorded, "LAST"), "https://api.github.com/repositories/1/issues?page=9&q=a,b");
  EXPECT_EQ(find_link(kRecorded, "prev"), std::nullopt);
  EXPECT_EQ(find_link("<x> ; title=\"a,>b\" ; rel=next", "next"), "x");
  EXPECT_EQ(parse_links("<a>; rel=\"x\"; rel=\"y\"")[0].rel, "x");
  for (const char* bad : {"", "x", "<x", "<x>", "<x>; rel=\"y", "<x>; title=y", ";", "<x> y; rel=z"})
    EXPECT_TRUE(parse_links(bad).empty()) << bad;
  std::string many;
  for (int i = 0; i < 100; ++i) many += "<x>; rel=next,";
  EXPECT_EQ(parse_links(many).size(), 8u);
}

TEST(Pagination, RewritesOnlyTheOriginsOwnUrls) {
  EXPECT_EQ(rewrite_links(kRecorded, "https://api.github.com", "http://127.0.0.1:8418"),
            "<http://127.0.0.1:8418/repositories/1/issues?page=3>; rel=\"next\", "
            "<http://127.0.0.1:8418/repositories/1/issues?page=9&q=a,b>; rel=\"last\"");
  const std::string other = "<https://api.github.com.evil.example/x>; rel=\"next\"";
  EXPECT_EQ(rewrite_links(other, "https://api.github.com", "http://b"), other);
  EXPECT_EQ(rewrite_url("HTTPS://API.GitHub.com/x", "https://api.github.com", "http://b"), "http://b/x");
  EXPECT_EQ(rewrite_links("<broken", "https://api.github.com", "http://b"), "<broken");
}

TEST(ProofRule9, AFullPageWithoutLinkNeedsAProbe) {
  EXPECT_TRUE(probe("", array_of(30)));
  EXPECT_TRUE(probe("per_page=5", array_of(5)));
  EXPECT_TRUE(probe("per_page=100&page=3", array_of(100)));
  EXPECT_TRUE(probe("per_page=1000", array_of(100)));
  // GitHub's own answer about pages settles it.
  EXPECT_FALSE(probe("", array_of(30), true));
  // Small and object-shaped bodies need nothing.
  EXPECT_FALSE(probe("", array_of(29)));
  EXPECT_FALSE(probe("per_page=100", array_of(30)));
  EXPECT_FALSE(probe("", "{\"total_count\":500,\"items\":" + array_of(30) + "}"));
  EXPECT_FALSE(probe("", "[]"));
  // A cursor tells nothing about how full a page may be.
  EXPECT_TRUE(probe("after=Y3Vyc29y", array_of(3)));
  EXPECT_TRUE(probe("", array_of(3), false, classify("GET", "/repos/o/r/activity")));
}

TEST(ProofRule9, TheProbeIsTheSameQueryWithTheNextNumber) {
  const auto next = [](std::string_view text) { return next_page_target(kIssues, target(text)); };
  EXPECT_EQ(next("/repos/o/r/issues"), "/repos/o/r/issues?page=2");
  EXPECT_EQ(next("/repos/o/r/issues?state=all&page=2&per_page=50"), "/repos/o/r/issues?state=all&page=3&per_page=50");
  EXPECT_EQ(next("/repos/o/r/issues?per_page=50"), "/repos/o/r/issues?per_page=50&page=2");
  EXPECT_EQ(next("/repos/o/r/issues?page=1&page=4"), "/repos/o/r/issues?page=5");
  EXPECT_EQ(next("/repos/o/r/issues?after=abc"), std::nullopt);
  EXPECT_EQ(next_page_target(classify("GET", "/users"), target("/users?since=5")), std::nullopt);
}

TEST(ProofRule9, LastIsProvedOrDropped) {
  const Target page2 = target("/repos/o/r/issues?state=all&page=2");
  EXPECT_EQ(rebuild_links("https://api.github.com", page2, 2, NextPage::Exists),
            "<https://api.github.com/repos/o/r/issues?state=all&page=1>; rel=\"prev\", "
            "<https://api.github.com/repos/o/r/issues?state=all&page=3>; rel=\"next\", "
            "<https://api.github.com/repos/o/r/issues?state=all&page=1>; rel=\"first\"");
  EXPECT_EQ(rebuild_links("https://api.github.com", page2, 2, NextPage::None),
            "<https://api.github.com/repos/o/r/issues?state=all&page=1>; rel=\"prev\", "
            "<https://api.github.com/repos/o/r/issues?state=all&page=1>; rel=\"first\"");
  EXPECT_EQ(rebuild_links("https://api.github.com", target("/repos/o/r/issues"), 1, NextPage::None), "");
  EXPECT_NE(rebuild_links("https://a", page2, 2, NextPage::Exists, 7).find("page=7>; rel=\"last\""), std::string::npos);
  EXPECT_EQ(rebuild_links("https://a", page2, 2, NextPage::None, 7).find("last"), std::string::npos);
}

TEST(ProofRule10, TheEmptyListIsGuessedOnlyForLists) {
  const std::string_view json = "application/vnd.github+json";
  EXPECT_TRUE(may_guess_empty(kIssues, json));
  EXPECT_FALSE(may_guess_empty(kIssues, "application/vnd.github.raw"));
  EXPECT_FALSE(may_guess_empty(classify("GET", "/repos/o/r"), json));
  EXPECT_FALSE(may_guess_empty(classify("GET", "/repos/o/r/actions/runs"), json));  // an object around the list
  EXPECT_FALSE(may_guess_empty(classify("GET", "/user/repos"), json));
  EXPECT_FALSE(may_guess_empty(classify("GET", "/unknown/list"), json));
}

TEST(Pagination, CountsMembersOfArraysOnly) {
  EXPECT_EQ(array_length(as_bytes(" [1,[2,3],{}]")), 3u);
  EXPECT_EQ(array_length(as_bytes("[]")), 0u);
  EXPECT_EQ(array_length(as_bytes("{}")), std::nullopt);
  EXPECT_EQ(array_length(as_bytes("[1")), std::nullopt);
  EXPECT_EQ(array_length(as_bytes("")), std::nullopt);
}

}  // namespace
}  // namespace ghmesh::github
