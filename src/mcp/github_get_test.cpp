// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "calls.hpp"

namespace ghmesh::mcp {
namespace {

std::string expand(const char* path, const char* parameters = "{}") {
  return expand_target(path, Json::parse(parameters)).value_or("refused");
}

TEST(GithubGet, TemplatesAreFilledAndTheRestIsTheQuery) {
  EXPECT_EQ(expand("/repos/{owner}/{repo}/issues", R"({"owner":"o","repo":"r","state":"all","per_page":5})"),
            "/repos/o/r/issues?state=all&per_page=5");
  EXPECT_EQ(expand("repos/o/r"), "/repos/o/r");
  EXPECT_EQ(expand("/repos/o/r?a=1", R"({"b":true})"), "/repos/o/r?a=1&b=true");
  EXPECT_EQ(expand("/contents/{path}", R"({"path":"a/b c"})"), "/contents/a%2Fb%20c");
  EXPECT_EQ(expand("/contents/{+path}", R"({"path":"a/b c?d"})"), "/contents/a/b%20c%3Fd");
  EXPECT_EQ(expand("/x", R"({"q":"a&b=\u00fc"})"), "/x?q=a%26b%3D%C3%BC");
}

TEST(GithubGet, WhatCouldBecomeAnotherRequestIsRefused) {
  EXPECT_EQ(expand("https://evil.example/x"), "refused");
  EXPECT_EQ(expand("/x y"), "refused");
  EXPECT_EQ(expand("/x\r\nHost: evil"), "refused");
  EXPECT_EQ(expand("/x#y"), "refused");
  EXPECT_EQ(expand("/{a"), "refused");
  EXPECT_EQ(expand("/a}"), "refused");
  EXPECT_EQ(expand("/{a}"), "refused");
  EXPECT_EQ(expand("/{a}", R"({"a":".."})"), "refused");
  EXPECT_EQ(expand("/{a}", R"({"a":""})"), "refused");
}

TEST(GithubGet, TheNextPageIsAPathOfTheSameOrigin) {
  EXPECT_EQ(
      next_target(
          R"(<https://api.github.com/repositories/1/issues?page=2>; rel="next", <https://x/y?page=9>; rel="last")"),
      "/repositories/1/issues?page=2");
  EXPECT_FALSE(next_target(R"(<https://api.github.com/x?page=1>; rel="prev")"));
  EXPECT_FALSE(next_target("nonsense"));
}

}  // namespace
}  // namespace ghmesh::mcp
