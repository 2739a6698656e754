// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/transport.hpp"

#include <gtest/gtest.h>

namespace ghmesh::libp2p::noise {
namespace {

const crypto::SecretKey32& key() {
  static const crypto::SecretKey32 secret(std::array<std::uint8_t, 32>{1, 2, 3});
  return secret;
}

TEST(Transport, TextOfAnySizeComesBackInOrder) {
  FrameSealer sealer(key());
  FrameOpener opener(key());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, Limits::kFrameText,
                                 Limits::kFrameText + 1, 3 * Limits::kFrameText + 5}) {
    Bytes text(size);
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<std::uint8_t>(i * 31);
    Bytes wire;
    sealer.append(wire, text);
    Bytes got;
    for (std::size_t at = 0; at < wire.size();) {
      const auto frame = frame_size(ByteView(wire).subspan(at));
      ASSERT_TRUE(frame);
      EXPECT_LE(*frame, kFrameHeader + Limits::kMessageBytes);
      const auto opened = opener.open(MutableByteView(wire).subspan(at, *frame));
      ASSERT_TRUE(opened);
      append(got, ByteView(*opened));
      at += *frame;
    }
    EXPECT_EQ(got, text);
  }
}

TEST(Transport, InPlaceAndAppendedFramesAreTheSame) {
  FrameSealer a(key());
  FrameSealer b(key());
  const Bytes text = to_bytes("some text");
  Bytes appended;
  a.append(appended, text);
  Bytes frame(kFrameHeader);
  append(frame, ByteView(text));
  frame.resize(frame.size() + Limits::kTagBytes);
  b.seal(frame);
  EXPECT_EQ(frame, appended);
}

TEST(Transport, RepeatedReorderedAndChangedFramesAreRefused) {
  FrameSealer sealer(key());
  Bytes first, second;
  sealer.append(first, as_bytes("first"));
  sealer.append(second, as_bytes("second"));
  {
    FrameOpener opener(key());
    Bytes copy = first;
    EXPECT_TRUE(opener.open(copy));
    copy = first;
    EXPECT_EQ(opener.open(copy).error().code, ErrorCode::Authentic);
  }
  {
    FrameOpener opener(key());
    Bytes copy = second;
    EXPECT_FALSE(opener.open(copy));
  }
  for (std::size_t i = kFrameHeader; i < first.size(); ++i) {
    FrameOpener opener(key());
    Bytes copy = first;
    copy[i] ^= 1;
    EXPECT_FALSE(opener.open(copy));
  }
}

TEST(Transport, FramesTooShortForATag) {
  FrameOpener opener(key());
  for (std::uint8_t size = 0; size < Limits::kTagBytes; ++size) {
    Bytes frame(kFrameHeader + size);
    frame[1] = size;
    EXPECT_EQ(opener.open(frame).error().code, ErrorCode::Malformed);
  }
  EXPECT_FALSE(frame_size({}));
  EXPECT_FALSE(frame_size(Bytes{0}));
}

TEST(Transport, AnEmptyTextIsAFrameOfItsOwn) {
  Bytes frame(kFrameHeader + Limits::kTagBytes);
  FrameSealer(key()).seal(frame);
  const auto opened = FrameOpener(key()).open(frame);
  ASSERT_TRUE(opened);
  EXPECT_TRUE(opened->empty());
}

// The nonce is 32 zero bits and a little-endian counter: message 256 differs from message 1 in another byte.
TEST(Transport, CountersBeyondOneByte) {
  FrameSealer sealer(key());
  FrameOpener opener(key());
  for (int i = 0; i < 70000; ++i) {
    Bytes frame;
    sealer.append(frame, as_bytes("x"));
    ASSERT_TRUE(opener.open(frame)) << i;
  }
}

}  // namespace
}  // namespace ghmesh::libp2p::noise
