// SPDX-License-Identifier: Apache-2.0
#include "github/pattern.hpp"

#include <gtest/gtest.h>

#include <string>

namespace ghmesh::github {
namespace {

const std::string kSha1(40, 'a');
const std::string kSha256(64, '0');

TEST(Pattern, LiteralsAndSingleSegments) {
  EXPECT_TRUE(match_path("", ""));
  EXPECT_FALSE(match_path("", "x"));
  EXPECT_FALSE(match_path("x", ""));
  EXPECT_TRUE(match_path("a/{}/c", "a/b/c"));
  EXPECT_FALSE(match_path("a/{}/c", "a//c"));
  EXPECT_FALSE(match_path("a/{}", "a"));
  EXPECT_FALSE(match_path("a/{}", "a/b/c"));
  EXPECT_FALSE(match_path("a/{}", "a/b/"));
  EXPECT_FALSE(match_path("a", "a/"));
  EXPECT_TRUE(match_path("a/{n}", "a/007"));
  EXPECT_FALSE(match_path("a/{n}", "a/7b"));
}

TEST(Pattern, OnlyAFullObjectNameIsASha) {
  EXPECT_TRUE(match_path("git/blobs/{sha}", "git/blobs/" + kSha1));
  EXPECT_TRUE(match_path("git/blobs/{sha}", "git/blobs/" + kSha256));
  EXPECT_FALSE(match_path("git/blobs/{sha}", "git/blobs/" + kSha1.substr(1)));
  EXPECT_FALSE(match_path("git/blobs/{sha}", "git/blobs/" + kSha1 + "a"));
  EXPECT_FALSE(match_path("git/blobs/{sha}", "git/blobs/" + std::string(40, 'g')));
}

TEST(Pattern, VariadicTakesAllButTheSuffix) {
  Captures captures;
  EXPECT_TRUE(match_path("branches/{ref...}", "branches/feature/a/b", &captures));
  EXPECT_EQ(captures[0], "feature/a/b");
  EXPECT_TRUE(match_path("branches/{ref...}/protection", "branches/feature/a/protection", &captures));
  EXPECT_EQ(captures[0], "feature/a");
  EXPECT_EQ(captures.count, 1u);
  EXPECT_FALSE(match_path("branches/{ref...}/protection", "branches/protection"));
  EXPECT_FALSE(match_path("branches/{ref...}", "branches"));
  EXPECT_FALSE(match_path("branches/{ref...}", "branches/"));
  EXPECT_TRUE(match_path("a/{x...}/b/{}", "a/1/2/b/3", &captures));
  EXPECT_EQ(captures[0], "1/2");
  EXPECT_EQ(captures[1], "3");
}

}  // namespace
}  // namespace ghmesh::github
