// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "exchange.hpp"
#include "standin/coding.hpp"

namespace ghmesh::standin {
namespace {

constexpr std::uint64_t kDefaultPerPage = 30;
constexpr std::uint64_t kMostPerPage = 100;

// A media parameter of the Accept value that this document has a form for, or "".
std::string media_parameter(const Document& document, std::string_view accept) {
  for (const auto& [name, text] : document.variants) {
    if (name.starts_with("20")) continue;  // an API version
    if (accept.find("." + name) != std::string_view::npos) return name;
  }
  return {};
}

bool acceptable(std::string_view accept) {
  if (http::trim(accept).empty()) return true;
  bool fits = false;
  http::for_each_member(accept, [&](std::string_view member) {
    const std::string_view type = http::trim(member.substr(0, member.find(';')));
    for (const std::string_view known :
         {"*/*", "application/*", "application/json", "application/octet-stream", "text/html"})
      fits = fits || type == known;
    fits = fits || type.starts_with("application/vnd.github");
  });
  return fits;
}

std::uint64_t positive(const std::string& text, std::uint64_t otherwise) {
  const std::uint64_t n = std::strtoull(text.c_str(), nullptr, 10);
  return n == 0 ? otherwise : n;
}

// What GitHub assumes where the client says nothing.
bool open_by_default(std::string_view path) {
  return path.ends_with("/issues") || path.ends_with("/pulls") || path.ends_with("/milestones");
}

bool passes(const Item& item, const Query& filters) {
  for (const auto& [name, wanted] : filters) {
    const auto value_of = [&](std::string_view facet) {
      const auto found = item.facets.find(facet);
      return found == item.facets.end() ? std::string_view() : std::string_view(found->second);
    };
    if (name == "status") {
      if (value_of("status") != wanted && value_of("conclusion") != wanted) return false;
    } else if (name == "labels") {
      if (value_of("labels").find("," + wanted + ",") == std::string_view::npos) return false;
    } else if (value_of(name == "branch" ? "head_branch" : std::string_view(name)) != wanted) {
      return false;
    }
  }
  return true;
}

}  // namespace

Answer Exchange::read() {
  if (path_ == "/user") return read_viewer();
  if (path_.starts_with("/search/")) return read_search();
  Document* document = m_.world.find(path_);
  if (document == nullptr && path_.size() > 1 && path_.ends_with('/'))
    document = m_.world.find(path_.substr(0, path_.size() - 1));
  if (document == nullptr) return not_found();
  if (document->needs_token && token_ == nullptr) {
    Answer a = error(401, "Requires authentication");
    a.denied = true;
    return a;
  }
  const std::string accept = request_.fields.joined("Accept");
  if (!acceptable(accept))
    return error(415, "Unsupported 'Accept' header: '" + accept + "'. Must accept 'application/json'.");
  if (document->pending > 0) {
    --document->pending;
    Answer a;
    a.status = 202;
    a.body = "{}";
    return a;
  }
  // An asset is described as JSON and only delivered to who asks for octets; archives and logs have no description.
  const bool octets = accept.find("octet-stream") != std::string::npos;
  if (!document->redirect.empty() && (octets || document->body.empty())) {
    Answer a;
    a.status = 302;
    a.no_cache = true;
    const auto expiry = std::chrono::system_clock::to_time_t(now_ + m_.settings.signed_url_lifetime);
    a.location = m_.settings.storage_base + "/_blobs/" + percent_encode(document->redirect) +
                 "?se=" + std::to_string(expiry) + "&sig=" + fake_sha(document->redirect + std::to_string(expiry));
    return a;
  }
  if (!document->is_list) return read_form(*document);
  return read_list(*document);
}

Answer Exchange::read_form(const Document& document) {
  Answer a;
  a.body = document.body;
  a.type = document.type;
  a.modified = document.modified;
  a.tagged = document.tagged && a.type.starts_with("application/json");
  a.blob_tagged = document.tagged && !a.tagged;
  a.silent_cache = !document.tagged;
  const std::string parameter = media_parameter(document, request_.fields.joined("Accept"));
  if (!parameter.empty()) {
    a.body = document.variants.find(parameter)->second;
    a.type = "application/vnd.github." + parameter + "; charset=utf-8";
    a.media = "github.v3; param=" + parameter;
    a.tagged = false;
    a.blob_tagged = document.tagged;
    return a;
  }
  const auto version = document.variants.find(request_.fields.first("X-GitHub-Api-Version").value_or(""));
  if (version != document.variants.end()) a.body = version->second;
  return a;
}

std::string Exchange::link_of(std::uint64_t page, std::uint64_t per_page, std::uint64_t pages) const {
  // GitHub names repositories by number in its links, whatever name was asked for.
  std::string base = m_.settings.api_base;
  if (repository_ != nullptr)
    base += "/repositories/" + std::to_string(repository_->id) +
            path_.substr(std::string("/repos/").size() + repository_->full_name.size());
  else
    base += raw_path_;
  std::string query;
  for (const auto& [name, value] : query_)
    if (name != "page") query += percent_encode(name) + "=" + percent_encode(value) + "&";
  static_cast<void>(per_page);
  std::string out;
  const auto add = [&](std::uint64_t number, std::string_view rel) {
    if (!out.empty()) out += ", ";
    out += "<" + base + "?" + query + "page=" + std::to_string(number) + ">; rel=\"" + std::string(rel) + "\"";
  };
  if (page > 1) add(page - 1, "prev");
  if (page < pages) add(page + 1, "next");
  if (page < pages) add(pages, "last");
  if (page > 1) add(1, "first");
  return out;
}

Answer Exchange::read_list(const Document& list) {
  const std::uint64_t per_page = std::min(positive(query_value("per_page"), kDefaultPerPage), kMostPerPage);
  const std::uint64_t page = positive(query_value("page"), 1);
  Query filters;
  for (const auto& [name, value] : query_)
    for (const std::string_view known :
         {"state", "status", "branch", "event", "head_sha", "environment", "head", "base", "labels"})
      if (name == known && value != "all" && !value.empty()) filters.emplace_back(name, value);
  if (open_by_default(path_) && query_value("state").empty()) filters.emplace_back("state", "open");

  std::vector<const Item*> chosen;
  for (const Item& item : list.items)
    if (filters.empty() || (filters.size() == 1 && filters[0].second == "open" && !item.facets.contains("state")) ||
        passes(item, filters))
      chosen.push_back(&item);
  const std::uint64_t pages = std::max<std::uint64_t>(1, (chosen.size() + per_page - 1) / per_page);
  Answer a;
  a.type = list.type;
  a.modified = list.modified;
  a.tagged = list.tagged;
  a.silent_cache = !list.tagged;
  if (page == 1 && chosen.size() == list.items.size() && chosen.size() <= per_page) {
    a.body = list.body;
    return a;
  }
  const std::size_t from = std::min<std::size_t>(chosen.size(), (page - 1) * per_page);
  const std::size_t to = std::min<std::size_t>(chosen.size(), from + per_page);
  a.body = World::compose(
      list.wrapper, chosen.size(),
      {chosen.begin() + static_cast<std::ptrdiff_t>(from), chosen.begin() + static_cast<std::ptrdiff_t>(to)});
  if (pages > 1) a.link = link_of(page, per_page, pages);
  return a;
}

Answer Exchange::read_search() {
  Answer a;
  a.no_cache = true;
  const std::string q = query_value("q");
  if (q.empty()) return error(422, "Validation Failed", "v3/search");
  if (const Document* recorded = m_.world.find(path_)) {
    a.body = recorded->body;
    return a;
  }
  // Whole words of the query, qualifiers aside, are looked for in issues that the caller may see.
  Json items = Json::array();
  const std::string word = q.substr(0, q.find_first_of(" +"));
  for (const auto& [path, document] : m_.world.documents()) {
    if (path_ != "/search/issues" || document.is_list || path.find("/issues/") == std::string::npos ||
        path.find("/comments") != std::string::npos)
      continue;
    const Json issue = parse_json(document.body);
    if (text_of(issue, "title").find(word) == std::string::npos) continue;
    const std::size_t owner_end = path.find('/', 7);
    const Repository* r = m_.world.repository(path.substr(7, path.find('/', owner_end + 1) - 7));
    if (r != nullptr && may_see(*r) && items.size() < kDefaultPerPage) items.push_back(issue);
  }
  a.body = to_compact(Json{{"total_count", items.size()}, {"incomplete_results", false}, {"items", items}});
  return a;
}

Answer Exchange::read_rate_limit() {
  Json resources;
  for (const char* name : {"core", "search", "graphql", "code_search"}) {
    const Budget& b = m_.quota.budget(bucket(), payer_, name, now_);
    resources[name] = Json{{"limit", b.limit},
                           {"used", b.used},
                           {"remaining", b.remaining()},
                           {"reset", std::chrono::system_clock::to_time_t(b.reset)}};
  }
  Answer a;
  a.no_cache = true;
  a.free = true;
  a.body = to_compact(Json{{"resources", resources}, {"rate", resources["core"]}});
  return a;
}

Answer Exchange::read_viewer() {
  if (token_ == nullptr) {
    Answer a = error(401, "Requires authentication");
    a.denied = true;
    return a;
  }
  if (token_->kind == TokenKind::Job) {
    Answer a = error(403, "Resource not accessible by integration");
    a.denied = true;
    return a;
  }
  Answer a;
  ShapeContext c = shape();
  Json viewer = user_shape(c, token_->login);
  viewer["id"] = token_->user_id;
  viewer["name"] = token_->login;
  a.body = to_compact(viewer);
  a.tagged = true;
  return a;
}

}  // namespace ghmesh::standin
