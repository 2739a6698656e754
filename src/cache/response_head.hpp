// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cache/entry.hpp"
#include "cache/lookup.hpp"
#include "http/message/cache_status.hpp"

// Writes heads of answers made from an entry. The plain hit is two pieces: entry.head(), which lies ready, and a tail
// of some hundred bytes; with the body they go out in one writev.

namespace ghmesh::cache {

struct HitFields {
  Duration age{0};
  http::CacheStatus status;
  // Complete "Name: value\r\n" lines that stand for the entry's live ones; the entry's own where empty.
  std::string_view live = {};
  bool from_cache = false;  // X-From-Cache: 1
  bool close = false;       // Connection: close
  // The body goes out under a content coding that this node applies: its length is coded_size (nothing: chunked), the
  // tag becomes weak. The head is then not entry.head() but append_head's, or append_recoded_head's and the tail.
  std::string_view coding = {};
  // Without a coding: the length of another form of the same body, such as indented JSON.
  std::optional<std::uint64_t> coded_size = std::nullopt;
};

// What stands for entry.head() in every Full answer under that coding: a weak tag and Content-Encoding. Appends.
void append_recoded_head(std::string& out, const Entry& entry, std::string_view coding);

// Everything behind entry.head() (or append_recoded_head, with coded_size) up to and with the empty line, for a Full
// answer. Appends.
void append_tail(std::string& out, const Entry& entry, const HitFields& hit);

// The same in two pieces, without the empty line: what stays as long as entry and coding do, up to "Age: ", and what
// every answer gets anew. cache_status: hit.status as it is written, for those who have it ready.
void append_lasting(std::string& out, const Entry& entry, const HitFields& hit);
void append_passing(std::string& out, const Entry& entry, const HitFields& hit, std::string_view cache_status = {});

// A whole head for any form. Appends. For Partial and RangeNotSatisfiable the range is answer.range.
void append_head(std::string& out, const Entry& entry, const Answer& answer, const HitFields& hit);

}  // namespace ghmesh::cache
