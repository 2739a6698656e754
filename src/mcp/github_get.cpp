// SPDX-License-Identifier: Apache-2.0
#include "calls.hpp"
#include "github/pagination.hpp"
#include "http/message/url.hpp"

// The tool that reads GitHub through the cache, page by page if asked to.

namespace ghmesh::mcp {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

void append_encoded(std::string& out, std::string_view text, bool keep_slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c) || (keep_slashes && c == '/')) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '%';
    out += kDigits[octet >> 4];
    out += kDigits[octet & 15];
  }
}

std::string plain_text(const Json& value) { return value.is_string() ? value.get<std::string>() : dump(value); }

Error client_error(std::string what) { return {ErrorCode::Malformed, Fault::Client, Retry::No, std::move(what)}; }

// The list inside a wrapped page ({"total_count":…,"workflow_runs":[…]}), or null.
Json* list_in(Json& page) {
  if (page.is_array()) return &page;
  if (!page.is_object() || !page.contains("total_count")) return nullptr;
  Json* found = nullptr;
  for (auto& [name, member] : page.items()) {
    if (!member.is_array()) continue;
    if (found != nullptr) return nullptr;
    found = &member;
  }
  return found;
}

// How many pages there are, as Link's "last" says.
std::optional<double> last_page(std::string_view link) {
  const auto last = github::find_link(link, "last");
  if (!last) return std::nullopt;
  const std::size_t at = last->rfind("page=");
  if (at == std::string_view::npos || (at > 0 && (*last)[at - 1] != '?' && (*last)[at - 1] != '&')) return std::nullopt;
  double out = 0;
  for (const char c : last->substr(at + 5)) {
    if (c < '0' || c > '9' || out > 1e6) break;
    out = out * 10 + (c - '0');
  }
  return out > 0 ? std::optional(out) : std::nullopt;
}

}  // namespace

Result<std::string> expand_target(const std::string& path, const Json& parameters) {
  if (path.find("://") != std::string::npos)
    return std::unexpected(client_error("path is a path such as /repos/{owner}/{repo}, not a URL"));
  for (const char c : path)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#' || c == '\\')
      return std::unexpected(client_error("path has white space, a control character, '#' or '\\'"));
  std::string out = path.starts_with('/') ? "" : "/";
  std::set<std::string> used;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '}') return std::unexpected(client_error("path has a '}' without its '{'"));
    if (path[i] != '{') {
      out += path[i];
      continue;
    }
    const std::size_t end = path.find('}', i);
    if (end == std::string::npos) return std::unexpected(client_error("path has a '{' without its '}'"));
    const bool keep_slashes = path[i + 1] == '+';
    const std::string name = path.substr(i + (keep_slashes ? 2 : 1), end - i - (keep_slashes ? 2 : 1));
    const auto value = parameters.find(name);
    if (value == parameters.end()) return std::unexpected(client_error("parameters has no value for {" + name + "}"));
    const std::string text = plain_text(*value);
    if (text.empty() || text == "." || text == "..")
      return std::unexpected(client_error("the value for {" + name + "} cannot be a segment of a path"));
    append_encoded(out, text, keep_slashes);
    used.insert(name);
    i = end;
  }
  char separator = out.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, value] : parameters.items()) {
    if (used.contains(name)) continue;
    out += std::exchange(separator, '&');
    append_encoded(out, name, false);
    out += '=';
    append_encoded(out, plain_text(value), false);
  }
  return out;
}

std::optional<std::string> next_target(std::string_view link) {
  const auto next = github::find_link(link, "next");
  if (!next) return std::nullopt;
  if (next->starts_with('/')) return std::string(*next);
  const Result<http::Url> url = http::parse_url(*next);
  if (!url) return std::nullopt;
  return url->target;
}

io::Task<Result<Json>> github_get(const Shop& shop, Call& call, const Json& arguments) {
  Result<std::string> target =
      expand_target(arguments["path"].get<std::string>(), arguments.value("parameters", Json::object()));
  if (!target) co_return std::unexpected(target.error());
  const bool paginate = arguments.value("paginate", false);
  const int max_pages = paginate ? arguments.value("max_pages", 10) : 1;
  const std::string accept = arguments.value("accept", std::string("application/vnd.github+json"));

  Json out{{"status", 0}, {"path", *target}, {"pages", 0}, {"items", nullptr}, {"cache", Json::array()}};
  Json body;
  std::size_t bytes = 0;
  std::optional<std::string> next = *target;
  for (int page = 1; next && page <= max_pages; ++page) {
    Result<Fetched> got =
        co_await shop.backend.get(*next, call.authorization, accept, shop.limits.answer_bytes - bytes);
    if (!got && page > 1 && got.error().code == ErrorCode::Limit) break;  // what came so far is an answer, too
    if (!got) co_return std::unexpected(std::move(got.error()));
    bytes += got->body.size();
    out["status"] = got->status;
    out["cache"].push_back(got->cache_status);
    std::optional<Json> value = parse_json(got->body, shop.limits.json_depth);
    if (!value) value = got->body;
    Json* list = list_in(*value);
    if (page == 1 || got->status != 200) {
      body = std::move(*value);
    } else if (Json* all = list_in(body); all != nullptr && list != nullptr) {
      for (Json& item : *list) all->push_back(std::move(item));
    }
    out["pages"] = page;
    next = got->status == 200 ? next_target(got->link) : std::nullopt;
    if (const Json* all = list_in(body)) out["items"] = all->size();
    call.progress(page, last_page(got->link), "page " + std::to_string(page) + " of " + out["path"].get<std::string>());
    if (list == nullptr) break;
  }
  out["next"] = next ? Json(*next) : Json(nullptr);
  out["body"] = std::move(body);
  co_return out;
}

}  // namespace ghmesh::mcp
