// SPDX-License-Identifier: Apache-2.0
#include "libp2p/yamux/frame.hpp"

#include <gtest/gtest.h>

namespace ghmesh::libp2p::yamux {
namespace {

struct Vector {
  const char* hex;
  FrameHeader header;
};

// What hashicorp/yamux spec.md and libp2p/specs yamux/README.md describe, written out, and headers as go, rust and js
// were seen to send them.
const Vector kVectors[] = {
    {"000100010000000100000000", {FrameType::WindowUpdate, kSyn, 1, 0}},
    {"000100020000000100000000", {FrameType::WindowUpdate, kAck, 1, 0}},
    {"00010001000000030003c000", {FrameType::WindowUpdate, kSyn, 3, 245760}},
    {"000000000000000100000026", {FrameType::Data, 0, 1, 38}},
    {"000000010000000500000014", {FrameType::Data, kSyn, 5, 20}},
    {"000000040000000100000000", {FrameType::Data, kFin, 1, 0}},
    {"000100040000000200000000", {FrameType::WindowUpdate, kFin, 2, 0}},
    {"000100080000000200000000", {FrameType::WindowUpdate, kRst, 2, 0}},
    {"000200010000000000000000", {FrameType::Ping, kSyn, 0, 0}},
    {"0002000200000000deadbeef", {FrameType::Ping, kAck, 0, 0xdeadbeef}},
    {"000300000000000000000000", {FrameType::GoAway, 0, 0, 0}},
    {"000300000000000000000001", {FrameType::GoAway, 0, 0, 1}},
    {"00000003ffffffffffffffff", {FrameType::Data, kSyn | kAck, 0xffffffff, 0xffffffff}},
};

Result<FrameHeader> decode(std::string_view hex) {
  const Bytes raw = *from_hex(hex);
  return decode_header(std::span<const std::uint8_t, kHeaderSize>(raw.data(), kHeaderSize));
}

TEST(Frame, VectorsBothWays) {
  for (const Vector& v : kVectors) {
    EXPECT_EQ(to_hex(encode_header(v.header)), v.hex);
    const auto header = decode(v.hex);
    ASSERT_TRUE(header) << v.hex;
    EXPECT_EQ(*header, v.header) << v.hex;
  }
}

TEST(Frame, RefusesWhatIsNotYamux) {
  for (const char* hex : {"010000000000000100000000", "ff0000000000000100000000", "000400000000000100000000",
                          "00ff00000000000100000000", "000000000000000000000000", "000100000000000000000001",
                          "000200010000000100000000", "000300000000000100000000"}) {
    const auto header = decode(hex);
    ASSERT_FALSE(header) << hex;
    EXPECT_EQ(header.error().code, ErrorCode::Malformed);
    EXPECT_EQ(header.error().fault, Fault::Peer);
  }
}

TEST(Frame, UnknownFlagsAreDropped) { EXPECT_EQ(decode("0000fff00000000100000000")->flags, 0); }

}  // namespace
}  // namespace ghmesh::libp2p::yamux
