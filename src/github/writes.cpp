// SPDX-License-Identifier: Apache-2.0
#include "github/writes.hpp"

#include <algorithm>

#include "github/pattern.hpp"
#include "http/message/fields.hpp"

namespace ghmesh::github {
namespace {

// Effects, separated by blanks: "issues" is that exact path, "issues/**" it and all below, "." the repository itself,
// "*" the whole repository, $0 and $1 what the pattern captured, "-" nothing.
struct WriteRow {
  std::string_view methods;  // of POST PUT PATCH DELETE, any of those named
  std::string_view pattern;
  std::string_view effects;
};

// Where a commit or its checks show.
#define GHMESH_CHECKS "check-runs/** check-suites/** commits/** pulls/** branches/**"
// Where a run shows.
#define GHMESH_RUNS "actions/runs/** actions/jobs/** actions/workflows/** actions/concurrency_groups/** " GHMESH_CHECKS
// Where an issue or pull request shows as a whole: both are one number.
#define GHMESH_ISSUE "issues/$0/** issues issues/events pulls/$0/** pulls"

// Below /repos/OWNER/REPO. Every write also touches its events, activity and all GraphQL answers. First match counts.
constexpr WriteRow kRepositoryWrites[] = {
    // clang-format off
    {"PATCH DELETE",          "",                                      "*"},
    {"POST",                  "transfer",                              "*"},
    {"PUT",                   "topics",                                ". topics"},
    {"POST",                  "forks",                                 "forks ."},
    {"POST",                  "issues",                                "issues issues/events milestones/** ."},
    {"PATCH",                 "issues/{n}",                            GHMESH_ISSUE " milestones/** labels/** ."},
    {"PUT DELETE",            "issues/{n}/lock",                       GHMESH_ISSUE},
    {"POST PUT DELETE",       "issues/{n}/labels",                     GHMESH_ISSUE " labels/**"},
    {"DELETE",                "issues/{n}/labels/{}",                  GHMESH_ISSUE " labels/**"},
    {"POST DELETE",           "issues/{n}/assignees",                  GHMESH_ISSUE},
    {"POST",                  "issues/{n}/comments",                   GHMESH_ISSUE " issues/comments"},
    {"POST",                  "issues/{n}/reactions",                  GHMESH_ISSUE},
    {"DELETE",                "issues/{n}/reactions/{}",               GHMESH_ISSUE},
    {"POST PUT PATCH DELETE", "issues/{n}/{path...}",                  "issues/** pulls/**"},
    {"POST PUT PATCH DELETE", "issues/comments/{path...}",             "issues/** pulls/**"},
    {"POST",                  "labels",                                "labels"},
    {"PATCH DELETE",          "labels/{path...}",                      "labels/** issues/** pulls/** milestones/**"},
    {"POST",                  "milestones",                            "milestones"},
    {"PATCH DELETE",          "milestones/{}",                         "milestones/** issues/** pulls/**"},
    {"POST",                  "pulls",                                 "pulls issues issues/events commits/** ."},
    {"PATCH",                 "pulls/{n}",                             GHMESH_ISSUE " commits/** ."},
    {"PUT",                   "pulls/{n}/merge",                       "*"},
    {"PUT",                   "pulls/{n}/update-branch",               "*"},
    {"POST",                  "pulls/{n}/merge-async",                 "*"},
    {"POST PUT PATCH DELETE", "pulls/{n}/reviews",                     GHMESH_ISSUE " pulls/comments"},
    {"POST PUT PATCH DELETE", "pulls/{n}/reviews/{path...}",           GHMESH_ISSUE " pulls/comments"},
    {"POST",                  "pulls/{n}/comments",                    GHMESH_ISSUE " pulls/comments"},
    {"POST",                  "pulls/{n}/comments/{}/replies",         GHMESH_ISSUE " pulls/comments"},
    {"POST DELETE",           "pulls/{n}/requested_reviewers",         GHMESH_ISSUE},
    {"POST PUT PATCH DELETE", "pulls/{n}/{path...}",                   GHMESH_ISSUE},
    {"POST PUT PATCH DELETE", "pulls/comments/{path...}",              "pulls/** issues/**"},
    {"POST",                  "git/blobs",                             "-"},
    {"POST",                  "git/trees",                             "-"},
    {"POST",                  "git/commits",                           "-"},
    {"POST",                  "git/tags",                              "-"},
    {"POST",                  "git/refs",                              "*"},
    {"PATCH DELETE",          "git/refs/{ref...}",                     "*"},
    {"PUT DELETE",            "contents/{path...}",                    "*"},
    {"POST",                  "merges",                                "*"},
    {"POST",                  "merge-upstream",                        "*"},
    {"POST",                  "branches/{ref...}/rename",              "*"},
    {"POST PUT PATCH DELETE", "branches/{path...}",                    "branches/** rules/** pulls/**"},
    {"POST PUT PATCH DELETE", "rulesets",                              "rulesets/** rules/** branches/** pulls/**"},
    {"POST PUT PATCH DELETE", "rulesets/{path...}",                    "rulesets/** rules/** branches/** pulls/**"},
    {"POST",                  "statuses/{}",                           "statuses/** commits/** pulls/** branches/**"},
    {"POST PATCH",            "check-runs",                            GHMESH_CHECKS},
    {"POST PATCH",            "check-runs/{path...}",                  GHMESH_CHECKS " actions/runs/** actions/jobs/**"},
    {"POST PATCH",            "check-suites",                          GHMESH_CHECKS},
    {"POST PATCH",            "check-suites/{path...}",                GHMESH_CHECKS " actions/runs/** actions/jobs/**"},
    {"POST",                  "commits/{ref...}/comments",             "commits/** comments/**"},
    {"POST PATCH DELETE",     "comments/{path...}",                    "comments/** commits/**"},
    {"POST",                  "dispatches",                            GHMESH_RUNS},
    {"POST",                  "actions/workflows/{}/dispatches",       GHMESH_RUNS},
    {"PUT",                   "actions/workflows/{path...}",           "actions/workflows/**"},
    {"POST DELETE",           "actions/runs/{path...}",                GHMESH_RUNS " actions/artifacts/** deployments/**"},
    {"POST",                  "actions/jobs/{path...}",                GHMESH_RUNS},
    {"DELETE",                "actions/artifacts/{}",                  "actions/artifacts/** actions/runs/**"},
    {"DELETE",                "actions/caches",                        "actions/caches/** actions/cache/**"},
    {"DELETE",                "actions/caches/{}",                     "actions/caches/** actions/cache/**"},
    {"POST PUT PATCH DELETE", "actions/runners/{path...}",             "actions/runners/**"},
    {"POST PUT PATCH DELETE", "actions/secrets/{path...}",             "actions/secrets/**"},
    {"POST PUT PATCH DELETE", "actions/variables",                     "actions/variables/**"},
    {"POST PUT PATCH DELETE", "actions/variables/{path...}",           "actions/variables/**"},
    {"POST",                  "releases/generate-notes",               "-"},
    {"POST",                  "releases",                              "releases/** tags git/** ."},
    {"POST PATCH DELETE",     "releases/{path...}",                    "releases/** tags git/** ."},
    {"POST PUT PATCH DELETE", "hooks",                                 "hooks/**"},
    {"POST PUT PATCH DELETE", "hooks/{path...}",                       "hooks/**"},
    {"POST DELETE",           "keys",                                  "keys/**"},
    {"POST DELETE",           "keys/{}",                               "keys/**"},
    {"POST PUT DELETE",       "deployments",                           "deployments/** environments/**"},
    {"POST PUT DELETE",       "deployments/{path...}",                 "deployments/** environments/** actions/runs/**"},
    {"POST PUT PATCH DELETE", "environments/{path...}",                "environments/** deployments/**"},
    {"POST PUT PATCH DELETE", "pages",                                 "pages/** ."},
    {"POST PUT PATCH DELETE", "pages/{path...}",                       "pages/** ."},
    {"PUT PATCH DELETE",      "collaborators/{path...}",               "collaborators/** invitations/** assignees/** teams"},
    {"PATCH DELETE",          "invitations/{}",                        "invitations/** collaborators/**"},
    {"PUT DELETE",            "subscription",                          "subscription subscribers ."},
    {"PUT",                   "notifications",                         "notifications"},
    // clang-format on
};
#undef GHMESH_CHECKS
#undef GHMESH_RUNS
#undef GHMESH_ISSUE

// Reads in the shape of a write: they change nothing.
constexpr std::string_view kHarmlessPosts[] = {"markdown", "markdown/raw", "app/installations/{}/access_tokens",
                                               "app-manifests/{}/conversions", "applications/{}/token"};

std::string lower_repository(std::string_view path) {
  // Owner and name do not depend on case; the rest does.
  std::string out(path);
  if (!path.starts_with("/repos/")) return out;
  std::size_t end = 0;
  for (int slashes = 0; end < path.size(); ++end)
    if (path[end] == '/' && ++slashes == 4) break;
  const std::string head = http::to_lower(path.substr(0, end));
  return head + std::string(path.substr(end));
}

std::string repository_prefix(const Resource& resource) {
  if (!resource.repo.empty()) return "/repos/" + http::to_lower(resource.owner) + "/" + http::to_lower(resource.repo);
  return "/repositories/" + std::string(resource.repository_id);
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t stop = words.find(' ');
    if (words.substr(0, stop) == word) return true;
    if (stop == std::string_view::npos) break;
    words.remove_prefix(stop + 1);
  }
  return false;
}

std::string fill(std::string_view effect, const Captures& captures) {
  std::string out;
  for (std::size_t i = 0; i < effect.size(); ++i) {
    if (effect[i] == '$' && i + 1 < effect.size()) {
      out += captures[static_cast<std::size_t>(effect[++i] - '0')];
    } else {
      out += effect[i];
    }
  }
  return out;
}

void add_whole_repository(std::vector<std::string>& out, const std::string& prefix) {
  for (const std::string_view cls : {"#volatile:", "#default:", "#per-user:"}) out.push_back(std::string(cls) + prefix);
}

void add_effects(std::vector<std::string>& out, const WriteRow& row, const Captures& captures,
                 const std::string& prefix) {
  std::string_view effects = row.effects;
  while (!effects.empty()) {
    const std::size_t stop = effects.find(' ');
    const std::string_view effect = effects.substr(0, stop);
    if (effect == "*") {
      add_whole_repository(out, prefix);
    } else if (effect == ".") {
      out.push_back("=" + prefix);
    } else if (effect.ends_with("/**")) {
      out.push_back(prefix + "/" + fill(effect, captures));
    } else if (effect != "-") {
      out.push_back("=" + prefix + "/" + fill(effect, captures));
    }
    if (stop == std::string_view::npos) break;
    effects.remove_prefix(stop + 1);
  }
}

std::vector<std::string> of_repository(std::string_view method, const Resource& resource) {
  const std::string prefix = repository_prefix(resource);
  std::vector<std::string> out;
  Captures captures;
  for (const WriteRow& row : kRepositoryWrites) {
    if (!has_word(row.methods, method) || !match_path(row.pattern, resource.rest, &captures)) continue;
    if (row.effects == "-") return {};
    add_effects(out, row, captures, prefix);
    out.push_back("=" + prefix + "/events");
    out.push_back("=" + prefix + "/activity");
    out.push_back("graphql");
    return out;
  }
  add_whole_repository(out, prefix);
  out.push_back("graphql");
  return out;
}

std::vector<std::string> of_root(std::string_view path) {
  const std::string_view first = first_segment(path);
  const std::string_view second = first_segment(after_first_segment(path));
  std::vector<std::string> out;
  out.push_back("/" + std::string(first) + "/**");
  // Teams and memberships are shown below the organisation, starred and created repositories below the user.
  if (first == "teams") out.emplace_back("/orgs/**");
  if (first == "orgs") {
    out.back() = "/orgs/" + std::string(second) + "/**";
    out.emplace_back("/teams/**");
    out.emplace_back("/user/**");
  }
  if (path.starts_with("user/starred/")) out.emplace_back("kind:stargazers");
  out.emplace_back("graphql");
  return out;
}

struct MutationRow {
  std::string_view contains;  // part of the mutation's name, any case
  std::string_view kinds;
};

// By the noun in its name. All rows that match count.
constexpr MutationRow kMutations[] = {
    {"pullrequest", "kind:pulls kind:issues kind:commits kind:branches kind:compare"},
    {"mergepullrequest", "#volatile #default"},
    {"updatepullrequestbranch", "#volatile #default"},
    {"mergebranch", "#volatile #default"},
    {"ref", "#volatile #default"},
    {"createcommit", "#volatile #default"},
    {"mergequeue", "#volatile #default"},
    {"automerge", "kind:pulls kind:issues"},
    {"issue", "kind:issues kind:pulls kind:milestones"},
    {"comment", "kind:issues kind:pulls kind:comments kind:commits"},
    {"label", "kind:issues kind:pulls kind:labels"},
    {"assign", "kind:issues kind:pulls"},
    {"reaction", "kind:issues kind:pulls kind:comments kind:releases"},
    {"lockable", "kind:issues kind:pulls"},
    {"review", "kind:pulls kind:issues"},
    {"checkrun", "kind:check-runs kind:check-suites kind:commits kind:pulls kind:actions"},
    {"checksuite", "kind:check-runs kind:check-suites kind:commits kind:pulls kind:actions"},
    {"deployment", "kind:deployments kind:environments kind:actions"},
    {"branchprotection", "kind:branches kind:rules kind:pulls"},
    {"ruleset", "kind:rulesets kind:rules kind:branches kind:pulls"},
    {"star", "kind:stargazers /user/**"},
    {"milestone", "kind:milestones kind:issues kind:pulls"},
    {"discussion", "-"},  // discussions have no REST resources here
    {"project", "/orgs/** /users/** kind:issues"},
};

}  // namespace

