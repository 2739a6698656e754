// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Range of one part (RFC 9110 §14.2). Several parts, other units and malformed values are ignored, as §14.2 allows: the
// client then gets the whole.

namespace ghmesh::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // inclusive

  std::uint64_t length() const { return last - first + 1; }
};

enum class RangeOutcome { Ignore, Satisfiable, Unsatisfiable };

struct RangeRequest {
  RangeOutcome outcome = RangeOutcome::Ignore;
  ByteRange range;
};

// The value of Range against a representation of size bytes.
RangeRequest parse_range(std::string_view value, std::uint64_t size);

// "bytes 0-1/11"; "bytes */11" for nothing.
std::string format_content_range(std::optional<ByteRange> range, std::uint64_t size);

}  // namespace ghmesh::http
