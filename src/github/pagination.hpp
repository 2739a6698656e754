// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "github/resource.hpp"
#include "github/target.hpp"

// Pages of lists. GitHub says in Link (RFC 8288) which page comes next and which is the last, and Link is outside the
// tag: a proved page says nothing about its successor (proof.md rules 9 and 10). Here are the field itself, the
// question whether a proof needs a second one, and what that one looks like. Pure functions.

namespace ghmesh::github {

struct Link {
  std::string_view uri;
  std::string_view rel;  // the first rel parameter, as written, without quotes
};

// A field value's links, in order; members that do not follow the grammar are left out, and so is everything beyond
// Limits::max_links. A target may hold commas. Views point into value.
std::vector<Link> parse_links(std::string_view value);
std::optional<std::string_view> find_link(std::string_view value, std::string_view rel);

struct NewLink {
  std::string uri;
  std::string rel;
};
// <uri>; rel="next", <uri>; rel="last". As GitHub writes it.
std::string format_links(const std::vector<NewLink>& links);

// For a client that speaks to the node by its address and asked for it (--rewrite-links): targets at origin
// ("https://api.github.com") get base ("http://127.0.0.1:8418") instead; other targets stay.
std::string rewrite_links(std::string_view value, std::string_view origin, std::string_view base);
// The same of a single URL (Location).
std::string rewrite_url(std::string_view url, std::string_view origin, std::string_view base);

// Number of members if the body is a JSON array; nothing for anything else.
std::optional<std::size_t> array_length(ByteView body);

inline constexpr std::size_t kDefaultPerPage = 30;
inline constexpr std::size_t kMaxPerPage = 100;

// What one target asks for. Lists that go by cursors (their query says so, or their table does) have no next number.
struct PageOf {
  std::size_t per_page = kDefaultPerPage;
  std::size_t page = 1;
  bool by_cursor = false;
};
PageOf page_of(const Resource& resource, std::string_view query);

// Rule 9: whether a body that a 304 has just proved may have got a successor unseen: an array, at least per_page long
// (or with members at all when the list goes by cursors), and no Link in the 304 or none stored that could be trusted.
// length: array_length of the body.
bool need_next_page_probe(const Resource& resource, std::string_view query, std::optional<std::size_t> length,
                          bool link_on_304);

// The target of the page after this one: the same query with page=N+1. Nothing if the list goes by cursors: then the
// page is fetched again without a validator.
std::optional<std::string> next_page_target(const Resource& resource, const Target& target);

// The body whose tag is guessed for a list nobody has asked for yet (rule 10) and for a page after the last (rule 9).
inline constexpr std::string_view kEmptyList = "[]";
bool may_guess_empty(const Resource& resource, std::string_view accept);

enum class NextPage : std::uint8_t { None, Exists };

// Link of a proved page, rebuilt from what the probe told: prev and first from the number, next if there is one. last
// is given only when proved_last names the page that was itself proved to have no successor; else it is dropped, since
// nobody vouches for it. url_prefix is scheme and authority; path and query are those of the client's target.
std::string rebuild_links(std::string_view url_prefix, const Target& target, std::size_t page, NextPage next,
                          std::optional<std::size_t> proved_last = {});

}  // namespace ghmesh::github
