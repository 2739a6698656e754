// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "exchange.hpp"
#include "graphql_nodes.hpp"
#include "graphql_parser.hpp"
#include "standin/coding.hpp"

// POST /graphql: queries over the same world as the REST API, and mutations that change it. Types are built whole from
// the REST objects, then cut down to what was selected; a field that a type does not have is GitHub's error, as 200.

namespace ghmesh::standin {

class GraphqlRun {
 public:
  GraphqlRun(Exchange& exchange, const GraphqlDocument& document, const Operation& operation, Json variables)
      : x_(exchange), document_(document), operation_(operation), variables_(std::move(variables)) {
    for (const auto& [name, value] : operation.defaults.items())
      if (!variables_.contains(name)) variables_[name] = value;
  }

  Json run() {
    const bool mutation = operation_.kind == "mutation";
    Json data = Json::object();
    for (const Selection& s : flatten(operation_.selections, mutation ? "Mutation" : "Query")) {
      path_ = {s.alias};
      data[s.alias] = mutation ? mutate(s) : query(s);
    }
    Json out = Json::object();
    if (!invalid_) out["data"] = data;
    if (!errors_.empty()) out["errors"] = errors_;
    return out;
  }

 private:
  World& world() { return x_.m_.world; }

  Json resolve(const Json& value) const {
    if (value.is_object() && value.size() == 1 && value.contains("$"))
      return variables_.value(text_of(value, "$"), Json());
    if (!value.is_structured()) return value;
    Json out = value;
    for (Json& member : out) member = resolve(member);
    return out;
  }
  Json argument(const Selection& s, const char* name) const { return resolve(s.arguments.value(name, Json())); }

  bool included(const Selection& s) const {
    for (const auto& [name, arguments] : s.directives) {
      const bool condition = resolve(arguments.value("if", Json(true))) == Json(true);
      if ((name == "include" && !condition) || (name == "skip" && condition)) return false;
    }
    return true;
  }

  // Fragments put in their place. A fragment on another type selects nothing; interfaces take any type.
  std::vector<Selection> flatten(const std::vector<Selection>& selections, const std::string& type, int depth = 0) {
    std::vector<Selection> out;
    for (const Selection& s : selections) {
      if (!included(s)) continue;
      if (s.kind == Selection::Kind::Field) {
        out.push_back(s);
        continue;
      }
      const std::vector<Selection>* inner = &s.selections;
      if (s.kind == Selection::Kind::Spread) {
        const auto found = document_.fragments.find(s.name);
        if (found == document_.fragments.end() || depth > 16) {
          invalid("Fragment " + s.name + " was used, but not defined");
          continue;
        }
        inner = &found->second;
      } else {
        static constexpr std::string_view kConcrete[] = {"User",          "Bot",   "Organization", "Team",
                                                         "Mannequin",     "Issue", "PullRequest",  "CheckRun",
                                                         "StatusContext", "Commit"};
        if (!s.name.empty() && s.name != type && std::ranges::find(kConcrete, s.name) != std::end(kConcrete)) continue;
      }
      for (Selection& field : flatten(*inner, type, depth + 1)) out.push_back(std::move(field));
    }
    return out;
  }

  void invalid(const std::string& message) {
    invalid_ = true;
    errors_.push_back(Json{{"path", path_},
                           {"extensions", Json{{"code", "undefinedField"}}},
                           {"locations", Json::array({Json{{"line", 1}, {"column", 1}}})},
                           {"message", message}});
  }
  Json missing(const std::string& message) {
    errors_.push_back(Json{{"type", "NOT_FOUND"},
                           {"path", path_},
                           {"locations", Json::array({Json{{"line", 1}, {"column", 1}}})},
                           {"message", message}});
    return nullptr;
  }

