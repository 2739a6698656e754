// SPDX-License-Identifier: Apache-2.0
#include "github/resource.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "github/limits.hpp"
#include "github/pattern.hpp"
#include "resource_table.hpp"

namespace ghmesh::github {
namespace {

const std::string kSha(40, 'c');

Resource get(std::string_view path, std::string_view accept = {}) { return classify("GET", path, accept); }

struct Operation {
  std::string method, path, shape;
};

std::vector<Operation> operations() {
  std::ifstream in(GHMESH_SOURCE_DIR "/tests/vectors/github/rest-paths.txt");
  std::vector<Operation> out;
  for (Operation op; in >> op.method >> op.path >> op.shape;) out.push_back(op);
  return out;
}

// "/repos/{owner}/{repo}/git/blobs/{file_sha}" → a path one could ask for.
std::string example(const std::string& path) {
  std::string out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '{') {
      out += path[i];
      continue;
    }
    const std::size_t end = path.find('}', i);
    const std::string name = path.substr(i + 1, end - i - 1);
    out += name.ends_with("sha") ? kSha : name == "path" ? "docs/a.md" : name == "attempt_number" ? "2" : "7";
    i = end;
  }
  return out;
}

TEST(Resource, EveryGetOfTheDescriptionIsKnown) {
  std::size_t gets = 0;
  for (const Operation& op : operations()) {
    if (op.method != "GET") continue;
    ++gets;
    EXPECT_TRUE(get(example(op.path)).known) << op.path;
  }
  EXPECT_EQ(gets, 639u);
}

TEST(Resource, ShapesAreThoseOfTheDescriptionWhereAProofIsPossible) {
  for (const Operation& op : operations()) {
    if (op.method != "GET") continue;
    const Resource found = get(example(op.path));
    if (!may_prove_across_tokens(found)) continue;
    const Shape expected = op.shape == "list"      ? Shape::List
                           : op.shape == "wrapped" ? Shape::Wrapped
                           : op.shape == "array"   ? Shape::Array
                                                   : Shape::Item;
    EXPECT_EQ(found.shape, expected) << op.path << " by " << found.family;
  }
}

TEST(Resource, EveryRowIsReached) {
  std::set<std::string_view> hit;
  for (const Operation& op : operations()) hit.insert(get(example(op.path)).family);
  // Aliases that GitHub serves and no longer describes.
  for (const char* alias : {"/repos/o/r/git/refs", "/repos/o/r/git/refs/heads", "/repos/o/r/statuses/main",
                            "/repos/o/r/git/trees/main", "/repos/o/r/commits/main"})
    hit.insert(get(alias).family);
  hit.insert(get("/repos/o/r/commits/" + kSha).family);
  for (const ResourceRow& row : repository_rows())
    if (!row.pattern.empty()) EXPECT_TRUE(hit.contains(row.pattern)) << row.pattern;
  for (const ResourceRow& row : root_rows())
    if (!row.pattern.empty()) EXPECT_TRUE(hit.contains(row.pattern)) << row.pattern;
}

TEST(Resource, OnlyFullObjectNamesAreImmutable) {
  EXPECT_EQ(get("/repos/o/r/git/commits/" + kSha).cls, ResourceClass::Immutable);
  EXPECT_EQ(get("/repos/o/r/git/trees/" + std::string(64, 'A')).cls, ResourceClass::Immutable);
  EXPECT_EQ(get("/repos/o/r/git/trees/main").cls, ResourceClass::Volatile);
  EXPECT_EQ(get("/repos/o/r/git/blobs/" + kSha.substr(3)).known, false);
  // The repository's view of a commit names users and checks, which change.
  EXPECT_EQ(get("/repos/o/r/commits/" + kSha).cls, ResourceClass::Default);
  EXPECT_EQ(get("/repos/o/r/commits/main").cls, ResourceClass::Volatile);
  EXPECT_EQ(get("/repos/o/r/commits/" + kSha + "/check-runs").cls, ResourceClass::Volatile);
}

