// SPDX-License-Identifier: Apache-2.0
#include "libp2p/yamux/frame.hpp"

namespace ghmesh::libp2p::yamux {

namespace {
constexpr std::uint16_t kKnownFlags = kSyn | kAck | kFin | kRst;
}

std::array<std::uint8_t, kHeaderSize> encode_header(const FrameHeader& header) {
  std::array<std::uint8_t, kHeaderSize> raw;
  raw[0] = kVersion;
  raw[1] = static_cast<std::uint8_t>(header.type);
  store_be(&raw[2], header.flags);
  store_be(&raw[4], header.stream);
  store_be(&raw[8], header.length);
  return raw;
}

Result<FrameHeader> decode_header(std::span<const std::uint8_t, kHeaderSize> raw) {
  if (raw[0] != kVersion) return fail(ErrorCode::Malformed, "yamux: unknown version", Fault::Peer);
  if (raw[1] > static_cast<std::uint8_t>(FrameType::GoAway))
    return fail(ErrorCode::Malformed, "yamux: unknown frame type", Fault::Peer);
  FrameHeader header;
  header.type = static_cast<FrameType>(raw[1]);
  header.flags = load_be<std::uint16_t>(&raw[2]) & kKnownFlags;
  header.stream = load_be<std::uint32_t>(&raw[4]);
  header.length = load_be<std::uint32_t>(&raw[8]);
  const bool about_session = header.type == FrameType::Ping || header.type == FrameType::GoAway;
  if (about_session != (header.stream == 0))
    return fail(ErrorCode::Malformed, "yamux: stream id does not fit the frame type", Fault::Peer);
  return header;
}

}  // namespace ghmesh::libp2p::yamux
