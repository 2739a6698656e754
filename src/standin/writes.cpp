// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"
#include "exchange.hpp"
#include "standin/coding.hpp"

// Writes change the world: the object, the lists it stands in, and what GitHub changes with it (an issue's count of
// comments, a branch's head). Whatever has no rule of its own is stored as sent, at its path.

namespace ghmesh::standin {
namespace {

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    if (path.front() == '/') path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

std::string join_from(const std::vector<std::string>& parts, std::size_t first) {
  std::string out;
  for (std::size_t i = first; i < parts.size(); ++i) out.append(out.empty() ? "" : "/").append(parts[i]);
  return out;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  return problem == std::errc() && end == text.data() + text.size() ? n : 0;
}

Answer done(int status, std::string body = {}) {
  Answer a;
  a.status = status;
  a.body = std::move(body);
  a.silent_cache = status == 204 || status == 202;
  return a;
}

std::uint64_t head_number(const Json& list_item) { return list_item.value("number", std::uint64_t{0}); }

}  // namespace

Answer Exchange::write() {
  if (repository_ == nullptr) {
    // Outside repositories nothing has rules: gists, user settings. Stored as sent, so that a later GET shows it.
    if (request_.method == "DELETE") return erase(path_);
    if (request_.method == "PATCH") return edit(path_);
    const Json value = input();
    if (!value.is_object() && !value.is_array()) return error(400, "Problems parsing JSON");
    m_.world.set_object(path_, to_compact(value), now_);
    return done(request_.method == "POST" ? 201 : 200, to_compact(value));
  }
  const std::string rest =
      path_.substr(std::min(path_.size(), std::string("/repos/").size() + repository_->full_name.size()));
  const bool speaking = rest.starts_with("/issues") && request_.method == "POST";
  if (!may_write(*repository_) && !speaking) {
    Answer a = error(
        403, payer_ == Payer::Job ? "Resource not accessible by integration" : "Must have admin rights to Repository.");
    a.denied = true;
    return a;
  }
  if (!request_.body.empty() && !input().is_object() && !input().is_array()) return error(400, "Problems parsing JSON");
  return write_in_repository(rest);
}

Answer Exchange::write_in_repository(const std::string& rest) {
  const std::vector<std::string> parts = split(rest);
  const std::string& method = request_.method;
  const std::string root = "/repos/" + repository_->full_name;
  const Json in = input();
  if (parts.empty()) {
    if (method == "DELETE") return erase(root);
    const std::string name = text_of(in, "name");
    Answer a = edit(root);
    if (a.status == 200 && !name.empty()) {
      const std::string from = repository_->full_name;
      const std::string to = from.substr(0, from.find('/') + 1) + name;
      if (to != from && m_.world.rename(from, to)) m_.tokens.rename_repository(from, to);
    }
    return a;
  }
  const std::string& kind = parts[0];
  if (kind == "contents" && parts.size() > 1) return write_contents(join_from(parts, 1));
  if (kind == "git" && parts.size() > 1 && parts[1] == "refs") return write_reference(join_from(parts, 2));
  if (kind == "issues" && parts.size() == 3 && parts[1] != "comments")
    return write_issue_part(number_of(parts[1]), parts[2]);
  if (kind == "issues" && parts.size() == 4 && parts[2] == "labels" && method == "DELETE")
    return write_issue_part(number_of(parts[1]), "labels/" + parts[3]);
  if (kind == "pulls" && parts.size() == 3) return write_pull_part(number_of(parts[1]), parts[2]);
  if (kind == "actions" && parts.size() == 4 && (parts[1] == "runs" || parts[1] == "workflows"))
    return write_run_part(root + "/actions/" + parts[1] + "/" + parts[2], parts[3]);
  if (kind == "dispatches" && method == "POST") return done(204);
  if (method == "DELETE") return erase(path_);
  if (method == "PATCH") return edit(path_);
  if (method != "POST" || parts.size() > 2) {
    m_.world.set_object(path_, in.is_discarded() ? "{}" : to_compact(in), now_);
    return done(200, in.is_discarded() ? "{}" : to_compact(in));
  }
  return create_in_repository(parts);
}

// POST to a list: what is made there, by the kind of list.
Answer Exchange::create_in_repository(const std::vector<std::string>& parts) {
  const std::string& kind = parts[0];
  const std::string root = "/repos/" + repository_->full_name;
  const ShapeContext c = shape();
  const Json in = input();
  const std::uint64_t id = m_.next_number_++;
  if (kind == "issues" || kind == "pulls") {
    const std::string title = text_of(in, "title");
    if (title.empty()) return error(422, "Validation Failed");
    const std::uint64_t number = next_issue_number();
    Json made = kind == "issues" ? issue_shape(c, *repository_, number, title, text_of(in, "body"))
                                 : pull_shape(c, *repository_, number, title, text_of(in, "body"), text_of(in, "head"),
                                              text_of(in, "base"));
    const std::string at = root + "/" + kind + "/" + std::to_string(number);
    if (m_.world.find(root + "/issues/" + std::to_string(number) + "/comments") == nullptr)
      m_.world.put_json(root + "/issues/" + std::to_string(number) + "/comments", "[]", now_);
    Answer a = create(root + "/" + kind, at, made);
    if (in.contains("labels")) set_labels(at, in["labels"]);
    if (const Document* d = m_.world.find(at)) a.body = d->body;
    return a;
  }
  if (kind == "labels") {
    const std::string name = text_of(in, "name");
    if (name.empty()) return error(422, "Validation Failed");
    return create(root + "/labels", root + "/labels/" + name, label_shape(c, *repository_, name, text_of(in, "color")));
  }
  if (kind == "statuses" && parts.size() == 2) {
    const std::string list = root + "/commits/" + parts[1] + "/statuses";
    if (m_.world.find(list) == nullptr) m_.world.put_json(list, "[]", now_);
    const Json made = status_shape(c, *repository_, id, parts[1], text_of(in, "state"), text_of(in, "context"));
    m_.world.prepend(list, to_compact(made));
    return done(201, to_compact(made));
  }
  Json made = kind == "releases" ? release_shape(c, *repository_, id, text_of(in, "tag_name"))
                                 : (in.is_object() ? in : Json::object());
  const std::string at = path_ + "/" + std::to_string(id);
  if (!made.contains("id")) made["id"] = id;
  if (!made.contains("url")) made["url"] = m_.settings.api_base + at;
  return create(path_, at, made);
}

Answer Exchange::create(const std::string& list, const std::string& path, const Json& object, int status) {
  if (m_.world.find(list) == nullptr) m_.world.put_json(list, "[]", now_);
  m_.world.set_object(path, to_compact(object), now_);
  Answer a = done(status, to_compact(object));
  a.tagged = true;  // as recorded: a 201 carries the tag of what was made
  a.location = text_of(object, "url");
  return a;
}

Answer Exchange::edit(const std::string& path) {
  const Document* document = m_.world.find(path);
  if (document == nullptr) return not_found();
  Json value = parse_json(document->body);
  const Json change = input();
  if (!value.is_object() || !change.is_object()) return error(422, "Validation Failed");
  for (const auto& [key, member] : change.items()) {
    if (key == "labels") continue;
    // Clients write logins and names where GitHub shows objects; those members keep their shape.
    if (value.contains(key) && value[key].is_structured() && !member.is_structured()) continue;
    value[key] = member;
  }
  if (value.contains("updated_at")) value["updated_at"] = iso_date(now_);
  if (value.contains("closed_at") && change.contains("state"))
    value["closed_at"] = text_of(change, "state") == "closed" ? Json(iso_date(now_)) : Json(nullptr);
  const auto variants = document->variants;
  m_.world.set_object(path, to_compact(value), now_);
  for (const auto& [name, text] : variants)
    if (!name.starts_with("20")) m_.world.find(path)->variants[name] = text;
  if (change.contains("labels")) set_labels(path, change["labels"]);
  Answer a = done(200, m_.world.find(path)->body);
  a.tagged = true;
  return a;
}

void Exchange::set_labels(const std::string& issue_path, Json labels) {
  const Document* document = m_.world.find(issue_path);
  if (document == nullptr) return;
  Json issue = parse_json(document->body);
  Json shaped = Json::array();
  for (const Json& label : labels) {
    const std::string name = label.is_string() ? label.get<std::string>() : text_of(label, "name");
    const Document* known = m_.world.find("/repos/" + repository_->full_name + "/labels/" + name);
    shaped.push_back(known != nullptr ? parse_json(known->body) : label_shape(shape(), *repository_, name, ""));
  }
  issue["labels"] = shaped;
  issue["updated_at"] = iso_date(now_);
  m_.world.set_object(issue_path, to_compact(issue), now_);
  m_.world.put_json(issue_path + "/labels", to_compact(shaped), now_);
}

Answer Exchange::write_issue_part(std::uint64_t number, const std::string& part) {
  const std::string path = "/repos/" + repository_->full_name + "/issues/" + std::to_string(number);
  const Document* document = m_.world.find(path);
  const bool pull = document == nullptr;
  const std::string subject = pull ? "/repos/" + repository_->full_name + "/pulls/" + std::to_string(number) : path;
  document = m_.world.find(subject);
  if (document == nullptr) return not_found();
  Json issue = parse_json(document->body);
  const Json in = input();
  if (part == "comments" && request_.method == "POST") {
    const std::uint64_t id = m_.next_number_++;
    const Json comment = comment_shape(shape(), *repository_, id, number, text_of(in, "body"));
    const std::string list = path + "/comments";
    if (m_.world.find(list) == nullptr) m_.world.put_json(list, "[]", now_);
    m_.world.append(list, to_compact(comment));  // oldest first, unlike every other list
    issue["comments"] = issue.value("comments", 0) + 1;
    issue["updated_at"] = iso_date(now_);
    m_.world.set_object(subject, to_compact(issue), now_);
    return create("/repos/" + repository_->full_name + "/issues/comments",
                  "/repos/" + repository_->full_name + "/issues/comments/" + std::to_string(id), comment);
  }
  if (part == "labels" || part.starts_with("labels/")) {
    Json names = request_.method == "POST" && issue.contains("labels") ? issue["labels"] : Json::array();
    if (request_.method == "DELETE" && part != "labels")
      for (const Json& label : issue["labels"])
        if (text_of(label, "name") != part.substr(7)) names.push_back(label);
    const Json& added = in.is_object() && in.contains("labels") ? in["labels"] : in;
    if (request_.method != "DELETE" && added.is_array())
      for (const Json& label : added) names.push_back(label);
    set_labels(subject, names);
    return done(200, m_.world.find(subject + "/labels")->body);
  }
  if (part == "lock") {
    issue["locked"] = request_.method == "PUT";
    m_.world.set_object(subject, to_compact(issue), now_);
    return done(204);
  }
  if (part == "assignees" && issue.contains("assignees")) {
    if (in.is_object() && in.contains("assignees"))
      for (const Json& login : in["assignees"])
        if (login.is_string()) issue["assignees"].push_back(user_shape(shape(), login.get<std::string>()));
    m_.world.set_object(subject, to_compact(issue), now_);
    return done(201, m_.world.find(subject)->body);
  }
  return not_found();
}

Answer Exchange::write_contents(const std::string& file) {
  const std::string root = "/repos/" + repository_->full_name;
  const std::string path = root + "/contents/" + file;
  const Document* old = m_.world.find(path);
  const Json in = input();
  const ShapeContext c = shape();
  const bool deletion = request_.method == "DELETE";
  if (deletion && old == nullptr) return not_found();
  if (old != nullptr && text_of(parse_json(old->body), "sha") != text_of(in, "sha"))
    return error(409, file + " does not match " + text_of(in, "sha"));
  const std::optional<Bytes> content = from_base64(text_of(in, "content"));
  if (!deletion && !content) return error(422, "content is not valid Base64");

  const bool existed = old != nullptr;
  Json answer;
  answer["content"] = nullptr;
  if (deletion) {
    m_.world.remove(path);
  } else {
    const Json made = content_shape(c, *repository_, file, as_text(*content));
    m_.world.set_object(path, to_compact(made), now_);
    m_.world.find(path)->variants["raw"] = to_text(*content);
    answer["content"] = made;
  }
  // A commit on the default branch: the branch, its refs and the list of commits move with it.
  const std::string sha = fake_sha(path + std::to_string(m_.next_number_++));
  const Document* branch = m_.world.find(root + "/branches/main");
  const std::string parent =
      branch != nullptr ? text_of(parse_json(branch->body).value("commit", Json::object()), "sha") : std::string();
  const Json commit = commit_shape(c, *repository_, text_of(in, "message"), sha, parent);
  m_.world.set_object(root + "/commits/" + sha, to_compact(commit), now_);
  if (branch != nullptr) {
    Json moved = parse_json(branch->body);
    moved["commit"] = Json{{"sha", sha}, {"url", text_of(commit, "url")}};
    m_.world.set_object(root + "/branches/main", to_compact(moved), now_);
    for (const char* at : {"/git/refs/heads/main", "/git/ref/heads/main"})
      if (m_.world.find(root + at) != nullptr)
        m_.world.set_object(root + at, to_compact(reference_shape(c, *repository_, "refs/heads/main", sha)), now_);
  }
  answer["commit"] = commit["commit"];
  answer["commit"]["sha"] = sha;
  return done(existed ? 200 : 201, to_compact(answer));
}

Answer Exchange::write_reference(const std::string& rest) {
  const std::string root = "/repos/" + repository_->full_name + "/git/";
  const Json in = input();
  const std::string name = rest.empty() ? text_of(in, "ref") : "refs/" + rest;
  const std::string path = root + name;
  if (request_.method == "DELETE") {
    m_.world.remove(root + "ref/" + name.substr(5));
    return erase(path);
  }
  const bool exists = m_.world.find(path) != nullptr;
  if (!name.starts_with("refs/") || text_of(in, "sha").empty()) return error(422, "Validation Failed");
  if (request_.method == "POST" && exists) return error(422, "Reference already exists");
  if (request_.method == "PATCH" && !exists) return error(422, "Reference does not exist");
  const Json made = reference_shape(shape(), *repository_, name, text_of(in, "sha"));
  m_.world.set_object(root + "ref/" + name.substr(5), to_compact(made), now_);
  return create(root + "refs", path, made, request_.method == "POST" ? 201 : 200);
}

Answer Exchange::write_pull_part(std::uint64_t number, const std::string& part) {
  const std::string path = "/repos/" + repository_->full_name + "/pulls/" + std::to_string(number);
  const Document* document = m_.world.find(path);
  if (document == nullptr) return not_found();
  Json pull = parse_json(document->body);
  if (part == "merge" && request_.method == "PUT") {
    if (text_of(pull, "state") != "open") return error(405, "Pull Request is not mergeable");
    const std::string sha = fake_sha(path + "merge");
    pull["state"] = "closed";
    pull["merged"] = true;
    pull["merged_at"] = iso_date(now_);
    pull["closed_at"] = iso_date(now_);
    pull["updated_at"] = iso_date(now_);
    pull["merge_commit_sha"] = sha;
    m_.world.set_object(path, to_compact(pull), now_);
    return done(200, to_compact(Json{{"sha", sha}, {"merged", true}, {"message", "Pull Request successfully merged"}}));
  }
  if (request_.method != "POST") return not_found();
  const std::uint64_t id = m_.next_number_++;
  Json made{{"id", id},
            {"node_id", node_id(path + "/" + part + "/" + std::to_string(id))},
            {"user", user_shape(shape(), shape().login)},
            {"body", text_of(input(), "body")},
            {"state", text_of(input(), "event") == "APPROVE" ? "APPROVED" : "COMMENTED"},
            {"url", m_.settings.api_base + path + "/" + part + "/" + std::to_string(id)},
            {"submitted_at", iso_date(now_)}};
  if (part == "requested_reviewers") {
    pull["updated_at"] = iso_date(now_);
    m_.world.set_object(path, to_compact(pull), now_);
    return done(201, m_.world.find(path)->body);
  }
  return create(path + "/" + part, path + "/" + part + "/" + std::to_string(id), made, part == "reviews" ? 200 : 201);
}

Answer Exchange::write_run_part(const std::string& path, const std::string& part) {
  const Document* document = m_.world.find(path);
  if (document == nullptr) return not_found();
  if (part == "dispatches") {
    const std::uint64_t id = m_.next_number_++;
    const Json run = run_shape(shape(), *repository_, id, text_of(input(), "ref"), "queued");
    create("/repos/" + repository_->full_name + "/actions/runs",
           "/repos/" + repository_->full_name + "/actions/runs/" + std::to_string(id), run);
    return done(204);
  }
  Json run = parse_json(document->body);
  run["updated_at"] = iso_date(now_);
  if (part == "cancel" || part == "force-cancel") {
    if (text_of(run, "status") == "completed") return error(409, "Cannot cancel a workflow run that is completed.");
    run["status"] = "completed";
    run["conclusion"] = "cancelled";
    m_.world.set_object(path, to_compact(run), now_);
    return done(202, "{}");
  }
  if (part == "rerun" || part == "rerun-failed-jobs") {
    run["status"] = "queued";
    run["conclusion"] = nullptr;
    run["run_attempt"] = run.value("run_attempt", 1) + 1;
    m_.world.set_object(path, to_compact(run), now_);
    return done(201, "{}");
  }
  if (part == "logs" && request_.method == "DELETE") return erase(path + "/logs");
  if (part == "enable" || part == "disable") {
    run["state"] = part == "enable" ? "active" : "disabled_manually";
    m_.world.set_object(path, to_compact(run), now_);
    return done(204);
  }
  return not_found();
}

Answer Exchange::erase(const std::string& path) {
  if (!m_.world.remove(path)) return not_found();
  return done(204);
}

std::uint64_t Exchange::next_issue_number() const {
  std::uint64_t last = 0;
  for (const char* kind : {"/issues", "/pulls"}) {
    const Document* list = m_.world.find("/repos/" + repository_->full_name + kind);
    if (list == nullptr) continue;
    for (const Item& item : list->items) last = std::max(last, head_number(parse_json(item.body)));
  }
  return last + 1;
}

}  // namespace ghmesh::standin
