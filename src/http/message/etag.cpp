// SPDX-License-Identifier: Apache-2.0
#include "http/message/etag.hpp"

#include <algorithm>

#include "http/message/fields.hpp"

namespace ghmesh::http {
namespace {

// etagc = %x21 / %x23-7E / obs-text
bool is_etag_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x21 || (byte >= 0x23 && byte <= 0x7e) || byte >= 0x80;
}

// Reads one tag at the front of text and moves text behind it; nothing moves if there is none.
std::optional<EntityTag> take_etag(std::string_view& text) {
  std::string_view rest = text;
  EntityTag tag;
  if (rest.starts_with("W/")) {
    tag.weak = true;
    rest.remove_prefix(2);
  }
  if (!rest.starts_with('"')) return std::nullopt;
  std::size_t stop = 1;
  while (stop < rest.size() && is_etag_char(rest[stop])) ++stop;
  if (stop == rest.size() || rest[stop] != '"') return std::nullopt;
  tag.opaque = rest.substr(0, stop + 1);
  text = rest.substr(stop + 1);
  return tag;
}

// Entity tags have no escapes, so a list is not split as quoted strings are: "a\" is a tag.
void skip_member(std::string_view& text) { text.remove_prefix(std::min(text.find(','), text.size())); }

}  // namespace

std::string EntityTag::to_string() const { return (weak ? "W/" : "") + std::string(opaque); }

std::optional<EntityTag> parse_etag(std::string_view text) {
  text = trim(text);
  const std::optional<EntityTag> tag = take_etag(text);
  return text.empty() ? tag : std::nullopt;
}

bool strong_match(const EntityTag& a, const EntityTag& b) { return !a.weak && !b.weak && a.opaque == b.opaque; }

bool weak_match(const EntityTag& a, const EntityTag& b) { return a.opaque == b.opaque; }

bool EntityTagList::weak_contains(const EntityTag& tag) const {
  return std::any_of(tags.begin(), tags.end(), [&](const EntityTag& mine) { return weak_match(mine, tag); });
}

bool EntityTagList::strong_contains(const EntityTag& tag) const {
  return std::any_of(tags.begin(), tags.end(), [&](const EntityTag& mine) { return strong_match(mine, tag); });
}

EntityTagList parse_etag_list(std::string_view text) {
  EntityTagList list;
  if (trim(text) == "*") {
    list.any = true;
    return list;
  }
  while (true) {
    text = trim(text);
    if (text.empty()) return list;
    if (text.front() == ',') {
      text.remove_prefix(1);
      continue;
    }
    std::string_view rest = text;
    const std::optional<EntityTag> tag = take_etag(rest);
    const std::string_view behind = trim(rest);
    if (tag && (behind.empty() || behind.front() == ',')) {
      list.tags.push_back(*tag);
      text = behind;
    } else {
      skip_member(text);
    }
  }
}

std::string weaken_etag(std::string_view text) {
  const std::optional<EntityTag> tag = parse_etag(text);
  if (!tag) return std::string(text);
  return EntityTag{true, tag->opaque}.to_string();
}

}  // namespace ghmesh::http
