// SPDX-License-Identifier: Apache-2.0
#include "mesh/admission/envelope.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "crypto/secret.hpp"
#include "mesh/admission/limits.hpp"

namespace ghmesh::mesh {
namespace {

const Bytes kAlice = to_bytes("alice's id"), kBob = to_bytes("bob's id");

EnvelopePair side(bool alice, std::string_view transcript = "t") {
  const crypto::SecretKey32 root(std::array<std::uint8_t, 32>{1, 2, 3});
  return make_envelopes(root, as_bytes(transcript), alice ? kAlice : kBob, alice ? kBob : kAlice);
}

std::vector<Bytes> frames(EnvelopePair& from, int count) {
  std::vector<Bytes> out;
  for (int i = 0; i < count; ++i) from.sealer.seal(static_cast<std::uint32_t>(i), Bytes(20, 'a'), out.emplace_back());
  return out;
}

bool opens(EnvelopePair& at, ByteView frame) {
  at.opener.feed(frame);
  const auto result = at.opener.next();
  return result && result->has_value();
}

TEST(Envelope, FramesInAnyPieces) {
  auto alice = side(true), bob = side(false);
  Bytes wire;
  for (int i = 0; i < 50; ++i) alice.sealer.seal(9, Bytes(static_cast<std::size_t>(i * 7), 'x'), wire);
  std::size_t got = 0;
  for (const std::uint8_t byte : wire) {
    bob.opener.feed({&byte, 1});
    const auto frame = bob.opener.next();
    ASSERT_TRUE(frame);
    if (!*frame) continue;
    EXPECT_EQ((*frame)->plain.size(), got * 7);
    ++got;
  }
  EXPECT_EQ(got, 50u);
  EXPECT_EQ(bob.opener.buffered(), 0u);
}

// As a stream fills it: never all of the room, the ends of frames anywhere, some frames longer than the room.
TEST(Envelope, FramesReadInPlace) {
  auto alice = side(true), bob = side(false);
  Bytes wire;
  for (int i = 0; i < 60; ++i) alice.sealer.seal(9, Bytes(static_cast<std::size_t>(i * 13), 'x'), wire);
  std::size_t got = 0, step = 0;
  for (ByteView rest = wire; !rest.empty();) {
    const MutableByteView room = bob.opener.room(100);
    ASSERT_EQ(room.size(), 100u);
    const std::size_t n = std::min({rest.size(), room.size(), ++step % 101});
    std::copy_n(rest.begin(), n, room.begin());
    bob.opener.filled(n);
    rest = rest.subspan(n);
    while (true) {
      const auto frame = bob.opener.next();
      ASSERT_TRUE(frame);
      if (!*frame) break;
      EXPECT_TRUE(equal((*frame)->plain, Bytes(got * 13, 'x')));
      ++got;
    }
  }
  EXPECT_EQ(got, 60u);
  EXPECT_EQ(bob.opener.buffered(), 0u);
}

TEST(Envelope, EveryFlippedBitIsRefused) {
  auto alice = side(true);
  const Bytes frame = frames(alice, 1)[0];
  // The length is covered by what it does: a shorter one does not open, a longer one waits for bytes that never come.
  for (std::size_t i = 4 * 8; i < frame.size() * 8; ++i) {
    auto bob = side(false);
    Bytes bad = frame;
    bad[i / 8] = static_cast<std::uint8_t>(bad[i / 8] ^ (1u << (i % 8)));
    ASSERT_FALSE(opens(bob, bad)) << i;
  }
  auto bob = side(false);
  Bytes shorter = frame;
  --shorter[3];
  EXPECT_FALSE(opens(bob, shorter));
}

TEST(Envelope, ReplayReorderAndLossAreRefused) {
  auto alice = side(true);
  const auto sent = frames(alice, 3);
  auto replayed = side(false);
  EXPECT_TRUE(opens(replayed, sent[0]));
  EXPECT_FALSE(opens(replayed, sent[0]));
  EXPECT_FALSE(opens(replayed, sent[1])) << "a failed connection stays failed";
  auto reordered = side(false);
  EXPECT_FALSE(opens(reordered, sent[1]));
  auto lossy = side(false);
  EXPECT_TRUE(opens(lossy, sent[0]));
  EXPECT_FALSE(opens(lossy, sent[2]));
}

TEST(Envelope, ReflectionAndSplicingAreRefused) {
  auto alice = side(true);
  const auto sent = frames(alice, 1);
  auto mirror = side(true);
  EXPECT_FALSE(opens(mirror, sent[0])) << "our own frame came back";
  auto elsewhere = side(false, "another connection");
  EXPECT_FALSE(opens(elsewhere, sent[0]));
  auto bob = side(false);
  Bytes spliced = sent[0];
  store_be<std::uint32_t>(spliced.data() + 4, 99);
  EXPECT_FALSE(opens(bob, spliced)) << "the request id is part of what is sealed";
}

TEST(Envelope, AnAnnouncedGiantIsRefusedBeforeItComes) {
  auto bob = side(false);
  Bytes header(kFrameHeaderBytes);
  store_be<std::uint32_t>(header.data(), static_cast<std::uint32_t>(AdmissionLimits::kFrameBytes + 17));
  bob.opener.feed(header);
  EXPECT_EQ(bob.opener.next().error().code, ErrorCode::Limit);
  auto carol = side(false);
  store_be<std::uint32_t>(header.data(), 15);
  carol.opener.feed(header);
  EXPECT_EQ(carol.opener.next().error().code, ErrorCode::Limit);
}

// Project Wycheproof's AES-GCM vectors for our key, nonce and tag size (tests/vectors/wycheproof/README.md).
TEST(Envelope, WycheproofAesGcm) {
  std::ifstream in(std::string(GHMESH_SOURCE_DIR) + "/tests/vectors/wycheproof/aes_256_gcm.csv");
  ASSERT_TRUE(in.good());
  std::string line;
  std::getline(in, line);
  int count = 0, refused = 0;
  while (std::getline(in, line)) {
    std::vector<std::string> cells(1);
    for (const char c : line) c == ',' ? static_cast<void>(cells.emplace_back()) : static_cast<void>(cells.back() += c);
    ASSERT_EQ(cells.size(), 8u);
    crypto::SecretKey32 key;
    const Bytes raw = *from_hex(cells[1]);
    std::copy(raw.begin(), raw.end(), key.expose_mutable().begin());
    crypto::Aead aead = crypto::Aead::aes256_gcm(key);
    crypto::Aead::Nonce nonce{};
    const Bytes iv = *from_hex(cells[2]);
    std::copy(iv.begin(), iv.end(), nonce.begin());
    const Bytes aad = *from_hex(cells[3]), message = *from_hex(cells[4]);
    Bytes sealed = *from_hex(cells[5]);
    append(sealed, *from_hex(cells[6]));
    const bool valid = cells[7] == "valid";
    Bytes opened = sealed;
    ASSERT_EQ(aead.open(nonce, aad, opened), valid) << cells[0];
    if (valid) {
      opened.resize(message.size());
      EXPECT_EQ(opened, message) << cells[0];
      Bytes again = message;
      again.resize(message.size() + crypto::Aead::kTagSize);
      aead.seal(nonce, aad, again);
      EXPECT_EQ(again, sealed) << cells[0];
    } else {
      ++refused;
    }
    ++count;
  }
  EXPECT_GE(count, 60);
  EXPECT_GE(refused, 20);
}

}  // namespace
}  // namespace ghmesh::mesh
