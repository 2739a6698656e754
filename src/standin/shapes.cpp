// SPDX-License-Identifier: Apache-2.0
#include "shapes.hpp"

#include "base/bytes.hpp"
#include "standin/coding.hpp"

namespace ghmesh::standin {
namespace {

std::string root_of(const Repository& r) { return "/repos/" + r.full_name; }

std::string owner_of(const Repository& r) { return r.full_name.substr(0, r.full_name.find('/')); }
std::string name_of(const Repository& r) { return r.full_name.substr(r.full_name.find('/') + 1); }

// Stable over runs and machines, unlike std::hash.
std::uint64_t number_from(std::string_view text) {
  std::uint64_t value = 1469598103934665603u;
  for (const char c : text) value = (value ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return value % 90'000'000 + 1'000'000;
}

}  // namespace

std::string node_id(std::string_view path) { return to_base64url(as_bytes(path)); }

std::string path_of_node(std::string_view id) {
  const std::optional<Bytes> path = from_base64(id);
  return path ? to_text(*path) : std::string();
}

Json user_shape(const ShapeContext& c, std::string_view login) {
  const std::string name(login);
  const std::string url = c.api + "/users/" + name;
  const std::uint64_t id = number_from(login);
  Json u;
  u["login"] = name;
  u["id"] = id;
  u["node_id"] = node_id("/users/" + name);
  u["avatar_url"] = "https://avatars.githubusercontent.com/u/" + std::to_string(id) + "?v=4";
  u["gravatar_id"] = "";
  u["url"] = url;
  u["html_url"] = c.web + "/" + name;
  for (const char* list : {"followers", "subscriptions", "repos", "received_events"})
    u[std::string(list) + "_url"] = url + "/" + list;
  u["type"] = name.ends_with("[bot]") ? "Bot" : "User";
  u["user_view_type"] = "public";
  u["site_admin"] = false;
  return u;
}

Json repository_shape(const ShapeContext& c, const Repository& r) {
  const std::string url = c.api + root_of(r);
  Json j;
  j["id"] = r.id;
  j["node_id"] = node_id(root_of(r));
  j["name"] = name_of(r);
  j["full_name"] = r.full_name;
  j["private"] = r.is_private;
  j["owner"] = user_shape(c, owner_of(r));
  j["html_url"] = c.web + "/" + r.full_name;
  j["description"] = "Repository " + r.full_name + " of the stand-in";
  j["fork"] = false;
  j["url"] = url;
  for (const char* list : {"forks", "teams", "hooks", "events", "tags", "languages", "stargazers", "contributors",
                           "subscribers", "merges", "downloads", "deployments"})
    j[std::string(list) + "_url"] = url + "/" + list;
  j["issues_url"] = url + "/issues{/number}";
  j["pulls_url"] = url + "/pulls{/number}";
  j["labels_url"] = url + "/labels{/name}";
  j["releases_url"] = url + "/releases{/id}";
  j["created_at"] = "2011-01-26T19:01:12Z";
  j["updated_at"] = iso_date(c.now);
  j["pushed_at"] = iso_date(c.now);
  j["git_url"] = "git://github.com/" + r.full_name + ".git";
  j["ssh_url"] = "git@github.com:" + r.full_name + ".git";
  j["clone_url"] = c.web + "/" + r.full_name + ".git";
  j["homepage"] = nullptr;
  j["size"] = 108;
  j["stargazers_count"] = 80;
  j["watchers_count"] = 80;
  j["language"] = "C++";
  for (const char* feature : {"issues", "projects", "downloads", "wiki"}) j[std::string("has_") + feature] = true;
  j["forks_count"] = 9;
  j["mirror_url"] = nullptr;
  j["archived"] = false;
  j["disabled"] = false;
  j["open_issues_count"] = 0;
  j["license"] = Json{{"key", "mit"},
                      {"name", "MIT License"},
                      {"spdx_id", "MIT"},
                      {"url", c.api + "/licenses/mit"},
                      {"node_id", "MDc6TGljZW5zZW1pdA=="}};
  j["allow_forking"] = true;
  j["is_template"] = false;
  j["topics"] = Json::array();
  j["visibility"] = r.is_private ? "private" : "public";
  j["default_branch"] = "main";
  j["temp_clone_token"] = "";
  for (const char* method : {"squash_merge", "merge_commit", "rebase_merge"}) j[std::string("allow_") + method] = true;
  j["delete_branch_on_merge"] = false;
  j["subscribers_count"] = 42;
  j["network_count"] = 9;
  return j;
}

Json label_shape(const ShapeContext& c, const Repository& r, std::string_view name, std::string_view color) {
  const std::string path = root_of(r) + "/labels/" + std::string(name);
  Json j;
  j["id"] = number_from(path);
  j["node_id"] = node_id(path);
  j["url"] = c.api + root_of(r) + "/labels/" + percent_encode(name);
  j["name"] = std::string(name);
  j["color"] = color.empty() ? "ededed" : std::string(color);
  j["default"] = false;
  j["description"] = nullptr;
  return j;
}

Json issue_shape(const ShapeContext& c, const Repository& r, std::uint64_t number, std::string_view title,
                 std::string_view body) {
  const std::string path = root_of(r) + "/issues/" + std::to_string(number);
  const std::string url = c.api + path;
  Json j;
  j["url"] = url;
  j["repository_url"] = c.api + root_of(r);
  j["labels_url"] = url + "/labels{/name}";
  j["comments_url"] = url + "/comments";
  j["events_url"] = url + "/events";
  j["html_url"] = c.web + "/" + r.full_name + "/issues/" + std::to_string(number);
  j["id"] = number_from(path);
  j["node_id"] = node_id(path);
  j["number"] = number;
  j["title"] = std::string(title);
  j["user"] = user_shape(c, c.login);
  j["labels"] = Json::array();
  j["state"] = "open";
  j["locked"] = false;
  j["assignee"] = nullptr;
  j["assignees"] = Json::array();
  j["milestone"] = nullptr;
  j["comments"] = 0;
  j["created_at"] = iso_date(c.now);
  j["updated_at"] = iso_date(c.now);
  j["closed_at"] = nullptr;
  j["author_association"] = "MEMBER";
  j["active_lock_reason"] = nullptr;
  j["body"] = std::string(body);
  j["timeline_url"] = url + "/timeline";
  j["state_reason"] = nullptr;
  return j;
}

Json pull_shape(const ShapeContext& c, const Repository& r, std::uint64_t number, std::string_view title,
                std::string_view body, std::string_view head, std::string_view base) {
  const std::string path = root_of(r) + "/pulls/" + std::to_string(number);
  const std::string url = c.api + path;
  const std::string owner = owner_of(r);
  const auto side = [&](std::string_view branch) {
    return Json{{"label", owner + ":" + std::string(branch)},
                {"ref", std::string(branch)},
                {"sha", fake_sha(path + std::string(branch))},
                {"user", user_shape(c, owner)},
                {"repo", repository_shape(c, r)}};
  };
  Json j;
  j["url"] = url;
  j["id"] = number_from(path);
  j["node_id"] = node_id(path);
  j["html_url"] = c.web + "/" + r.full_name + "/pull/" + std::to_string(number);
  j["diff_url"] = c.web + "/" + r.full_name + "/pull/" + std::to_string(number) + ".diff";
  j["issue_url"] = c.api + root_of(r) + "/issues/" + std::to_string(number);
  j["commits_url"] = url + "/commits";
  j["comments_url"] = c.api + root_of(r) + "/issues/" + std::to_string(number) + "/comments";
  j["number"] = number;
  j["state"] = "open";
  j["locked"] = false;
  j["title"] = std::string(title);
  j["user"] = user_shape(c, c.login);
  j["body"] = std::string(body);
  j["created_at"] = iso_date(c.now);
  j["updated_at"] = iso_date(c.now);
  j["closed_at"] = nullptr;
  j["merged_at"] = nullptr;
  j["merge_commit_sha"] = nullptr;
  j["assignees"] = Json::array();
  j["requested_reviewers"] = Json::array();
  j["labels"] = Json::array();
  j["milestone"] = nullptr;
  j["draft"] = false;
  j["head"] = side(head);
  j["base"] = side(base);
  j["author_association"] = "MEMBER";
  j["merged"] = false;
  j["mergeable"] = true;
  j["mergeable_state"] = "clean";
  j["comments"] = 0;
  j["commits"] = 1;
  j["additions"] = 12;
  j["deletions"] = 3;
  j["changed_files"] = 2;
  return j;
}

Json comment_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::uint64_t issue,
                   std::string_view body) {
  const std::string path = root_of(r) + "/issues/comments/" + std::to_string(id);
  Json j;
  j["url"] = c.api + path;
  j["html_url"] =
      c.web + "/" + r.full_name + "/issues/" + std::to_string(issue) + "#issuecomment-" + std::to_string(id);
  j["issue_url"] = c.api + root_of(r) + "/issues/" + std::to_string(issue);
  j["id"] = id;
  j["node_id"] = node_id(path);
  j["user"] = user_shape(c, c.login);
  j["created_at"] = iso_date(c.now);
  j["updated_at"] = iso_date(c.now);
  j["author_association"] = "MEMBER";
  j["body"] = std::string(body);
  return j;
}

Json commit_shape(const ShapeContext& c, const Repository& r, std::string_view message, std::string_view sha,
                  std::string_view parent) {
  const std::string path = root_of(r) + "/commits/" + std::string(sha);
  const Json person{{"name", c.login}, {"email", c.login + "@users.noreply.github.com"}, {"date", iso_date(c.now)}};
  Json j;
  j["sha"] = std::string(sha);
  j["node_id"] = node_id(path);
  j["commit"] = Json{{"author", person},
                     {"committer", person},
                     {"message", std::string(message)},
                     {"tree", Json{{"sha", fake_sha("tree" + std::string(sha))},
                                   {"url", c.api + root_of(r) + "/git/trees/" + fake_sha("tree" + std::string(sha))}}},
                     {"url", c.api + root_of(r) + "/git/commits/" + std::string(sha)},
                     {"comment_count", 0}};
  j["url"] = c.api + path;
  j["html_url"] = c.web + "/" + r.full_name + "/commit/" + std::string(sha);
  j["author"] = user_shape(c, c.login);
  j["committer"] = user_shape(c, c.login);
  j["parents"] = Json::array();
  if (!parent.empty())
    j["parents"].push_back(
        Json{{"sha", std::string(parent)}, {"url", c.api + root_of(r) + "/commits/" + std::string(parent)}});
  return j;
}

Json reference_shape(const ShapeContext& c, const Repository& r, std::string_view ref, std::string_view sha) {
  const std::string path = root_of(r) + "/git/" + std::string(ref);
  return Json{{"ref", std::string(ref)},
              {"node_id", node_id(path)},
              {"url", c.api + path},
              {"object", Json{{"sha", std::string(sha)},
                              {"type", "commit"},
                              {"url", c.api + root_of(r) + "/git/commits/" + std::string(sha)}}}};
}

Json content_shape(const ShapeContext& c, const Repository& r, std::string_view path, std::string_view text) {
  const std::string file(path);
  const std::string url = c.api + root_of(r) + "/contents/" + file;
  const std::string sha = fake_sha(text);
  Json j;
  j["name"] = file.substr(file.rfind('/') + 1);
  j["path"] = file;
  j["sha"] = sha;
  j["size"] = text.size();
  j["url"] = url + "?ref=main";
  j["html_url"] = c.web + "/" + r.full_name + "/blob/main/" + file;
  j["git_url"] = c.api + root_of(r) + "/git/blobs/" + sha;
  j["download_url"] = "https://raw.githubusercontent.com/" + r.full_name + "/main/" + file;
  j["type"] = "file";
  j["content"] = to_base64(as_bytes(text));
  j["encoding"] = "base64";
  return j;
}

Json run_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view branch,
               std::string_view status) {
  const std::string path = root_of(r) + "/actions/runs/" + std::to_string(id);
  const std::string url = c.api + path;
  Json j;
  j["id"] = id;
  j["name"] = "CI";
  j["node_id"] = node_id(path);
  j["head_branch"] = std::string(branch);
  j["head_sha"] = fake_sha(path);
  j["path"] = ".github/workflows/ci.yml";
  j["display_title"] = "Run " + std::to_string(id);
  j["run_number"] = id % 1000;
  j["event"] = "push";
  j["status"] = std::string(status);
  j["conclusion"] = status == "completed" ? Json("success") : Json(nullptr);
  j["workflow_id"] = 159038;
  j["check_suite_id"] = 42;
  j["url"] = url;
  j["html_url"] = c.web + "/" + r.full_name + "/actions/runs/" + std::to_string(id);
  j["pull_requests"] = Json::array();
  j["created_at"] = iso_date(c.now);
  j["updated_at"] = iso_date(c.now);
  j["actor"] = user_shape(c, c.login);
  j["run_attempt"] = 1;
  j["run_started_at"] = iso_date(c.now);
  for (const char* part : {"jobs", "logs", "artifacts", "cancel", "rerun"})
    j[std::string(part) + "_url"] = url + "/" + part;
  j["workflow_url"] = c.api + root_of(r) + "/actions/workflows/159038";
  j["head_commit"] = Json{{"id", fake_sha(path)},
                          {"tree_id", fake_sha("tree" + path)},
                          {"message", "Run " + std::to_string(id)},
                          {"timestamp", iso_date(c.now)}};
  j["repository"] = Json{{"id", r.id}, {"name", name_of(r)}, {"full_name", r.full_name}, {"private", r.is_private}};
  return j;
}

