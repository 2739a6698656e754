// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "crypto/ed25519.hpp"
#include "crypto/random.hpp"
#include "crypto/x25519.hpp"

namespace ghmesh::crypto {
namespace {

template <std::size_t N>
std::array<std::uint8_t, N> hex(std::string_view text) {
  const Bytes bytes = from_hex(text).value();
  std::array<std::uint8_t, N> out{};
  EXPECT_EQ(bytes.size(), N);
  std::copy_n(bytes.begin(), std::min(N, bytes.size()), out.begin());
  return out;
}
SecretKey32 secret(std::string_view text) { return SecretKey32(hex<32>(text)); }

// RFC 7748 §5.2, first vector and the iteration, §6.1.
TEST(X25519, PublishedVectors) {
  const auto shared = x25519(secret("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                             hex<32>("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"));
  ASSERT_TRUE(shared);
  EXPECT_EQ(to_hex(shared->expose()), "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");

  const auto bob =
      X25519KeyPair::from_secret(secret("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
  EXPECT_EQ(to_hex(bob.public_key), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto with_alice =
      x25519(bob.secret, hex<32>("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"));
  ASSERT_TRUE(with_alice);
  EXPECT_EQ(to_hex(with_alice->expose()), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(X25519, AThousandIterations) {
  auto k = hex<32>("0900000000000000000000000000000000000000000000000000000000000000");
  auto u = k;
  for (int i = 0; i < 1000; ++i) {
    auto scalar = k;
    const auto next = x25519(SecretKey32(std::move(scalar)), u);
    ASSERT_TRUE(next);
    u = k;
    k = next->expose();
    if (i == 0) EXPECT_EQ(to_hex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
  }
  EXPECT_EQ(to_hex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, LowOrderPointsAreRefused) {
  SecureRandom random;
  const auto pair = X25519KeyPair::generate(random);
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"})
    EXPECT_FALSE(x25519(pair.secret, hex<32>(point))) << point;
}

// RFC 8032 §7.1, tests 1 to 3.
TEST(Ed25519, PublishedVectors) {
  const struct {
    const char *seed, *public_key, *message, *signature;
  } vectors[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
       "24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302a"
       "eeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed2"
       "8dc027beceea1ec40a"},
  };
  for (const auto& v : vectors) {
    const auto key = Ed25519PrivateKey::from_seed(secret(v.seed));
    EXPECT_EQ(to_hex(key.public_key()), v.public_key);
    EXPECT_EQ(to_hex(key.seed().expose()), v.seed);
    const Bytes message = from_hex(v.message).value();
    const auto signature = key.sign(message);
    EXPECT_EQ(to_hex(signature), v.signature);
    EXPECT_TRUE(ed25519_verify(key.public_key(), message, signature));
  }
}

TEST(Ed25519, AnyFlippedBitIsRefused) {
  SecureRandom random;
  const auto key = Ed25519PrivateKey::generate(random);
  const Bytes message = to_bytes("message");
  const auto good = key.sign(message);
  for (std::size_t i = 0; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= 1;
    EXPECT_FALSE(ed25519_verify(key.public_key(), message, bad)) << i;
  }
  EXPECT_FALSE(ed25519_verify(key.public_key(), to_bytes("massage"), good));
  EXPECT_FALSE(ed25519_verify(Ed25519PrivateKey::generate(random).public_key(), message, good));
}

// The signature with the group order added to its scalar verifies under lax rules and must not here.
TEST(Ed25519, UnreducedScalarIsRefused) {
  const auto key =
      Ed25519PrivateKey::from_seed(secret("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  const Bytes message{0x72};
  auto signature = key.sign(message);
  const auto order = hex<32>("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += unsigned{signature[32 + i]} + order[i];
    signature[32 + i] = static_cast<std::uint8_t>(carry);
    carry >>= 8;
  }
  EXPECT_FALSE(ed25519_verify(key.public_key(), message, signature));
}

TEST(Ed25519, AllZeroKeyAndSignatureIsRefused) {
  EXPECT_FALSE(ed25519_verify(Ed25519PublicKey{}, to_bytes("anything"), Ed25519Signature{}));
}

}  // namespace
}  // namespace ghmesh::crypto