TEST(Resource, WhatGatesAMergeIsVolatile) {
  for (const char* path :
       {"actions/runs", "actions/runs/7", "actions/runs/7/jobs", "actions/jobs/7", "check-runs/7", "check-suites/7",
        "commits/main/status", "commits/main/statuses", "git/ref/heads/main", "git/matching-refs/heads/x", "branches",
        "branches/release/1.0", "branches/main/protection", "events", "pulls/1/reviews", "pulls/1/merge",
        "deployments/7/statuses", "actions/runs/7/pending_deployments"})
    EXPECT_EQ(get(std::string("/repos/o/r/") + path).cls, ResourceClass::Volatile) << path;
  EXPECT_EQ(get("/notifications").cls, ResourceClass::Volatile);
  EXPECT_EQ(get("/orgs/o/actions/runners").cls, ResourceClass::Volatile);
}

TEST(Resource, SecretsAlertsMembersAndUsersAreNeverShared) {
  for (const char* path : {"/user",
                           "/user/repos",
                           "/notifications",
                           "/rate_limit",
                           "/issues",
                           "/gists",
                           "/orgs/o/members/x/copilot",
                           "/orgs/o/actions/secrets",
                           "/orgs/o/audit-log",
                           "/orgs/o/hooks",
                           "/orgs/o/invitations",
                           "/repos/o/r/actions/secrets",
                           "/repos/o/r/actions/variables",
                           "/repos/o/r/hooks",
                           "/repos/o/r/keys",
                           "/repos/o/r/collaborators",
                           "/repos/o/r/invitations",
                           "/repos/o/r/dependabot/alerts",
                           "/repos/o/r/code-scanning/alerts",
                           "/repos/o/r/secret-scanning/alerts",
                           "/repos/o/r/security-advisories",
                           "/repos/o/r/environments/prod/secrets",
                           "/repos/o/r/traffic/views",
                           "/search/issues",
                           "/app/installations",
                           "/enterprises/e/teams",
                           "/repos/o/r/codespaces",
                           "/repos/o/r/actions/runners"}) {
    EXPECT_EQ(get(path).share, Share::Never) << path;
    EXPECT_FALSE(may_prove_across_tokens(get(path))) << path;
  }
  EXPECT_EQ(get("/rate_limit").cls, ResourceClass::NeverStore);
  EXPECT_EQ(get("/repos/o/r/secret-scanning/alerts/1/locations").cls, ResourceClass::NeverStore);
}

TEST(Resource, UnknownPathsAgeLikeTheDefaultAndAreNeverShared) {
  for (const char* path :
       {"/repos/o/r/new-thing", "/brand/new", "/repos/o", "/repositories/x1/y", "/repos//r/issues"}) {
    const Resource found = get(path);
    EXPECT_FALSE(found.known) << path;
    EXPECT_EQ(found.cls, ResourceClass::Default) << path;
    EXPECT_EQ(found.share, Share::Never) << path;
    EXPECT_FALSE(may_prove_across_tokens(found)) << path;
    EXPECT_EQ(found.family, "other") << path;
  }
}

TEST(Resource, RepositoryNamesAndFamilies) {
  const Resource issues = get("/repos/Octo-Org/r.js/issues");
  EXPECT_EQ(issues.owner, "Octo-Org");
  EXPECT_EQ(issues.repo, "r.js");
  EXPECT_EQ(issues.rest, "issues");
  EXPECT_EQ(issues.family, "issues");
  EXPECT_TRUE(issues.is_list());
  EXPECT_EQ(get("/repos/o/r").family, "repository");
  EXPECT_EQ(get("/").family, "root");
  const Resource by_id = get("/repositories/1296269/issues");
  EXPECT_EQ(by_id.repository_id, "1296269");
  EXPECT_EQ(by_id.family, "issues");
  EXPECT_EQ(by_id.share, Share::Repository);
  EXPECT_FALSE(get("/repositories").of_repository());
}