  Json cut(const Json& value, const Selection& s) {
    if (value.is_array()) {
      Json out = Json::array();
      for (const Json& element : value) out.push_back(cut(element, s));
      return out;
    }
    if (!value.is_object() || s.selections.empty()) return value;
    const Json whole = value.contains("__items") ? page(value["__items"], s) : value;
    const std::string type = whole.value("__typename", std::string("Object"));
    Json out = Json::object();
    for (const Selection& field : flatten(s.selections, type)) {
      path_.push_back(field.alias);
      if (!whole.contains(field.name))
        invalid("Field '" + field.name + "' doesn't exist on type '" + type + "'");
      else
        out[field.alias] = merge(out.value(field.alias, Json()), cut(whole[field.name], field));
      path_.erase(path_.size() - 1);
    }
    return out;
  }

  // One response key selected twice, as when a fragment repeats a field with other members.
  static Json merge(const Json& a, Json b) {
    if (a.is_object() && b.is_object())
      for (const auto& [key, value] : a.items())
        if (!b.contains(key)) b[key] = value;
    return b;
  }

  Json page(const Json& all, const Selection& s) {
    const Json states = argument(s, "states");
    const Json filter = argument(s, "filterBy");
    Json items = Json::array();
    for (const Json& item : all) {
      const Json wanted = !states.is_null() ? states : filter.is_object() ? filter.value("states", Json()) : Json();
      const std::string state = text_of(item, "state");
      const bool state_fits =
          wanted.is_null() || state.empty() ||
          (wanted.is_array() ? std::ranges::find(wanted, Json(state)) != wanted.end() : wanted == Json(state));
      const Json head = argument(s, "headRefName");
      const Json base = argument(s, "baseRefName");
      if (state_fits && (!head.is_string() || head == item.value("headRefName", Json())) &&
          (!base.is_string() || base == item.value("baseRefName", Json())))
        items.push_back(item);
    }
    const Json first = argument(s, "first");
    const Json last = argument(s, "last");
    const Json after = argument(s, "after");
    const std::size_t total = items.size();
    std::size_t from =
        after.is_string()
            ? std::min<std::size_t>(total, std::strtoull(after.get<std::string>().c_str() +
                                                             std::min<std::size_t>(after.get<std::string>().size(), 7),
                                                         nullptr, 10))
            : 0;
    std::size_t to = first.is_number_unsigned() ? std::min(total, from + first.get<std::size_t>()) : total;
    if (last.is_number_unsigned()) from = std::max(from, to - std::min(to, last.get<std::size_t>()));
    Json nodes = Json::array();
    Json edges = Json::array();
    for (std::size_t i = from; i < to; ++i) {
      nodes.push_back(items[i]);
      edges.push_back(Json{{"node", items[i]},
                           {"cursor", "cursor:" + std::to_string(i + 1)},
                           {"size", items[i].is_object() ? items[i].value("size", Json()) : Json()}});
    }
    return Json{{"__typename", "Connection"},
                {"nodes", nodes},
                {"edges", edges},
                {"totalCount", total},
                {"pageInfo", Json{{"__typename", "PageInfo"},
                                  {"hasNextPage", to < total},
                                  {"hasPreviousPage", from > 0},
                                  {"startCursor", "cursor:" + std::to_string(from + 1)},
                                  {"endCursor", "cursor:" + std::to_string(to)}}}};
  }

