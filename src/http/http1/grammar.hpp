// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "http/message/fields.hpp"

// Inside http1 only: the octet classes of RFC 9110 §5.6 as tables, and reading one field line.

namespace ghmesh::http::http1 {

enum OctetClass : std::uint8_t {
  kTokenOctet = 1,   // RFC 9110 §5.6.2
  kValueOctet = 2,   // field-content: HTAB, SP, VCHAR, obs-text
  kTargetOctet = 4,  // visible ASCII but '#': a request target has no fragment
  kDigitOctet = 8,
};

constexpr std::array<std::uint8_t, 256> make_octet_table() {
  std::array<std::uint8_t, 256> table{};
  for (int c = 0; c < 256; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool mark =
        c != 0 && std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    std::uint8_t bits = 0;
    if (digit || alpha || mark) bits |= kTokenOctet;
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) bits |= kValueOctet;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTargetOctet;
    if (digit) bits |= kDigitOctet;
    table[static_cast<std::size_t>(c)] = bits;
  }
  return table;
}
inline constexpr std::array<std::uint8_t, 256> kOctets = make_octet_table();

inline bool is_octet(char c, OctetClass wanted) { return (kOctets[static_cast<unsigned char>(c)] & wanted) != 0; }

// The first octet in [at, end) that may not stand in a field value, or end. Eight at a time: values are most of a head.
inline const char* skip_value_octets(const char* at, const char* end) {
  constexpr std::uint64_t kOnes = 0x0101010101010101u;
  constexpr std::uint64_t kHighs = 0x8080808080808080u;
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word & kHighs;
    const std::uint64_t deletes = word ^ (kOnes * 0x7f);
    const std::uint64_t is_delete = (deletes - kOnes) & ~deletes & kHighs;
    if ((below_space | is_delete) != 0) {  // a control, or a HTAB that is allowed: look closely
      for (int i = 0; i < 8; ++i)
        if (!is_octet(at[i], kValueOctet)) return at + i;
    }
    at += 8;
  }
  while (at != end && is_octet(*at, kValueOctet)) ++at;
  return at;
}

inline bool all_octets(std::string_view text, OctetClass wanted) {
  for (const char c : text)
    if (!is_octet(c, wanted)) return false;
  return true;
}

// Whether text, as far as it goes, follows a pattern in which 'd' stands for a digit and every other octet for itself.
inline bool follows(std::string_view text, std::string_view pattern) {
  for (std::size_t i = 0; i < text.size() && i < pattern.size(); ++i)
    if (pattern[i] == 'd' ? !is_octet(text[i], kDigitOctet) : text[i] != pattern[i]) return false;
  return true;
}

enum class LineState { Field, End, NeedMore, Bad };

// Reads one field line, or the empty line that ends a section, from at. Moves at behind it on Field and End; what says
// why on Bad. One pass: the end of the value and the end of the line are the same search.
inline LineState read_field_line(const char*& at, const char* end, Field& field, const char*& what) {
  const auto bad = [&](const char* why) {
    what = why;
    return LineState::Bad;
  };
  const char* p = at;
  while (p != end && is_octet(*p, kTokenOctet)) ++p;
  if (p == end) return LineState::NeedMore;
  if (p == at) {
    if (*p == '\r') {
      if (p + 1 == end) return LineState::NeedMore;
      if (p[1] != '\n') return bad("CR without LF");
      at = p + 2;
      return LineState::End;
    }
    if (*p == '\n') return bad("LF without CR");
    return bad(*p == ' ' || *p == '\t' ? "folded field line" : "bad field name");
  }
  if (*p != ':') return bad(*p == ' ' || *p == '\t' ? "white space before ':'" : "bad field name");
  field.name = {at, static_cast<std::size_t>(p - at)};
  ++p;
  const char* stop = skip_value_octets(p, end);
  if (stop == end) return LineState::NeedMore;
  if (*stop != '\r') return bad(*stop == '\n' ? "LF without CR" : "control character in a field value");
  if (stop + 1 == end) return LineState::NeedMore;
  if (stop[1] != '\n') return bad("CR without LF");
  at = stop + 2;
  while (p != stop && (*p == ' ' || *p == '\t')) ++p;
  while (stop != p && (stop[-1] == ' ' || stop[-1] == '\t')) --stop;
  field.value = {p, static_cast<std::size_t>(stop - p)};
  return LineState::Field;
}

// 1*DIGIT below 2^63; no sign, no space, no list.
inline std::optional<std::uint64_t> parse_length(std::string_view text) {
  if (text.empty() || text.size() > 19 || !all_octets(text, kDigitOctet)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  if (value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return value;
}

}  // namespace ghmesh::http::http1
