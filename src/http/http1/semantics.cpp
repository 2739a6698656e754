// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "grammar.hpp"
#include "http/http1/head.hpp"

namespace ghmesh::http::http1 {
namespace {

// Fields whose removal on the way changes what a request asks for, on whose behalf, or how long it is.
constexpr std::array<std::string_view, 30> kEssential{"accept",
                                                      "accept-charset",
                                                      "accept-encoding",
                                                      "accept-language",
                                                      "age",
                                                      "authorization",
                                                      "cache-control",
                                                      "content-encoding",
                                                      "content-length",
                                                      "content-range",
                                                      "content-type",
                                                      "cookie",
                                                      "date",
                                                      "etag",
                                                      "expect",
                                                      "expires",
                                                      "host",
                                                      "if-match",
                                                      "if-modified-since",
                                                      "if-none-match",
                                                      "if-range",
                                                      "if-unmodified-since",
                                                      "origin",
                                                      "pragma",
                                                      "range",
                                                      "referer",
                                                      "set-cookie",
                                                      "transfer-encoding",
                                                      "user-agent",
                                                      "vary"};

// HTAB is legal white space around a value, but http-parser takes "chunked<HTAB>" for an unknown coding and nobody
// sends it in good faith: beside a framing field it is refused.
bool has_tab(const Field& field, const char* line_end) {
  const char* const start = field.name.data() + field.name.size();
  return std::memchr(start, '\t', static_cast<std::size_t>(line_end - start)) != nullptr;
}

}  // namespace

bool is_essential_field(std::string_view name) {
  for (const std::string_view essential : kEssential)
    if (iequals(name, essential)) return true;
  // GitHub's own request fields choose the representation or the rules that apply.
  return name.size() > 5 && (iequals(name.substr(0, 5), "x-git") || iequals(name.substr(0, 5), "x-gh-"));
}

namespace detail {

// Tells the few fields that matter here by length first: most fields leave after one comparison of integers.
void Semantics::note(const Field& field, const char* line_end) {
  switch (field.name.size()) {
    case 4:
      if (!iequals(field.name, "host")) return;
      ++hosts;
      host = field.value;
      return;
    case 6:
      if (!iequals(field.name, "expect")) return;
      if (iequals(field.value, "100-continue"))
        expect_continue = true;
      else
        bad_expect = true;
      return;
    case 7:
      if (iequals(field.name, "upgrade")) upgrade = field.value;
      return;
    case 10:
      if ((field.name[0] | 0x20) == 'c' && iequals(field.name, "connection")) note_connection(field.value);
      return;
    case 14:
      if (!iequals(field.name, "content-length")) return;
      note_length(field.value);
      if (has_tab(field, line_end)) bad_length = true;
      return;
    case 17:
      if (!iequals(field.name, "transfer-encoding")) return;
      note_coding(field.value);
      if (has_tab(field, line_end)) bad_coding = true;
      return;
    default: return;
  }
}

void Semantics::note_length(std::string_view value) {
  // A list is what an intermediary makes of repeated lines; its members count as lines (RFC 9110 §8.6).
  while (true) {
    const std::size_t comma = value.find(',');
    const auto parsed = parse_length(trim(value.substr(0, comma)));
    if (!parsed || (lengths > 0 && *parsed != length)) bad_length = true;
    length = parsed.value_or(0);
    ++lengths;
    if (comma == std::string_view::npos) return;
    value.remove_prefix(comma + 1);
  }
}

void Semantics::note_coding(std::string_view value) {
  bool any = false;
  for_each_member(value, [&](std::string_view member) {
    any = true;
    if (chunked) bad_coding = true;  // something after chunked, or chunked again
    if (iequals(member, "chunked")) chunked = true;
    ++codings;
  });
  // An empty member is nothing to the list grammar but a difference between parsers.
  if (!any || value.front() == ',' || value.back() == ',') bad_coding = true;
}

void Semantics::note_connection(std::string_view value) {
  if (iequals(value, "keep-alive")) {
    keep_alive = true;
    return;
  }
  for_each_member(value, [&](std::string_view member) {
    if (iequals(member, "close"))
      close = true;
    else if (iequals(member, "keep-alive"))
      keep_alive = true;
    else if (iequals(member, "upgrade"))
      names_upgrade = true;
    else if (is_essential_field(member))
      names_essential = true;
  });
}

ParseState HeadScanner::scan(std::string_view buffer, const HeadLimits& limits, HeadError& error) {
  active_ = true;
  while (true) {
    const void* found =
        scanned_ < buffer.size() ? std::memchr(buffer.data() + scanned_, '\n', buffer.size() - scanned_) : nullptr;
    const std::size_t line_end =
        found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - buffer.data()) : buffer.size();
    if (line_end - line_start_ > limits.line_bytes) {
      error = {start_line_seen_ ? 431 : 414, start_line_seen_ ? "field line too long" : "request line too long"};
      return ParseState::Error;
    }
    if (line_end >= limits.head_bytes) {
      error = {431, "head too large"};
      return ParseState::Error;
    }
    if (found == nullptr) {
      scanned_ = buffer.size();
      return ParseState::NeedMore;
    }
    if (line_end == line_start_ || buffer[line_end - 1] != '\r') {
      error = {400, "LF without CR"};
      return ParseState::Error;
    }
    const bool empty = line_end - line_start_ == 1;
    scanned_ = line_start_ = line_end + 1;
    if (empty && start_line_seen_) return ParseState::Done;
    if (!empty) start_line_seen_ = true;
  }
}

}  // namespace detail
}  // namespace ghmesh::http::http1