  Json query(const Selection& s) {
    if (s.name == "__typename") return "Query";
    if (s.name == "__type") return cut(type_named(argument(s, "name")), s);
    if (s.name == "viewer") return cut(viewer(), s);
    if (s.name == "rateLimit") return cut(rate_limit(), s);
    if (s.name == "repository") {
      const std::string name = argument(s, "owner").get<std::string>() + "/" + argument(s, "name").get<std::string>();
      const Repository* r = world().repository(name);
      if (r == nullptr) r = world().renamed(name);
      if (r == nullptr || !x_.may_see(*r))
        return missing("Could not resolve to a Repository with the name '" + name + "'.");
      return cut(repository(*r, s), s);
    }
    if (s.name == "node") {
      const Json id = argument(s, "id");
      const std::string path = id.is_string() ? path_of_node(id.get<std::string>()) : "";
      const Json node = node_at(path);
      return node.is_null() ? missing("Could not resolve to a node with the global id of '" +
                                      (id.is_string() ? id.get<std::string>() : "") + "'")
                            : cut(node, s);
    }
    if (s.name == "user" || s.name == "organization" || s.name == "repositoryOwner") {
      const Json login = argument(s, "login");
      Json owner = actor(user_shape(x_.shape(), login.is_string() ? login.get<std::string>() : ""));
      Json repositories = Json::array();
      owner["repositories"] = connection(repositories);
      return cut(owner, s);
    }
    if (s.name == "search") {
      Json none = connection(Json::array());
      Json result = page(none["__items"], s);
      for (const char* count : {"issueCount", "repositoryCount", "userCount"}) result[count] = 0;
      return cut(result, s);
    }
    invalid("Field '" + s.name + "' doesn't exist on type 'Query'");
    return nullptr;
  }

  // Clients look at a type's fields to learn what this GitHub can do.
  static Json type_named(const Json& name) {
    const Json none = Json::object();
    const Json sample = name == Json("PullRequest") ? pull_node(Json{{"user", none}}, none, none)
                        : name == Json("Issue")     ? issue_node(none, none)
                                                    : none;
    Json fields = Json::array();
    for (const auto& [field, value] : sample.items())
      if (!field.starts_with("__")) fields.push_back(Json{{"__typename", "__Field"}, {"name", field}});
    return Json{{"__typename", "__Type"}, {"name", name}, {"fields", fields}};
  }

  Json viewer() {
    Json v = actor(user_shape(x_.shape(), x_.token_->login));
    v["organizations"] = connection(Json::array());
    v["repositories"] = connection(Json::array());
    v["databaseId"] = x_.token_->user_id;
    return v;
  }

  Json rate_limit() {
    const Budget& b = x_.m_.quota.budget(x_.bucket(), x_.payer_, "graphql", x_.now_);
    return Json{{"__typename", "RateLimit"},   {"limit", b.limit}, {"cost", 1},
                {"remaining", b.remaining()},  {"used", b.used},   {"nodeCount", 0},
                {"resetAt", iso_date(b.reset)}};
  }

  Json items_at(const std::string& path) {
    Json out = Json::array();
    const Document* list = world().find(path);
    if (list == nullptr) return out;
    for (const Item& item : list->items) out.push_back(parse_json(item.body));
    return out;
  }

  Json issue_at(const std::string& root, const Json& issue) {
    return issue_node(issue, items_at(root + "/issues/" + std::to_string(issue.value("number", 0)) + "/comments"));
  }
  Json pull_at(const std::string& root, const Json& listed) {
    const std::string number = std::to_string(listed.value("number", 0));
    const Document* own = world().find(root + "/pulls/" + number);
    return pull_node(own != nullptr ? parse_json(own->body) : listed,
                     items_at(root + "/issues/" + number + "/comments"),
                     items_at(root + "/pulls/" + number + "/reviews"));
  }

  Json node_at(const std::string& path) {
    const Document* d = world().find(path);
    if (d == nullptr || !path.starts_with("/repos/")) return nullptr;
    const std::size_t name_end = path.find('/', path.find('/', 7) + 1);
    const std::string root = path.substr(0, name_end);
    const Repository* r = world().repository(root.substr(7));
    if (r == nullptr || !x_.may_see(*r)) return nullptr;
    if (path.find("/issues/comments/") != std::string::npos) return comment_node(parse_json(d->body));
    if (path.find("/issues/") != std::string::npos) return issue_at(root, parse_json(d->body));
    if (path.find("/pulls/") != std::string::npos) return pull_at(root, parse_json(d->body));
    return nullptr;
  }

