// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

// Unsigned varints (multiformats/unsigned-varint): seven bits a byte, least significant first, the high bit says that
// more follow. At most nine bytes, and only the shortest form: 0x81 0x00 is not a one.

namespace ghmesh::multiformats {

enum class VarintStatus { Done, NeedMore, Malformed };

struct VarintRead {
  VarintStatus status = VarintStatus::NeedMore;
  std::uint64_t value = 0;
  std::size_t size = 0;  // bytes read, if Done
};

// Reads one from the front of what has arrived so far.
inline VarintRead read_varint(ByteView in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    value |= std::uint64_t{in[i] & 0x7fu} << (7 * i);
    if ((in[i] & 0x80) == 0) {
      if (in[i] == 0 && i > 0) return {VarintStatus::Malformed, 0, 0};
      return {VarintStatus::Done, value, i + 1};
    }
    if (i == 8) return {VarintStatus::Malformed, 0, 0};
  }
  return {};
}

// Takes one off the front of a complete message; in moves behind it. Malformed if it is cut off, too long or not
// minimal.
Result<std::uint64_t> take_varint(ByteView& in);

// value < 2^63; anything else is a broken assumption.
void append_varint(Bytes& out, std::uint64_t value);
constexpr std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >>= 7) ++size;
  return size;
}

}  // namespace ghmesh::multiformats
