// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace ghmesh::crypto {
namespace {

SecretKey32 key_of(std::string_view hex) {
  SecretKey32 key;
  std::ranges::copy(from_hex(hex).value(), key.expose_mutable().begin());
  return key;
}
Aead::Nonce nonce_of(std::string_view hex) {
  Aead::Nonce nonce{};
  std::ranges::copy(from_hex(hex).value(), nonce.begin());
  return nonce;
}

void expect_vector(Aead aead, const Aead::Nonce& nonce, std::string_view aad_hex, Bytes plain,
                   std::string_view sealed) {
  const Bytes aad = from_hex(aad_hex).value();
  for (int round = 0; round < 2; ++round) {  // the kept context must give the same again
    Bytes buffer = plain;
    buffer.resize(plain.size() + Aead::kTagSize);
    aead.seal(nonce, aad, buffer);
    EXPECT_EQ(to_hex(buffer), sealed);
    Bytes apart(buffer.size());
    aead.seal(nonce, aad, plain, apart);
    EXPECT_EQ(apart, buffer);
    ASSERT_TRUE(aead.open(nonce, aad, buffer));
    buffer.resize(plain.size());
    EXPECT_EQ(buffer, plain);
  }
}

// RFC 8439 §2.8.2.
TEST(Aead, ChaCha20Poly1305PublishedVector) {
  expect_vector(
      Aead::chacha20_poly1305(key_of("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f")),
      nonce_of("070000004041424344454647"), "50515253c0c1c2c3c4c5c6c7",
      to_bytes("Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen "
               "would be it."),
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e06"
      "0b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d265"
      "86cec64b61161ae10b594f09e26a7e902ecbd0600691");
}

// McGrew and Viega, The Galois/Counter Mode of Operation (the submission to NIST), test cases 13, 14 and 16.
TEST(Aead, Aes256GcmPublishedVectors) {
  const std::string zero(64, '0');
  expect_vector(Aead::aes256_gcm(key_of(zero)), {}, "", {}, "530f8afbc74536b9a963b4f1c4cb738b");
  expect_vector(Aead::aes256_gcm(key_of(zero)), {}, "", Bytes(16),
                "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  expect_vector(
      Aead::aes256_gcm(key_of("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")),
      nonce_of("cafebabefacedbaddecaf888"), "feedfacedeadbeeffeedfacedeadbeefabaddad2",
      from_hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
               "25b16aedf5aa0de657ba637b39")
          .value(),
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6"
      "393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
}

class AnyAead : public testing::TestWithParam<bool> {
 protected:
  Aead make() const {
    const SecretKey32 key = key_of(std::string(64, '7'));
    return GetParam() ? Aead::chacha20_poly1305(key) : Aead::aes256_gcm(key);
  }
};

TEST_P(AnyAead, AnyFlippedBitIsRefusedAndTheObjectGoesOn) {
  Aead aead = make();
  const Bytes aad{1, 2, 3};
  Bytes good = to_bytes("some text");
  good.resize(good.size() + Aead::kTagSize);
  aead.seal({}, aad, good);
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] ^= 0x80;
    EXPECT_FALSE(aead.open({}, aad, bad)) << i;
  }
  Bytes other = good;
  EXPECT_FALSE(aead.open({}, Bytes{1, 2, 4}, other));
  other = good;
  EXPECT_FALSE(aead.open({1}, aad, other));
  EXPECT_TRUE(aead.open({}, aad, good));
}

TEST_P(AnyAead, TooShortForATag) {
  Aead aead = make();
  for (std::size_t size = 0; size < Aead::kTagSize; ++size) {
    Bytes buffer(size);
    EXPECT_FALSE(aead.open({}, {}, buffer));
  }
}

TEST_P(AnyAead, EverySizeRoundTripsWithAlternatingDirections) {
  Aead aead = make();
  SecureRandom random;
  for (std::size_t size = 0; size < 400; ++size) {
    Bytes plain(size);
    random.fill(plain);
    Bytes buffer = plain;
    buffer.resize(size + Aead::kTagSize);
    const Aead::Nonce nonce{static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8)};
    aead.seal(nonce, {}, buffer);
    ASSERT_TRUE(aead.open(nonce, {}, buffer)) << size;
    buffer.resize(size);
    ASSERT_EQ(buffer, plain);
  }
}

INSTANTIATE_TEST_SUITE_P(Ciphers, AnyAead, testing::Bool());

}  // namespace
}  // namespace ghmesh::crypto