  // Whether a field is asked for anywhere below: building every issue for a question about the name would be waste.
  bool asks(const std::vector<Selection>& selections, std::string_view name, int depth = 0) const {
    if (depth > 16) return false;
    for (const Selection& s : selections) {
      if (s.kind == Selection::Kind::Field && s.name == name) return true;
      if (s.kind == Selection::Kind::Inline && asks(s.selections, name, depth + 1)) return true;
      if (s.kind != Selection::Kind::Spread) continue;
      const auto fragment = document_.fragments.find(s.name);
      if (fragment != document_.fragments.end() && asks(fragment->second, name, depth + 1)) return true;
    }
    return false;
  }

  std::optional<Selection> field_named(const std::vector<Selection>& selections, std::string_view name,
                                       std::string_view type) {
    for (Selection& s : flatten(selections, std::string(type)))
      if (s.name == name) return std::move(s);
    return std::nullopt;
  }

  Json repository(const Repository& r, const Selection& s) {
    const std::string root = "/repos/" + r.full_name;
    const Document* document = world().find(root);
    const Json rest = document != nullptr ? parse_json(document->body) : repository_shape(x_.shape(), r);
    Json n;
    n["__typename"] = "Repository";
    n["id"] = text_of(rest, "node_id");
    n["databaseId"] = r.id;
    n["name"] = text_of(rest, "name");
    n["nameWithOwner"] = r.full_name;
    n["owner"] = actor(rest.value("owner", Json::object()));
    n["description"] = text_of(rest, "description");
    n["homepageUrl"] = text_of(rest, "homepage");
    n["url"] = text_of(rest, "html_url");
    n["sshUrl"] = text_of(rest, "ssh_url");
    n["mirrorUrl"] = nullptr;
    n["openGraphImageUrl"] = "";
    n["securityPolicyUrl"] = nullptr;
    n["createdAt"] = text_of(rest, "created_at");
    n["updatedAt"] = text_of(rest, "updated_at");
    n["pushedAt"] = text_of(rest, "pushed_at");
    n["archivedAt"] = nullptr;
    n["visibility"] = r.is_private ? "PRIVATE" : "PUBLIC";
    n["isPrivate"] = r.is_private;
    for (const char* flag : {"isArchived", "isBlankIssuesEnabled", "isEmpty", "isFork", "isInOrganization", "isMirror",
                             "isSecurityPolicyEnabled", "isTemplate", "isUserConfigurationRepository",
                             "usesCustomOpenGraphImage", "viewerHasStarred", "deleteBranchOnMerge", "autoMergeAllowed"})
      n[flag] = false;
    for (const char* flag : {"hasIssuesEnabled", "hasProjectsEnabled", "hasWikiEnabled", "hasDiscussionsEnabled",
                             "mergeCommitAllowed", "rebaseMergeAllowed", "squashMergeAllowed"})
      n[flag] = true;
    n["viewerCanAdminister"] = x_.may_write(r);
    n["viewerPermission"] = x_.may_write(r) ? "WRITE" : "READ";
    n["viewerSubscription"] = "UNSUBSCRIBED";
    n["viewerDefaultMergeMethod"] = "MERGE";
    n["viewerDefaultCommitEmail"] = "";
    n["viewerPossibleCommitEmails"] = Json::array();
    n["stargazerCount"] = rest.value("stargazers_count", 0);
    n["forkCount"] = rest.value("forks_count", 0);
    n["diskUsage"] = rest.value("size", 0);
    n["defaultBranchRef"] = Json{{"__typename", "Ref"},
                                 {"name", rest.value("default_branch", std::string("main"))},
                                 {"target", Json{{"oid", ""}}}};
    n["licenseInfo"] = Json{{"__typename", "License"}, {"key", "mit"}, {"name", "MIT License"}, {"nickname", ""}};
    n["primaryLanguage"] = Json{{"__typename", "Language"}, {"name", text_of(rest, "language")}};
    n["languages"] = connection(Json::array({Json{{"name", text_of(rest, "language")}, {"size", 1000}}}));
    for (const char* none : {"parent", "templateRepository", "codeOfConduct", "latestRelease"}) n[none] = nullptr;
    for (const char* list : {"contactLinks", "fundingLinks", "issueTemplates", "pullRequestTemplates"})
      n[list] = Json::array();
    for (const char* list : {"assignableUsers", "mentionableUsers", "milestones", "projects", "projectsV2",
                             "repositoryTopics", "watchers", "forks"})
      n[list] = connection(Json::array());
    add_lists(n, root, s);
    return n;
  }

