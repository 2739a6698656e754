// SPDX-License-Identifier: Apache-2.0
#include "github/writes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace ghmesh::github {
namespace {

bool touches(const std::vector<std::string>& invalidated, std::string_view path) {
  for (const std::string& group : groups_of(path, classify("GET", path)))
    if (std::find(invalidated.begin(), invalidated.end(), group) != invalidated.end()) return true;
  return false;
}

struct Case {
  const char* method;
  const char* write;
  std::vector<const char*> touched;
  std::vector<const char*> spared;
};

TEST(Writes, TouchTheResourceItsParentsAndItsLists) {
  const std::vector<Case> cases = {
      {"POST",
       "/repos/o/r/issues",
       {"/repos/o/r/issues", "/repos/o/r", "/repos/o/r/events"},
       {"/repos/o/r/issues/1", "/repos/o/r/labels", "/repos/o/other/issues"}},
      {"PATCH",
       "/repos/o/r/issues/5",
       {"/repos/o/r/issues/5", "/repos/o/r/issues", "/repos/o/r/issues/5/timeline", "/repos/o/r/pulls/5"},
       {"/repos/o/r/issues/55", "/repos/o/r/pulls/6", "/repos/o/r/branches"}},
      {"POST",
       "/repos/o/r/issues/5/comments",
       {"/repos/o/r/issues/5/comments", "/repos/o/r/issues/comments", "/repos/o/r/issues/5"},
       {"/repos/o/r/issues/6/comments"}},
      {"PATCH",
       "/repos/o/r/issues/comments/9",
       {"/repos/o/r/issues/comments/9", "/repos/o/r/issues/5/comments"},
       {"/repos/o/r/labels"}},
      {"POST",
       "/repos/o/r/issues/5/labels",
       {"/repos/o/r/issues/5/labels", "/repos/o/r/issues", "/repos/o/r/pulls/5"},
       {"/repos/o/r/hooks"}},
      {"DELETE",
       "/repos/o/r/labels/bug",
       {"/repos/o/r/labels/bug", "/repos/o/r/labels", "/repos/o/r/issues/1"},
       {"/repos/o/r/releases"}},
      {"POST", "/repos/o/r/pulls", {"/repos/o/r/pulls", "/repos/o/r/commits/abc/pulls"}, {"/repos/o/r/pulls/3"}},
      {"PUT",
       "/repos/o/r/pulls/3/merge",
       {"/repos/o/r/pulls/3", "/repos/o/r/branches", "/repos/o/r/git/ref/heads/main", "/repos/o/r/commits",
        "/repos/o/r/contents/a"},
       {"/repos/o/r/git/blobs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "/repos/o/r2/pulls"}},
      {"POST",
       "/repos/o/r/pulls/3/reviews",
       {"/repos/o/r/pulls/3/reviews", "/repos/o/r/pulls/3"},
       {"/repos/o/r/pulls/4/reviews"}},
      {"POST", "/repos/o/r/git/refs", {"/repos/o/r/git/ref/heads/x", "/repos/o/r/branches"}, {}},
      {"PATCH", "/repos/o/r/git/refs/heads/a/b", {"/repos/o/r/git/ref/heads/a/b", "/repos/o/r/commits/a/b"}, {}},
      {"POST", "/repos/o/r/git/blobs", {}, {"/repos/o/r", "/repos/o/r/branches"}},
      {"PUT",
       "/repos/o/r/contents/a/b.txt",
       {"/repos/o/r/contents/a/b.txt", "/repos/o/r/contents/a", "/repos/o/r/commits"},
       {}},
      {"POST",
       "/repos/o/r/statuses/abc",
       {"/repos/o/r/commits/main/status", "/repos/o/r/pulls/1"},
       {"/repos/o/r/labels"}},
      {"POST",
       "/repos/o/r/check-runs",
       {"/repos/o/r/commits/main/check-runs", "/repos/o/r/check-runs/1"},
       {"/repos/o/r/labels"}},
      {"POST",
       "/repos/o/r/actions/runs/7/rerun",
       {"/repos/o/r/actions/runs/7", "/repos/o/r/actions/runs", "/repos/o/r/actions/runs/7/jobs",
        "/repos/o/r/check-runs/1"},
       {"/repos/o/r/labels", "/repos/o/r"}},
      {"POST",
       "/repos/o/r/actions/runs/7/cancel",
       {"/repos/o/r/actions/runs/7", "/repos/o/r/actions/workflows/1/runs"},
       {}},
      {"POST",
       "/repos/o/r/releases",
       {"/repos/o/r/releases", "/repos/o/r/releases/latest", "/repos/o/r/tags"},
       {"/repos/o/r/issues"}},
      {"POST", "/repos/o/r/releases/4/assets", {"/repos/o/r/releases/4/assets", "/repos/o/r/releases/4"}, {}},
      {"POST", "/repos/o/r/hooks", {"/repos/o/r/hooks", "/repos/o/r/hooks/1"}, {"/repos/o/r/issues"}},
      {"PATCH", "/repos/o/r", {"/repos/o/r", "/repos/o/r/issues", "/repos/o/r/actions/runs"}, {"/repos/o/r2"}},
      {"POST", "/repos/O/R/issues", {"/repos/o/r/issues", "/repos/O/r/issues"}, {}},
      {"PUT", "/user/starred/o/r", {"/user/starred", "/repos/o/r/stargazers"}, {"/repos/o/r"}},
      {"POST", "/gists", {"/gists", "/gists/abc"}, {"/repos/o/r"}},
      {"PUT", "/orgs/o/teams/t/memberships/u", {"/orgs/o/teams/t/members", "/teams/5"}, {"/orgs/o2/teams"}},
      {"POST", "/markdown", {}, {"/repos/o/r", "/user"}},
      {"POST", "/repositories/17/issues", {"/repositories/17/issues"}, {"/repositories/18/issues"}},
  };
  for (const Case& each : cases) {
    const std::vector<std::string> invalidated = invalidated_by(each.method, each.write);
    for (const char* path : each.touched)
      EXPECT_TRUE(touches(invalidated, path)) << each.method << " " << each.write << " → " << path;
    for (const char* path : each.spared)
      EXPECT_FALSE(touches(invalidated, path)) << each.method << " " << each.write << " → " << path;
  }
}

TEST(Writes, UnknownOnesTouchAllOfTheirRepositoryThatCanChange) {
  const std::vector<std::string> invalidated = invalidated_by("POST", "/repos/o/r/brand-new/thing");
  for (const char* path : {"/repos/o/r", "/repos/o/r/actions/runs", "/repos/o/r/hooks", "/repos/o/r/unheard-of"})
    EXPECT_TRUE(touches(invalidated, path)) << path;
  EXPECT_FALSE(touches(invalidated, "/repos/o/r/git/trees/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
  EXPECT_FALSE(touches(invalidated, "/repos/o/other"));
}

TEST(Writes, EveryDescribedWriteTouchesItsOwnResource) {
  std::ifstream in(GHMESH_SOURCE_DIR "/tests/vectors/github/rest-paths.txt");
  std::string method, path, shape;
  std::vector<std::string> reads;
  std::vector<std::pair<std::string, std::string>> writes;
  const auto example = [](std::string text) {
    for (std::size_t at = text.find('{'); at != std::string::npos; at = text.find('{'))
      text.replace(at, text.find('}', at) - at + 1, "7");
    return text;
  };
  while (in >> method >> path >> shape) {
    if (method == "GET") {
      reads.push_back(example(path));
    } else {
      writes.emplace_back(method, example(path));
    }
  }
  EXPECT_EQ(writes.size(), 584u);
  for (const auto& [write_method, write_path] : writes) {
    // A write to a path that can be read makes that reading doubtful.
    if (std::find(reads.begin(), reads.end(), write_path) == reads.end()) continue;
    const Resource read = classify("GET", write_path);
    if (read.cls == ResourceClass::Immutable || read.cls == ResourceClass::NeverStore) continue;
    EXPECT_TRUE(touches(invalidated_by(write_method, write_path), write_path)) << write_method << " " << write_path;
  }
}

TEST(Writes, OnlySuccessfulUnsafeMethodsInvalidate) {
  EXPECT_TRUE(is_invalidating("POST", 201));
  EXPECT_TRUE(is_invalidating("DELETE", 204));
  EXPECT_TRUE(is_invalidating("PUT", 302));
  EXPECT_FALSE(is_invalidating("POST", 422));
  EXPECT_FALSE(is_invalidating("GET", 200));
  EXPECT_FALSE(is_invalidating("PATCH", 500));
}

TEST(Writes, MutationsByTheirNouns) {
  const auto by = [](const char* field) { return invalidated_by_mutation({field}); };
  EXPECT_TRUE(touches(by("addComment"), "/repos/o/r/issues/1/comments"));
  EXPECT_TRUE(touches(by("closeIssue"), "/repos/o/r/issues"));
  EXPECT_FALSE(touches(by("closeIssue"), "/repos/o/r/branches"));
  EXPECT_TRUE(touches(by("mergePullRequest"), "/repos/o/r/pulls/1"));
  EXPECT_TRUE(touches(by("mergePullRequest"), "/repos/o/r/branches/main"));
  EXPECT_TRUE(touches(by("createCommitOnBranch"), "/repos/o/r/contents/a"));
  EXPECT_TRUE(touches(by("updateRefs"), "/repos/o/r/git/ref/heads/main"));
  EXPECT_TRUE(touches(by("somethingNew"), "/repos/o/r/languages"));
  EXPECT_TRUE(touches(invalidated_by_mutation({}), "/repos/o/r/languages"));
  const std::vector<std::string> any = by("addStar");
  EXPECT_NE(std::find(any.begin(), any.end(), "graphql"), any.end());
  EXPECT_EQ(graphql_groups(), std::vector<std::string>{"graphql"});
}

}  // namespace
}  // namespace ghmesh::github
