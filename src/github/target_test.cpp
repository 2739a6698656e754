// SPDX-License-Identifier: Apache-2.0
#include "github/target.hpp"

#include <gtest/gtest.h>

#include <string>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

TargetProblem problem(std::string_view text) { return parse_target(text).problem; }

TEST(Target, SplitsRawPathAndQuery) {
  const ParsedTarget parsed = parse_target("/repos/o/r/issues?state=open&q=a%2Fb");
  ASSERT_EQ(parsed.problem, TargetProblem::None);
  EXPECT_EQ(parsed.target.path, "/repos/o/r/issues");
  EXPECT_EQ(parsed.target.query, "state=open&q=a%2Fb");
  EXPECT_TRUE(parsed.target.has_query);
  EXPECT_FALSE(parse_target("/meta").target.has_query);
  EXPECT_TRUE(parse_target("/meta?").target.has_query);
}

TEST(Target, WhateverCouldMeanTwoThingsIsNamed) {
  using enum TargetProblem;
  EXPECT_EQ(problem(""), NotOriginForm);
  EXPECT_EQ(problem("*"), NotOriginForm);
  EXPECT_EQ(problem("https://user@api.github.com/meta"), NotOriginForm);
  EXPECT_EQ(problem("/a/../b"), DotSegment);
  EXPECT_EQ(problem("/a/."), DotSegment);
  EXPECT_EQ(problem("/a/%2E%2e/b"), DotSegment);
  EXPECT_EQ(problem("/a/.%2e"), DotSegment);
  EXPECT_EQ(problem("/a/%2e"), DotSegment);
  EXPECT_EQ(problem("/a/..."), None);
  EXPECT_EQ(problem("/a/.github/b"), None);
  EXPECT_EQ(problem("/repos/o/r/branches/feature%2Fx"), EncodedSlash);
  EXPECT_EQ(problem("/repos/o/r/branches/feature%5cx"), EncodedSlash);
  EXPECT_EQ(problem("/a?b=c%2fd"), None);
  EXPECT_EQ(problem("/a?b=../c"), None);
  EXPECT_EQ(problem("/a//b"), EmptySegment);
  EXPECT_EQ(problem("//a"), EmptySegment);
  EXPECT_EQ(problem("/a/"), None);
  EXPECT_EQ(problem("/"), None);
  EXPECT_EQ(problem("/a#b"), Fragment);
  EXPECT_EQ(problem("/a?b#c"), Fragment);
  EXPECT_EQ(problem("/\xc3\xa9"), NonAscii);
  EXPECT_EQ(problem("/a b"), Character);
  EXPECT_EQ(problem("/a\\b"), Character);
  EXPECT_EQ(problem(std::string("/a\0b", 4)), Character);
  EXPECT_EQ(problem("/a%00"), EncodedNul);
  EXPECT_EQ(problem("/a%0"), BadEscape);
  EXPECT_EQ(problem("/a%zz"), BadEscape);
  EXPECT_EQ(problem("/a?x=%"), BadEscape);
  EXPECT_EQ(problem("/" + std::string(kLimits.max_target - 1, 'a')), None);
  EXPECT_EQ(problem("/" + std::string(kLimits.max_target, 'a')), TooLong);
}

TEST(Target, LastQueryParameterCounts) {
  EXPECT_EQ(query_parameter("per_page=5&page=2", "per_page"), "5");
  EXPECT_EQ(query_parameter("per_page=5&per_page=7", "per_page"), "7");
  EXPECT_EQ(query_parameter("a", "a"), "");
  EXPECT_EQ(query_parameter("xper_page=5", "per_page"), std::nullopt);
  EXPECT_EQ(query_parameter("", "a"), std::nullopt);
}

TEST(Target, HostsAndPrefixes) {
  EXPECT_EQ(host_kind("API.github.com"), HostKind::Cloud);
  EXPECT_EQ(host_kind("api.github.com:443"), HostKind::Cloud);
  EXPECT_EQ(host_kind("api.octocorp.ghe.com"), HostKind::Cloud);
  EXPECT_EQ(host_kind("uploads.octocorp.ghe.com"), HostKind::CloudUploads);
  EXPECT_EQ(host_kind("uploads.github.com"), HostKind::CloudUploads);
  EXPECT_EQ(host_kind("github.corp.example"), HostKind::EnterpriseServer);
  EXPECT_EQ(host_kind("api.github.com.evil.example"), HostKind::EnterpriseServer);

  const auto check = [](HostKind host, std::string_view path, Surface surface, std::string_view below,
                        std::string_view upstream) {
    const Route found = route(host, path);
    EXPECT_EQ(found.surface, surface) << path;
    EXPECT_EQ(found.path, below) << path;
    EXPECT_EQ(upstream_path(host, found), upstream) << path;
  };
  using enum Surface;
  check(HostKind::Cloud, "/repos/o/r", Rest, "/repos/o/r", "/repos/o/r");
  check(HostKind::Cloud, "/api/v3/repos/o/r", Rest, "/repos/o/r", "/repos/o/r");
  check(HostKind::Cloud, "/api/v3", Rest, "/", "/");
  check(HostKind::Cloud, "/api/v33/x", Rest, "/api/v33/x", "/api/v33/x");
  check(HostKind::Cloud, "/graphql", GraphQl, "/", "/graphql");
  check(HostKind::Cloud, "/api/graphql", GraphQl, "/", "/graphql");
  check(HostKind::EnterpriseServer, "/api/v3/repos/o/r", Rest, "/repos/o/r", "/api/v3/repos/o/r");
  check(HostKind::EnterpriseServer, "/api/graphql", GraphQl, "/", "/api/graphql");
  check(HostKind::EnterpriseServer, "/api/uploads/repos/o/r/releases/1/assets", Uploads, "/repos/o/r/releases/1/assets",
        "/api/uploads/repos/o/r/releases/1/assets");
  check(HostKind::CloudUploads, "/repos/o/r/releases/1/assets", Uploads, "/repos/o/r/releases/1/assets",
        "/repos/o/r/releases/1/assets");
}

TEST(Target, EscapedSlashesOfAFileOrRef) {
  const auto plain = [](std::string_view target) { return with_plain_slashes(target).value_or("none"); };
  EXPECT_EQ(plain("/repos/o/r/contents/src%2Fmain.c?ref=a%2Fb"), "/repos/o/r/contents/src/main.c?ref=a%2Fb");
  EXPECT_EQ(plain("/api/v3/repos/o/r/git/ref/heads%2fmain"), "/api/v3/repos/o/r/git/ref/heads/main");
  EXPECT_EQ(plain("/repos/o/r/contents/a%2F..%2Fb"), "none");
  EXPECT_EQ(plain("/repos/o/r/contents/a%5Cb"), "none");
  EXPECT_EQ(plain("/repos/o%2Fr/contents/contents/a"), "none");
  EXPECT_EQ(plain("/repos/o/r/branches/a%2Fprotection"), "none");
}

}  // namespace
}  // namespace ghmesh::github
