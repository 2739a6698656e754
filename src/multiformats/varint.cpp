// SPDX-License-Identifier: Apache-2.0
#include "multiformats/varint.hpp"

#include "base/check.hpp"
#include "multiformats/limits.hpp"

namespace ghmesh::multiformats {

static_assert(Limits::kVarintBytes == 9, "read_varint has the bound written into its loop");

Result<std::uint64_t> take_varint(ByteView& in) {
  const VarintRead read = read_varint(in);
  if (read.status == VarintStatus::NeedMore) return fail(ErrorCode::Malformed, "varint is cut off", Fault::Peer);
  if (read.status == VarintStatus::Malformed)
    return fail(ErrorCode::Malformed, "varint is too long or not minimal", Fault::Peer);
  in = in.subspan(read.size);
  return read.value;
}

void append_varint(Bytes& out, std::uint64_t value) {
  GHMESH_CHECK(value >> 63 == 0);
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

}  // namespace ghmesh::multiformats
