// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Entity tags (RFC 9110 §8.8.3) and the lists that conditional requests carry (§13.1). Views borrow from the field
// value they were parsed from. Only the grammar's spelling is a tag: quoted, "W/" in upper case, no quote, space or
// control inside; anything else is no tag and matches nothing.

namespace ghmesh::http {

struct EntityTag {
  bool weak = false;
  std::string_view opaque;  // with its quotes: "abc"

  std::string to_string() const;
};

// A whole field value, optional white space around it allowed.
std::optional<EntityTag> parse_etag(std::string_view text);

// §8.8.3.2. Strong: both strong and equal. Weak: equal but for the flag.
bool strong_match(const EntityTag& a, const EntityTag& b);
bool weak_match(const EntityTag& a, const EntityTag& b);

// If-Match, If-None-Match: "*" or a list. Members that are no tags are left out.
struct EntityTagList {
  bool any = false;
  std::vector<EntityTag> tags;

  bool empty() const { return !any && tags.empty(); }
  bool weak_contains(const EntityTag& tag) const;
  bool strong_contains(const EntityTag& tag) const;
};

// Takes the joined value of all lines. A tag may hold commas.
EntityTagList parse_etag_list(std::string_view text);

// The tag of the same representation under another content coding that this node applied: bytes differ, meaning does
// not, so it is weak (§8.8.1). Not a tag: returned as it came.
std::string weaken_etag(std::string_view text);

}  // namespace ghmesh::http