  void add_lists(Json& n, const std::string& root, const Selection& s) {
    Json issues = Json::array();
    Json pulls = Json::array();
    if (asks(s.selections, "issues"))
      for (const Json& i : items_at(root + "/issues")) issues.push_back(issue_at(root, i));
    if (asks(s.selections, "pullRequests"))
      for (const Json& p : items_at(root + "/pulls")) pulls.push_back(pull_at(root, p));
    Json labels = Json::array();
    for (const Json& l : items_at(root + "/labels")) labels.push_back(label_node(l));
    Json releases = Json::array();
    for (const Json& r : items_at(root + "/releases")) releases.push_back(release_node(r));
    if (!releases.empty()) n["latestRelease"] = releases.front();
    n["issues"] = connection(issues);
    n["pullRequests"] = connection(pulls);
    n["labels"] = connection(labels);
    n["release"] = nullptr;
    if (const std::optional<Selection> wanted = field_named(s.selections, "release", "Repository"))
      for (const Json& r : releases)
        if (argument(*wanted, "tagName") == r["tagName"]) n["release"] = r;
    n["releases"] = connection(releases);
    n["issue"] = numbered(root, s, "issue");
    n["pullRequest"] = numbered(root, s, "pullRequest");
    n["issueOrPullRequest"] = numbered(root, s, "issueOrPullRequest");
    n["ref"] = Json{{"__typename", "Ref"}, {"name", "main"}, {"target", Json{{"oid", ""}}}};
  }

  // issue(number:), pullRequest(number:) and the field that takes either.
  Json numbered(const std::string& root, const Selection& s, std::string_view field) {
    if (!asks(s.selections, field)) return nullptr;
    const std::optional<Selection> selection = field_named(s.selections, field, "Repository");
    if (!selection) return nullptr;
    const Json number = argument(*selection, "number");
    const std::string text = number.is_number_unsigned() ? std::to_string(number.get<std::uint64_t>()) : "0";
    const Document* issue = field == "pullRequest" ? nullptr : world().find(root + "/issues/" + text);
    const Document* pull = field == "issue" ? nullptr : world().find(root + "/pulls/" + text);
    if (issue != nullptr) return issue_at(root, parse_json(issue->body));
    if (pull != nullptr) return pull_at(root, parse_json(pull->body));
    path_.push_back(selection->alias);
    missing("Could not resolve to " +
            std::string(field == "issue"         ? "an Issue"
                        : field == "pullRequest" ? "a PullRequest"
                                                 : "an issue or pull request") +
            " with the number of " + text + ".");
    path_.erase(path_.size() - 1);
    return nullptr;
  }

  // A write in REST's words, made in the name of the same caller.
  Answer rest(const std::string& method, const std::string& path, const Json& body) {
    Request request;
    request.method = method;
    request.target = path;
    request.body = to_compact(body);
    request.fields = x_.request_.fields;
    Exchange inner(x_.m_, request, x_.now_);
    inner.token_ = x_.token_;
    inner.payer_ = x_.payer_;
    return inner.dispatch();
  }

