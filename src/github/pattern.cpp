// SPDX-License-Identifier: Apache-2.0
#include "github/pattern.hpp"

#include <algorithm>

namespace ghmesh::github {
namespace {

bool is_placeholder(std::string_view segment) { return segment.size() >= 2 && segment.front() == '{'; }
bool is_variadic(std::string_view segment) { return segment.size() > 5 && segment.ends_with("...}"); }

void record(Captures* captures, std::string_view value) {
  if (captures != nullptr && captures->count < captures->values.size()) captures->values[captures->count++] = value;
}

bool match_segment(std::string_view pattern, std::string_view segment, Captures* captures) {
  if (!is_placeholder(pattern)) return pattern == segment;
  if (segment.empty()) return false;
  if (pattern == "{sha}" && !is_full_sha(segment)) return false;
  if (pattern == "{n}" && !is_digits(segment)) return false;
  record(captures, segment);
  return true;
}

std::size_t segments(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '/')) + 1;
}

// The first n segments of text, without the slash behind them.
std::string_view take(std::string_view text, std::size_t n) {
  std::size_t end = 0;
  for (; n > 0 && end < text.size(); ++end)
    if (text[end] == '/' && --n == 0) break;
  return text.substr(0, end);
}

}  // namespace

bool is_full_sha(std::string_view text) {
  if (text.size() != 40 && text.size() != 64) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); });
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view first_segment(std::string_view path) { return path.substr(0, path.find('/')); }

std::string_view after_first_segment(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
}

bool match_path(std::string_view pattern, std::string_view path, Captures* captures) {
  if (captures != nullptr) captures->count = 0;
  if (pattern.empty() || path.empty()) return pattern.empty() && path.empty();
  for (bool more = true; more;) {
    const std::string_view piece = first_segment(pattern);
    const bool last_piece = piece.size() == pattern.size();
    const std::string_view rest_pattern = after_first_segment(pattern);
    if (is_variadic(piece)) {
      // It takes all segments but as many as the pattern has left.
      const std::size_t have = segments(path);
      const std::size_t keep = last_piece ? 0 : segments(rest_pattern);
      if (have <= keep) return false;
      const std::string_view taken = take(path, have - keep);
      if (taken.empty()) return false;
      record(captures, taken);
      if (last_piece) return true;
      path.remove_prefix(taken.size() + 1);
    } else {
      const std::string_view segment = first_segment(path);
      if (!match_segment(piece, segment, captures)) return false;
      const bool last_segment = segment.size() == path.size();
      if (last_piece || last_segment) return last_piece && last_segment;
      path.remove_prefix(segment.size() + 1);
    }
    pattern = rest_pattern;
  }
  return false;
}

}  // namespace ghmesh::github
