// SPDX-License-Identifier: Apache-2.0
#include "github/resource.hpp"

#include <simdjson.h>

#include <span>
#include <vector>

#include "github/limits.hpp"
#include "github/pattern.hpp"
#include "http/message/fields.hpp"
#include "resource_table.hpp"

namespace ghmesh::github {
namespace {

// Rows by their first segment, so that a request looks at a handful of them.
class Index {
 public:
  explicit Index(std::span<const ResourceRow> rows) {
    for (const ResourceRow& row : rows) buckets_[first_segment(row.pattern)].push_back(&row);
  }
  const ResourceRow* find(std::string_view path) const {
    const auto bucket = buckets_.find(first_segment(path));
    if (bucket == buckets_.end()) return nullptr;
    for (const ResourceRow* row : bucket->second)
      if (match_path(row->pattern, path)) return row;
    return nullptr;
  }

 private:
  std::unordered_map<std::string_view, std::vector<const ResourceRow*>> buckets_;
};

const ResourceRow* find_row(bool of_repository, std::string_view path) {
  static const Index repository(repository_rows());
  static const Index root(root_rows());
  return (of_repository ? repository : root).find(path);
}

// Fills owner, repo or id, and rest.
void split_repository(std::string_view path, Resource& out) {
  const std::string_view first = first_segment(path);
  if (first == "repos") {
    const std::string_view below = after_first_segment(path);
    const std::string_view owner = first_segment(below);
    const std::string_view name = first_segment(after_first_segment(below));
    if (owner.empty() || name.empty()) return;
    out.owner = owner;
    out.repo = name;
    out.rest = after_first_segment(after_first_segment(below));
  } else if (first == "repositories") {
    const std::string_view id = first_segment(after_first_segment(path));
    if (!is_digits(id)) return;
    out.repository_id = id;
    out.rest = after_first_segment(after_first_segment(path));
  }
}

bool wants_octets(std::string_view accept) { return accept.find("application/octet-stream") != std::string_view::npos; }

}  // namespace

std::string_view to_string(ResourceClass cls) {
  switch (cls) {
    case ResourceClass::Immutable: return "immutable";
    case ResourceClass::Volatile: return "volatile";
    case ResourceClass::Default: return "default";
    case ResourceClass::PerUser: return "per-user";
    case ResourceClass::NeverStore: return "never-store";
    case ResourceClass::Search: return "search";
    case ResourceClass::Download: return "download";
    case ResourceClass::GraphQl: return "graphql";
  }
  return "";
}

std::string_view to_string(Share share) {
  switch (share) {
    case Share::Never: return "never";
    case Share::Node: return "node";
    case Share::Repository: return "repository";
    case Share::Public: return "public";
  }
  return "";
}

Resource classify(std::string_view method, std::string_view path, std::string_view accept) {
  Resource out;
  out.family = "other";
  if (path.starts_with('/')) path.remove_prefix(1);
  out.rest = path;
  split_repository(path, out);
  if (const ResourceRow* row = find_row(out.of_repository(), out.rest)) {
    out.cls = row->cls;
    out.share = row->share;
    out.shape = row->shape;
    out.family = row->pattern.empty() ? (out.of_repository() ? "repository" : "root") : row->pattern;
    out.known = true;
  }
  if (method != "GET" && method != "HEAD") {
    out.cls = ResourceClass::NeverStore;
    out.share = Share::Never;
  } else if (wants_octets(accept)) {
    out.cls = ResourceClass::Download;
    out.share = Share::Never;
  }
  return out;
}

bool may_prove_across_tokens(const Resource& resource) {
  if (!resource.known || resource.share == Share::Never) return false;
  return resource.cls == ResourceClass::Immutable || resource.cls == ResourceClass::Volatile ||
         resource.cls == ResourceClass::Default;
}

bool attempt_is_finished(std::string_view body) {
  if (body.size() > kLimits.max_scan) return false;
  const simdjson::padded_string padded(body);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::uint64_t total = 0;
  simdjson::dom::array jobs;
  if (parser.parse(padded).get(root) || root["total_count"].get(total) || root["jobs"].get(jobs)) return false;
  // A page of many must not freeze: the others may still run.
  if (total == 0 || jobs.size() != total) return false;
  for (const simdjson::dom::element job : jobs) {
    std::string_view status;
    if (job["status"].get(status) || status != "completed") return false;
  }
  return true;
}

std::optional<RepositoryIdentity> repository_identity(std::string_view body) {
  if (body.size() > kLimits.max_scan) return std::nullopt;
  const simdjson::padded_string padded(body);
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::uint64_t id = 0;
  std::string_view full_name;
  if (parser.parse(padded).get(root) || root["id"].get(id) || root["full_name"].get(full_name)) return std::nullopt;
  if (full_name.find('/') == std::string_view::npos) return std::nullopt;
  RepositoryIdentity out{std::to_string(id), std::string(full_name), true};
  bool is_private = true;
  std::string_view visibility = "public";
  if (!root["private"].get(is_private)) out.is_private = is_private;
  // "internal" repositories answer private: true; were they not to, they still are no public ones.
  if (!root["visibility"].get(visibility) && visibility != "public") out.is_private = true;
  return out;
}

void RepositoryNames::learn(std::string_view id, std::string_view full_name, TimePoint now) {
  if (!is_digits(id) || full_name.find('/') == std::string_view::npos) return;
  const std::string name = http::to_lower(full_name);
  if (const auto old = id_of_.find(name); old != id_of_.end() && old->second != id) by_id_.erase(old->second);
  const std::string key(id);
  if (const auto old = by_id_.find(key); old != by_id_.end()) {
    id_of_.erase(http::to_lower(old->second.full_name));
  } else if (by_id_.size() >= kLimits.max_repository_names) {
    make_room(now);
  }
  by_id_[key] = Known{std::string(full_name), now};
  id_of_[name] = key;
}

std::optional<std::string> RepositoryNames::fold(std::string_view path, TimePoint now) const {
  constexpr std::string_view kPrefix = "/repositories/";
  if (!path.starts_with(kPrefix)) return std::nullopt;
  const std::string_view id = first_segment(path.substr(kPrefix.size()));
  const auto known = by_id_.find(std::string(id));
  if (known == by_id_.end() || now - known->second.learnt > kLimits.repository_name_life) return std::nullopt;
  return "/repos/" + known->second.full_name + std::string(path.substr(kPrefix.size() + id.size()));
}

void RepositoryNames::make_room(TimePoint now) {
  for (auto it = by_id_.begin(); it != by_id_.end();) {
    if (now - it->second.learnt > kLimits.repository_name_life) {
      id_of_.erase(http::to_lower(it->second.full_name));
      it = by_id_.erase(it);
    } else {
      ++it;
    }
  }
  if (by_id_.size() < kLimits.max_repository_names) return;
  // All are young: any may go, a forgotten number only costs a second entry.
  id_of_.erase(http::to_lower(by_id_.begin()->second.full_name));
  by_id_.erase(by_id_.begin());
}

}  // namespace ghmesh::github
