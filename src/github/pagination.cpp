// SPDX-License-Identifier: Apache-2.0
#include "github/pagination.hpp"

#include <algorithm>
#include <charconv>

#include "github/canonical.hpp"
#include "github/limits.hpp"
#include "github/scanner.hpp"
#include "http/message/fields.hpp"

namespace ghmesh::github {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Reads *( OWS ";" OWS name [ "=" value ] ) and keeps the first rel. False if it is not that.
bool parse_parameters(std::string_view& rest, Link& link) {
  bool have_rel = false;
  const auto skip = [&] {
    while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  };
  for (skip(); rest.starts_with(';'); skip()) {
    rest.remove_prefix(1);
    skip();
    const std::size_t name_end = std::min(rest.find_first_of("=;, \t"), rest.size());
    const std::string_view name = rest.substr(0, name_end);
    rest.remove_prefix(name_end);
    skip();
    if (!rest.starts_with('=')) continue;
    rest.remove_prefix(1);
    skip();
    std::string_view value;
    if (rest.starts_with('"')) {
      const std::size_t end = rest.find('"', 1);
      if (end == std::string_view::npos) return false;
      value = rest.substr(1, end - 1);
      rest.remove_prefix(end + 1);
    } else {
      const std::size_t end = std::min(rest.find_first_of(";, \t"), rest.size());
      value = rest.substr(0, end);
      rest.remove_prefix(end);
    }
    if (!have_rel && http::iequals(name, "rel")) {
      link.rel = value;
      have_rel = true;
    }
  }
  return have_rel;
}

std::optional<std::size_t> parse_number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The query with page set to that number: replaced where it stands, else put at the end, as GitHub does.
std::string with_page(std::string_view query, std::size_t page) {
  std::string out;
  bool placed = false;
  const auto add = [&out](std::string_view pair) {
    if (!out.empty()) out += '&';
    out += pair;
  };
  while (!query.empty()) {
    const std::size_t stop = query.find('&');
    const std::string_view pair = query.substr(0, stop);
    if (pair.substr(0, pair.find('=')) == "page") {
      if (!placed) add("page=" + std::to_string(page));
      placed = true;
    } else {
      add(pair);
    }
    if (stop == std::string_view::npos) break;
    query.remove_prefix(stop + 1);
  }
  if (!placed) add("page=" + std::to_string(page));
  return out;
}

// Lists whose Link carries a cursor or an id to go on from; "page" means nothing to them.
bool goes_by_cursor(std::string_view family) {
  static constexpr std::string_view kFamilies[] = {
      "activity",     "advisories",          "users",           "organizations",
      "repositories", "security-advisories", "attestations/{}", "users/{}/attestations/{}"};
  if (family.find("projectsV2") != std::string_view::npos || family.ends_with("/deliveries") ||
      family.ends_with("/alerts"))
    return true;
  return std::find(std::begin(kFamilies), std::end(kFamilies), family) != std::end(kFamilies);
}

}  // namespace

std::vector<Link> parse_links(std::string_view value) {
  std::vector<Link> out;
  std::string_view rest = value;
  while (!rest.empty() && out.size() < kLimits.max_links) {
    const std::size_t open = rest.find_first_not_of(" \t,");
    if (open == std::string_view::npos) break;
    rest.remove_prefix(open);
    const std::size_t close = rest.find('>');
    if (rest.front() != '<' || close == std::string_view::npos) break;
    Link link{rest.substr(1, close - 1), {}};
    rest.remove_prefix(close + 1);
    const bool good = parse_parameters(rest, link);
    if (!rest.empty() && rest.front() != ',') break;
    if (good) out.push_back(link);
  }
  return out;
}

std::optional<std::string_view> find_link(std::string_view value, std::string_view rel) {
  for (const Link& link : parse_links(value))
    if (http::iequals(link.rel, rel)) return link.uri;
  return std::nullopt;
}

std::string format_links(const std::vector<NewLink>& links) {
  std::string out;
  for (const NewLink& link : links) {
    if (!out.empty()) out += ", ";
    out += "<" + link.uri + ">; rel=\"" + link.rel + "\"";
  }
  return out;
}

std::string rewrite_url(std::string_view url, std::string_view origin, std::string_view base) {
  const std::string_view after = url.size() >= origin.size() ? url.substr(origin.size()) : std::string_view();
  // "https://api.github.com.evil.example" does not begin with that origin.
  const bool inside = http::iequals(url.substr(0, origin.size()), origin) &&
                      (after.empty() || after.front() == '/' || after.front() == '?');
  return inside ? std::string(base) + std::string(after) : std::string(url);
}

std::string rewrite_links(std::string_view value, std::string_view origin, std::string_view base) {
  // Only what stands between the brackets changes: parameters stay as they are, known or not.
  std::string out;
  while (!value.empty()) {
    const std::size_t open = value.find('<');
    const std::size_t close = open == std::string_view::npos ? open : value.find('>', open);
    if (close == std::string_view::npos) break;
    out += value.substr(0, open + 1);
    out += rewrite_url(value.substr(open + 1, close - open - 1), origin, base);
    value.remove_prefix(close);
  }
  return out += value;
}

std::optional<std::size_t> array_length(ByteView body) {
  // Cheap for the many bodies that are objects.
  const std::string_view text = as_text(body);
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] != '[') return std::nullopt;
  const auto shape = json_shape(body);
  return shape ? shape->array_length : std::nullopt;
}

PageOf page_of(const Resource& resource, std::string_view query) {
  PageOf out;
  out.by_cursor = goes_by_cursor(resource.family);
  if (const auto per_page = query_parameter(query, "per_page"))
    out.per_page = std::clamp<std::size_t>(parse_number(*per_page).value_or(kDefaultPerPage), 1, kMaxPerPage);
  if (const auto page = query_parameter(query, "page"))
    out.page = std::max<std::size_t>(parse_number(*page).value_or(1), 1);
  for (const std::string_view name : {"after", "before", "cursor"})
    if (query_parameter(query, name)) out.by_cursor = true;
  return out;
}

bool need_next_page_probe(const Resource& resource, std::string_view query, std::optional<std::size_t> length,
                          bool link_on_304) {
  if (link_on_304 || resource.shape == Shape::Array || !length || *length == 0) return false;
  const PageOf page = page_of(resource, query);
  return page.by_cursor || *length >= page.per_page;
}

std::optional<std::string> next_page_target(const Resource& resource, const Target& target) {
  const PageOf page = page_of(resource, target.query);
  if (page.by_cursor || page.page >= 1u << 20) return std::nullopt;
  return std::string(target.path) + "?" + with_page(target.query, page.page + 1);
}

bool may_guess_empty(const Resource& resource, std::string_view accept) {
  return resource.is_list() && may_prove_across_tokens(resource) && accepts_plain_json(accept);
}

std::string rebuild_links(std::string_view url_prefix, const Target& target, std::size_t page, NextPage next,
                          std::optional<std::size_t> proved_last) {
  const auto url = [&](std::size_t number) {
    return std::string(url_prefix) + std::string(target.path) + "?" + with_page(target.query, number);
  };
  std::vector<NewLink> links;
  if (page > 1) links.push_back({url(page - 1), "prev"});
  if (next == NextPage::Exists) links.push_back({url(page + 1), "next"});
  if (next == NextPage::Exists && proved_last && *proved_last > page) links.push_back({url(*proved_last), "last"});
  if (page > 1) links.push_back({url(1), "first"});
  return format_links(links);
}

}  // namespace ghmesh::github