  Json mutate(const Selection& s) {
    const Json in = argument(s, "input");
    const auto path_in = [&](const char* member) { return path_of_node(text_of(in, member)); };
    Json payload{{"__typename", "Payload"},
                 {"clientMutationId", in.is_object() ? in.value("clientMutationId", Json()) : Json()}};
    Answer answer;
    std::string subject;
    if (s.name == "createIssue" || s.name == "createPullRequest") {
      const bool issue = s.name == "createIssue";
      Json body{{"title", text_of(in, "title")}, {"body", text_of(in, "body")}};
      if (!issue) {
        body["head"] = text_of(in, "headRefName");
        body["base"] = text_of(in, "baseRefName");
      }
      answer = rest("POST", path_in("repositoryId") + (issue ? "/issues" : "/pulls"), body);
      const Json made = parse_json(answer.body);
      subject = path_of_node(text_of(made, "node_id"));
    } else if (s.name == "addComment") {
      subject = path_in("subjectId");
      std::string target = subject;
      if (const std::size_t at = target.find("/pulls/"); at != std::string::npos) target.replace(at, 7, "/issues/");
      answer = rest("POST", target + "/comments", Json{{"body", text_of(in, "body")}});
      payload["commentEdge"] = Json{{"node", comment_node(parse_json(answer.body))}};
    } else if (s.name == "closeIssue" || s.name == "reopenIssue" || s.name == "updateIssue") {
      subject = path_in(s.name == "updateIssue" ? "id" : "issueId");
      answer = rest("PATCH", subject, change_of(s.name, in));
    } else if (s.name == "closePullRequest" || s.name == "reopenPullRequest" || s.name == "updatePullRequest") {
      subject = path_in("pullRequestId");
      answer = rest("PATCH", subject, change_of(s.name, in));
    } else if (s.name == "mergePullRequest") {
      subject = path_in("pullRequestId");
      answer = rest("PUT", subject + "/merge", Json::object());
    } else {
      invalid("Field '" + s.name + "' doesn't exist on type 'Mutation'");
      return nullptr;
    }
    if (answer.status >= 400)
      return missing("Could not resolve to a node: " + text_of(parse_json(answer.body), "message"));
    const Json node = node_at(subject);
    for (const char* name : {"issue", "pullRequest", "subject"}) payload[name] = node;
    return cut(payload, s);
  }

  static Json change_of(const std::string& mutation, const Json& in) {
    Json change = Json::object();
    if (mutation.starts_with("close")) change["state"] = "closed";
    if (mutation.starts_with("reopen")) change["state"] = "open";
    for (const char* member : {"title", "body", "state"})
      if (mutation.starts_with("update") && !text_of(in, member).empty())
        change[member] = http::to_lower(member == std::string_view("state") ? text_of(in, member) : "") +
                         (member == std::string_view("state") ? "" : text_of(in, member));
    return change;
  }

  Exchange& x_;
  const GraphqlDocument& document_;
  const Operation& operation_;
  Json variables_;
  Json path_ = Json::array();
  Json errors_ = Json::array();
  bool invalid_ = false;
};

Answer Exchange::graphql() {
  Answer a;
  a.no_cache = true;
  a.media = "github.v4; format=json";
  const auto refuse = [&](const std::string& message) {
    a.body = to_compact(Json{{"errors", Json::array({Json{{"message", message}}})}});
    return a;
  };
  const Json in = input();
  if (!in.is_object() || text_of(in, "query").empty()) {
    Answer bad = error(
        400, in.is_object() ? "A query attribute must be specified and must be a string." : "Problems parsing JSON",
        "graphql");
    return bad;
  }
  const Result<GraphqlDocument> document = parse_graphql(text_of(in, "query"));
  if (!document) return refuse(document.error().message);
  const std::string wanted = text_of(in, "operationName");
  const Operation* chosen = document->operations.size() == 1 && wanted.empty() ? &document->operations[0] : nullptr;
  for (const Operation& operation : document->operations)
    if (!wanted.empty() && operation.name == wanted) chosen = &operation;
  if (chosen == nullptr) return refuse("An operation name is required");
  const Json variables = in.value("variables", Json::object());
  a.body = to_compact(GraphqlRun(*this, *document, *chosen, variables.is_object() ? variables : Json::object()).run());
  return a;
}

}  // namespace ghmesh::standin
