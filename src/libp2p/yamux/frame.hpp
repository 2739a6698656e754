// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"

// The 12-octet frame header of yamux (hashicorp/yamux spec.md "Framing", libp2p/specs yamux/README.md): version, type,
// flags, stream id, length, all big-endian. What length means depends on the type: payload octets that follow (Data), a
// window delta (WindowUpdate), an opaque value (Ping), a reason (GoAway).

namespace ghmesh::libp2p::yamux {

using StreamId = std::uint32_t;

enum class FrameType : std::uint8_t { Data = 0, WindowUpdate = 1, Ping = 2, GoAway = 3 };

inline constexpr std::uint16_t kSyn = 1;
inline constexpr std::uint16_t kAck = 2;
inline constexpr std::uint16_t kFin = 4;
inline constexpr std::uint16_t kRst = 8;

enum class GoAwayCode : std::uint32_t { Normal = 0, ProtocolError = 1, InternalError = 2 };

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::uint8_t kVersion = 0;

struct FrameHeader {
  FrameType type = FrameType::Data;
  std::uint16_t flags = 0;
  StreamId stream = 0;
  std::uint32_t length = 0;

  bool operator==(const FrameHeader&) const = default;
};

std::array<std::uint8_t, kHeaderSize> encode_header(const FrameHeader& header);

// Malformed for another version, an unknown type, stream 0 on Data or WindowUpdate, and another stream on Ping or
// GoAway. Flags that nobody defined are dropped: a later specification may give them a meaning.
Result<FrameHeader> decode_header(std::span<const std::uint8_t, kHeaderSize> raw);

}  // namespace ghmesh::libp2p::yamux
