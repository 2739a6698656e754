// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/keys.hpp"

#include "crypto/random.hpp"
#include "crypto/signature.hpp"
#include "libp2p/core/limits.hpp"
#include "libp2p/core/protobuf.hpp"
#include "vectors.hpp"

namespace ghmesh::libp2p {
namespace {

constexpr std::string_view kMessage = "Libp2p is the _best_!";

TEST(Keys, PublishedPublicKeysKeepTheirEncoding) {
  int checked = 0;
  for (const auto& row : vector_rows("keys.csv")) {
    if (row[1] != "public") continue;
    const Bytes encoded = hex(row[2]);
    const auto key = PublicKey::decode(encoded, AcceptKeys::all());
    ASSERT_TRUE(key) << row[0] << ": " << key.error().message;
    EXPECT_EQ(to_string(key->type()), row[0]);
    EXPECT_EQ(key->encode(), encoded);
    ++checked;
  }
  EXPECT_EQ(checked, 4);
}

TEST(Keys, PublishedEd25519PrivateKeyGivesThePublicOne) {
  std::string expected;
  for (const auto& row : vector_rows("keys.csv"))
    if (row[0] == "ed25519" && row[1] == "public") expected = row[2];
  const auto key = PrivateKey::decode(spec_private_key());
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_EQ(to_hex(key->public_key().encode()), expected);
  EXPECT_TRUE(crypto::constant_time_equal(key->encode(), spec_private_key()));
  const Bytes signature = key->sign(as_bytes(kMessage));
  EXPECT_TRUE(key->public_key().verify(as_bytes(kMessage), signature));
  EXPECT_FALSE(key->public_key().verify(as_bytes("something else"), signature));
  EXPECT_FALSE(key->public_key().verify(as_bytes(kMessage), ByteView(signature).first(63)));
}

TEST(Keys, OldPrivateKeyOf96Bytes) {
  Bytes raw = spec_private_key().expose();
  const Bytes public_half(raw.end() - 32, raw.end());
  raw.insert(raw.end(), public_half.begin(), public_half.end());
  raw[3] = 96;
  EXPECT_TRUE(PrivateKey::decode(crypto::SecretBytes(Bytes(raw))));
  raw.back() ^= 1;
  EXPECT_FALSE(PrivateKey::decode(crypto::SecretBytes(Bytes(raw))));
}

TEST(Keys, PrivateKeyWithForeignPublicHalfIsRefused) {
  Bytes raw = spec_private_key().expose();
  raw.back() ^= 1;
  EXPECT_FALSE(PrivateKey::decode(crypto::SecretBytes(std::move(raw))));
}

TEST(Keys, PublishedSignaturesOfOtherTypesHold) {
  const auto rows = vector_rows("signatures.csv");
  EXPECT_EQ(rows.size(), 3u);
  for (const auto& row : rows) {
    const auto key = PublicKey::decode(hex(row[1]), AcceptKeys::all());
    ASSERT_TRUE(key) << row[0] << ": " << key.error().message;
    Bytes signature = hex(row[2]);
    EXPECT_TRUE(key->verify(as_bytes(kMessage), signature)) << row[0];
    EXPECT_FALSE(key->verify(as_bytes("something else"), signature)) << row[0];
    signature[signature.size() / 2] ^= 1;
    EXPECT_FALSE(key->verify(as_bytes(kMessage), signature)) << row[0];
    EXPECT_FALSE(key->verify(as_bytes(kMessage), {})) << row[0];
  }
}

TEST(Keys, OnlyEd25519IsAcceptedUnlessAsked) {
  for (const auto& row : vector_rows("keys.csv")) {
    if (row[1] != "public") continue;
    const auto key = PublicKey::decode(hex(row[2]));
    EXPECT_EQ(key.has_value(), row[0] == "ed25519");
    if (!key) EXPECT_EQ(key.error().code, ErrorCode::Refused);
  }
}

// A29: keys that would burn the processor are refused by type or size, before any arithmetic.
TEST(Keys, A29HugeRsaKeysCostNothing) {
  Bytes spki(2100, 0x41);  // 16,384 bits
  Bytes encoded;
  ProtoWriter(encoded).varint(1, 0).bytes(2, spki);
  EXPECT_EQ(PublicKey::decode(encoded, AcceptKeys::all()).error().code, ErrorCode::Limit);
  EXPECT_FALSE(crypto::rsa_sha256_verify(spki, as_bytes(kMessage), Bytes(2048)));
}

// All four signatures are right; what counts is the size of the key.
TEST(Keys, A29OnlyKeysWithinTheBoundsVerify) {
  const auto rows = vector_rows("bounds.csv");
  ASSERT_EQ(rows.size(), 4u);
  for (const auto& row : rows) {
    const Bytes spki = hex(row[1]);
    const Bytes signature = hex(row[2]);
    const bool holds = row[0] == "p224" ? crypto::ecdsa_sha256_verify(spki, as_bytes(kMessage), signature)
                                        : crypto::rsa_sha256_verify(spki, as_bytes(kMessage), signature);
    EXPECT_EQ(holds, row[0] == "fine") << row[0];
  }
}

TEST(Keys, RefusesOtherEncodingsOfAKey) {
  const std::string good = "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";
  const std::string data = good.substr(8);
  ASSERT_TRUE(PublicKey::decode(hex(good)));
  for (const std::string& other : {"12"
                                   "20" +
                                       data + "0801",    // data first
                                   "0881001220" + data,  // a long form of 1
                                   "080112a000" + data,  // a long form of 32
                                   good + "1800",        // one more field
                                   good + good,          // twice
                                   "1220" + data,        // no type
                                   std::string("0801"),  // no data
                                   "0804"
                                   "1220" +
                                       data,  // no such type
                                   "0801"
                                   "121f" +
                                       data.substr(2),  // too short
                                   "0801"
                                   "1221" +
                                       data + "00",  // too long
                                   std::string()})
    EXPECT_FALSE(PublicKey::decode(hex(other))) << other;
}

TEST(Keys, AcceptKeysList) {
  const auto both = AcceptKeys::parse("ed25519,rsa");
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->allows(KeyType::Ed25519) && both->allows(KeyType::Rsa));
  EXPECT_FALSE(both->allows(KeyType::Ecdsa) || both->allows(KeyType::Secp256k1));
  for (const char* text : {"", ",", "rsa,", "dsa", "RSA"}) EXPECT_FALSE(AcceptKeys::parse(text)) << text;
}

TEST(Keys, EveryGeneratedKeyIsItsOwn) {
  crypto::SecureRandom random;
  const auto a = PrivateKey::generate(random);
  const auto b = PrivateKey::generate(random);
  EXPECT_NE(a.public_key(), b.public_key());
  EXPECT_EQ(a.clone().public_key(), a.public_key());
  EXPECT_FALSE(b.public_key().verify(as_bytes(kMessage), a.sign(as_bytes(kMessage))));
}

}  // namespace
}  // namespace ghmesh::libp2p
