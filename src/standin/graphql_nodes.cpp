// SPDX-License-Identifier: Apache-2.0
#include "graphql_nodes.hpp"

#include <algorithm>

namespace ghmesh::standin {

Json connection(Json items) { return Json{{"__items", std::move(items)}}; }

Json actor(const Json& user) {
  const std::string login = text_of(user, "login");
  return Json{{"__typename", "User"}, {"id", text_of(user, "node_id")},   {"login", login},
              {"name", login},        {"url", text_of(user, "html_url")}, {"avatarUrl", text_of(user, "avatar_url")}};
}

Json label_node(const Json& l) {
  return Json{{"__typename", "Label"},
              {"id", text_of(l, "node_id")},
              {"name", text_of(l, "name")},
              {"color", text_of(l, "color")},
              {"description", l.value("description", Json())},
              {"isDefault", l.value("default", false)},
              {"createdAt", "2011-01-26T19:01:12Z"},
              {"url", text_of(l, "url")}};
}

namespace {

Json labels_of(const Json& object) {
  Json out = Json::array();
  for (const Json& l : object.value("labels", Json::array())) out.push_back(label_node(l));
  return connection(out);
}

Json users_of(const Json& list) {
  Json out = Json::array();
  for (const Json& u : list) out.push_back(actor(u));
  return connection(out);
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

}  // namespace

Json comment_node(const Json& c) {
  return Json{{"__typename", "IssueComment"},
              {"id", text_of(c, "node_id")},
              {"author", actor(c.value("user", Json::object()))},
              {"authorAssociation", text_of(c, "author_association")},
              {"body", text_of(c, "body")},
              {"createdAt", text_of(c, "created_at")},
              {"includesCreatedEdit", false},
              {"isMinimized", false},
              {"minimizedReason", ""},
              {"reactionGroups", Json::array()},
              {"url", text_of(c, "html_url")},
              {"viewerDidAuthor", true}};
}

namespace {

// What issues and pull requests have in common.
Json subject_node(const Json& i, const Json& comments) {
  Json nodes = Json::array();
  for (const Json& c : comments) nodes.push_back(comment_node(c));
  Json n;
  n["id"] = text_of(i, "node_id");
  n["number"] = i.value("number", 0);
  n["title"] = text_of(i, "title");
  n["body"] = text_of(i, "body");
  n["state"] = upper(text_of(i, "state"));
  n["url"] = text_of(i, "html_url");
  n["author"] = actor(i.value("user", Json::object()));
  n["labels"] = labels_of(i);
  n["assignees"] = users_of(i.value("assignees", Json::array()));
  n["comments"] = connection(nodes);
  n["createdAt"] = text_of(i, "created_at");
  n["updatedAt"] = text_of(i, "updated_at");
  n["closed"] = text_of(i, "state") == "closed";
  n["closedAt"] = i.value("closed_at", Json());
  n["locked"] = i.value("locked", false);
  n["milestone"] = nullptr;
  n["reactionGroups"] = Json::array();
  n["projectCards"] = connection(Json::array());
  n["projectItems"] = connection(Json::array());
  return n;
}

}  // namespace

Json issue_node(const Json& i, const Json& comments) {
  Json n = subject_node(i, comments);
  n["__typename"] = "Issue";
  n["stateReason"] = i.value("state_reason", Json());
  n["isPinned"] = false;
  return n;
}

Json pull_node(const Json& p, const Json& comments, const Json& reviews) {
  Json n = subject_node(p, comments);
  const Json head = p.value("head", Json::object());
  const Json base = p.value("base", Json::object());
  const bool merged = p.value("merged", false);
  n["__typename"] = "PullRequest";
  if (merged) n["state"] = "MERGED";
  n["headRefName"] = text_of(head, "ref");
  n["headRefOid"] = text_of(head, "sha");
  n["baseRefName"] = text_of(base, "ref");
  n["headRepositoryOwner"] = actor(head.value("user", Json::object()));
  n["headRepository"] = Json{{"__typename", "Repository"},
                             {"id", text_of(head.value("repo", Json::object()), "node_id")},
                             {"name", text_of(head.value("repo", Json::object()), "name")}};
  n["isCrossRepository"] = false;
  n["isDraft"] = p.value("draft", false);
  n["mergeable"] = "MERGEABLE";
  n["mergeStateStatus"] = "CLEAN";
  n["mergedAt"] = p.value("merged_at", Json());
  n["mergedBy"] = nullptr;
  n["mergeCommit"] = merged ? Json{{"__typename", "Commit"}, {"oid", text_of(p, "merge_commit_sha")}} : Json();
  n["potentialMergeCommit"] = nullptr;
  n["autoMergeRequest"] = nullptr;
  n["maintainerCanModify"] = true;
  n["additions"] = p.value("additions", 0);
  n["deletions"] = p.value("deletions", 0);
  n["changedFiles"] = p.value("changed_files", 0);
  n["reviewDecision"] = "";
  n["reviewRequests"] = connection(Json::array());
  n["closingIssuesReferences"] = connection(Json::array());
  n["files"] = connection(Json::array({Json{{"path", "README.md"}, {"additions", 1}, {"deletions", 1}}}));
  Json review_nodes = Json::array();
  for (const Json& r : reviews)
    review_nodes.push_back(Json{{"__typename", "PullRequestReview"},
                                {"id", text_of(r, "node_id")},
                                {"author", actor(r.value("user", Json::object()))},
                                {"authorAssociation", "MEMBER"},
                                {"body", text_of(r, "body")},
                                {"state", text_of(r, "state")},
                                {"submittedAt", text_of(r, "submitted_at")},
                                {"url", text_of(r, "url")},
                                {"includesCreatedEdit", false},
                                {"reactionGroups", Json::array()},
                                {"commit", Json{{"oid", text_of(head, "sha")}}}});
  n["reviews"] = connection(review_nodes);
  n["latestReviews"] = connection(review_nodes);
  n["baseRef"] = Json{{"__typename", "Ref"}, {"name", text_of(base, "ref")}, {"branchProtectionRule", nullptr}};
  const Json check{{"__typename", "CheckRun"},
                   {"name", "build"},
                   {"status", "COMPLETED"},
                   {"conclusion", "SUCCESS"},
                   {"startedAt", text_of(p, "created_at")},
                   {"completedAt", text_of(p, "created_at")},
                   {"detailsUrl", text_of(p, "html_url")},
                   {"isRequired", false},
                   {"checkSuite", Json{{"workflowRun", Json{{"event", "push"}, {"workflow", Json{{"name", "CI"}}}}}}}};
  const Json rollup{
      {"__typename", "StatusCheckRollup"}, {"state", "SUCCESS"}, {"contexts", connection(Json::array({check}))}};
  const Json commit{
      {"__typename", "Commit"},
      {"oid", text_of(head, "sha")},
      {"messageHeadline", text_of(p, "title")},
      {"messageBody", ""},
      {"committedDate", text_of(p, "created_at")},
      {"authoredDate", text_of(p, "created_at")},
      {"authors", connection(Json::array(
                      {Json{{"name", text_of(p["user"], "login")}, {"email", ""}, {"user", actor(p["user"])}}}))},
      {"statusCheckRollup", rollup}};
  n["commits"] = connection(Json::array({Json{{"__typename", "PullRequestCommit"}, {"commit", commit}}}));
  n["statusCheckRollup"] = connection(Json::array({Json{{"commit", commit}}}));
  return n;
}

Json release_node(const Json& r) {
  return Json{{"__typename", "Release"},
              {"id", text_of(r, "node_id")},
              {"databaseId", r.value("id", Json())},
              {"name", text_of(r, "name")},
              {"tagName", text_of(r, "tag_name")},
              {"isDraft", false},
              {"isLatest", true},
              {"isPrerelease", false},
              {"createdAt", text_of(r, "created_at")},
              {"publishedAt", text_of(r, "published_at")},
              {"url", text_of(r, "html_url")}};
}

}  // namespace ghmesh::standin