Json release_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view tag) {
  const std::string path = root_of(r) + "/releases/" + std::to_string(id);
  Json j;
  j["url"] = c.api + path;
  j["assets_url"] = c.api + path + "/assets";
  j["upload_url"] = "https://uploads.github.com" + path + "/assets{?name,label}";
  j["html_url"] = c.web + "/" + r.full_name + "/releases/tag/" + std::string(tag);
  j["id"] = id;
  j["author"] = user_shape(c, c.login);
  j["node_id"] = node_id(path);
  j["tag_name"] = std::string(tag);
  j["target_commitish"] = "main";
  j["name"] = std::string(tag);
  j["draft"] = false;
  j["prerelease"] = false;
  j["created_at"] = iso_date(c.now);
  j["published_at"] = iso_date(c.now);
  j["assets"] = Json::array();
  j["tarball_url"] = c.api + root_of(r) + "/tarball/" + std::string(tag);
  j["zipball_url"] = c.api + root_of(r) + "/zipball/" + std::string(tag);
  j["body"] = "Release " + std::string(tag);
  return j;
}

Json asset_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view name,
                 std::size_t size) {
  const std::string path = root_of(r) + "/releases/assets/" + std::to_string(id);
  Json j;
  j["url"] = c.api + path;
  j["id"] = id;
  j["node_id"] = node_id(path);
  j["name"] = std::string(name);
  j["label"] = "";
  j["uploader"] = user_shape(c, c.login);
  j["content_type"] = "application/octet-stream";
  j["state"] = "uploaded";
  j["size"] = size;
  j["download_count"] = 0;
  j["created_at"] = iso_date(c.now);
  j["updated_at"] = iso_date(c.now);
  j["browser_download_url"] = c.web + "/" + r.full_name + "/releases/download/v1.0.0/" + std::string(name);
  return j;
}

Json status_shape(const ShapeContext& c, const Repository& r, std::uint64_t id, std::string_view sha,
                  std::string_view state, std::string_view context) {
  return Json{{"url", c.api + root_of(r) + "/statuses/" + std::string(sha)},
              {"id", id},
              {"node_id", node_id(root_of(r) + "/statuses/" + std::to_string(id))},
              {"state", std::string(state)},
              {"description", nullptr},
              {"target_url", nullptr},
              {"context", context.empty() ? std::string("default") : std::string(context)},
              {"created_at", iso_date(c.now)},
              {"updated_at", iso_date(c.now)},
              {"creator", user_shape(c, c.login)}};
}

}  // namespace ghmesh::standin