std::vector<std::string> groups_of(std::string_view path, const Resource& resource) {
  const std::string name = lower_repository(path);
  std::vector<std::string> out;
  out.push_back("=" + name);
  for (std::size_t slash = name.find('/', 1); slash != std::string::npos; slash = name.find('/', slash + 1))
    out.push_back(name.substr(0, slash) + "/**");
  out.push_back(name + "/**");
  const std::string cls = "#" + std::string(to_string(resource.cls));
  out.push_back(cls);
  if (resource.of_repository()) {
    out.push_back(cls + ":" + repository_prefix(resource));
    if (!resource.rest.empty() && resource.cls != ResourceClass::Immutable)
      out.push_back("kind:" + std::string(first_segment(resource.rest)));
  }
  return out;
}

std::vector<std::string> graphql_groups() { return {"graphql"}; }

bool is_invalidating(std::string_view method, int status) {
  return method != "GET" && method != "HEAD" && method != "OPTIONS" && method != "TRACE" && status >= 200 &&
         status < 400;
}

std::vector<std::string> invalidated_by(std::string_view method, std::string_view path) {
  const Resource resource = classify(method, path);
  if (resource.of_repository()) return of_repository(method, resource);
  for (const std::string_view harmless : kHarmlessPosts)
    if (method == "POST" && match_path(harmless, resource.rest)) return {};
  return of_root(resource.rest);
}

std::vector<std::string> invalidated_by_mutation(const std::vector<std::string>& root_fields) {
  std::vector<std::string> out{"graphql"};
  for (const std::string& field : root_fields) {
    const std::string name = http::to_lower(field);
    bool known = name == "__typename";
    for (const MutationRow& row : kMutations) {
      if (name.find(row.contains) == std::string::npos) continue;
      known = true;
      std::string_view kinds = row.kinds;
      while (!kinds.empty()) {
        const std::size_t stop = kinds.find(' ');
        if (kinds.substr(0, stop) != "-") out.emplace_back(kinds.substr(0, stop));
        if (stop == std::string_view::npos) break;
        kinds.remove_prefix(stop + 1);
      }
    }
    if (!known) out.insert(out.end(), {"#volatile", "#default", "#per-user"});
  }
  // A mutation through a fragment names no field here.
  if (root_fields.empty()) out.insert(out.end(), {"#volatile", "#default", "#per-user"});
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace ghmesh::github
