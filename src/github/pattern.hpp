// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

// Path patterns of the tables in this room, written as one reads a path: segments without a leading slash,
//   {}        one segment
//   {n}       one segment of decimal digits
//   {sha}     a full object name: 40 or 64 lower- or upper-case hexadecimal digits, never an abbreviation
//   {ref...}  one segment or more (a branch name, a file path); at most one such piece in a pattern, under any name
// Pure functions; the views returned point into the path.

namespace ghmesh::github {

// What the placeholders matched, in order. More than four are not recorded.
struct Captures {
  std::array<std::string_view, 4> values{};
  std::size_t count = 0;

  std::string_view operator[](std::size_t i) const { return i < count ? values[i] : std::string_view(); }
};

bool is_full_sha(std::string_view text);
bool is_digits(std::string_view text);

// path has no leading slash. An empty pattern matches the empty path only. captures may be null.
bool match_path(std::string_view pattern, std::string_view path, Captures* captures = nullptr);

// The text up to the first slash, and what follows it; the second part is empty if there is none.
std::string_view first_segment(std::string_view path);
std::string_view after_first_segment(std::string_view path);

}  // namespace ghmesh::github