TEST(Resource, DownloadsAndOtherMethods) {
  for (const char* path : {"/repos/o/r/tarball/main", "/repos/o/r/zipball/a/b", "/repos/o/r/actions/jobs/1/logs",
                           "/repos/o/r/actions/runs/1/logs", "/repos/o/r/actions/artifacts/1/zip"})
    EXPECT_EQ(get(path).cls, ResourceClass::Download) << path;
  EXPECT_EQ(get("/repos/o/r/releases/assets/1").cls, ResourceClass::Default);
  EXPECT_EQ(get("/repos/o/r/releases/assets/1", "application/octet-stream").cls, ResourceClass::Download);
  EXPECT_EQ(classify("POST", "/repos/o/r/issues").cls, ResourceClass::NeverStore);
  EXPECT_EQ(classify("HEAD", "/repos/o/r/issues").cls, ResourceClass::Default);
}

TEST(Resource, JobsOfAFinishedAttemptStandStill) {
  EXPECT_TRUE(get("/repos/o/r/actions/runs/1/attempts/2/jobs").attempt_jobs());
  EXPECT_FALSE(get("/repos/o/r/actions/runs/1/jobs").attempt_jobs());
  EXPECT_TRUE(attempt_is_finished(R"({"total_count":1,"jobs":[{"id":1,"status":"completed"}]})"));
  EXPECT_FALSE(attempt_is_finished(R"({"total_count":1,"jobs":[{"id":1,"status":"in_progress"}]})"));
  EXPECT_FALSE(attempt_is_finished(R"({"total_count":2,"jobs":[{"id":1,"status":"completed"}]})"));
  EXPECT_FALSE(attempt_is_finished(R"({"total_count":0,"jobs":[]})"));
  EXPECT_FALSE(attempt_is_finished("[]"));
  EXPECT_FALSE(attempt_is_finished("{"));
}

TEST(Resource, RepositoriesByNumberFoldWhileTheNameIsFresh) {
  ManualClock clock;
  RepositoryNames names;
  EXPECT_EQ(names.fold("/repositories/1/issues", clock.now()), std::nullopt);
  names.learn("1", "Octo/Cat", clock.now());
  EXPECT_EQ(names.fold("/repositories/1/issues", clock.now()), "/repos/Octo/Cat/issues");
  EXPECT_EQ(names.fold("/repositories/1", clock.now()), "/repos/Octo/Cat");
  EXPECT_EQ(names.fold("/repositories/12", clock.now()), std::nullopt);
  EXPECT_EQ(names.fold("/repos/Octo/Cat", clock.now()), std::nullopt);
  // The name now belongs to another repository.
  names.learn("2", "octo/cat", clock.now());
  EXPECT_EQ(names.fold("/repositories/1/issues", clock.now()), std::nullopt);
  EXPECT_EQ(names.fold("/repositories/2/issues", clock.now()), "/repos/octo/cat/issues");
  names.learn("2", "octo/dog", clock.now());
  EXPECT_EQ(names.fold("/repositories/2", clock.now()), "/repos/octo/dog");
  clock.advance(11min);
  EXPECT_EQ(names.fold("/repositories/2", clock.now()), std::nullopt);
}

TEST(Resource, KnownNamesAreBounded) {
  ManualClock clock;
  RepositoryNames names;
  for (std::size_t i = 0; i < kLimits.max_repository_names + 50; ++i)
    names.learn(std::to_string(i), "o/r" + std::to_string(i), clock.now());
  EXPECT_EQ(names.size(), kLimits.max_repository_names);
}

TEST(Resource, IdentityOfARepositoryBody) {
  const auto found = repository_identity(R"({"id":1296269,"full_name":"o/r","private":false,"visibility":"public"})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "1296269");
  EXPECT_FALSE(found->is_private);
  EXPECT_TRUE(repository_identity(R"({"id":1,"full_name":"o/r"})")->is_private);
  EXPECT_TRUE(repository_identity(R"({"id":1,"full_name":"o/r","private":false,"visibility":"internal"})")->is_private);
  EXPECT_FALSE(repository_identity(R"({"id":1,"full_name":"nameonly"})"));
  EXPECT_FALSE(repository_identity("[]"));
}

}  // namespace
}  // namespace ghmesh::github
