// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.hpp"

#include <gtest/gtest.h>

namespace ghmesh::crypto {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

// RFC 4231 §4.2-4.4, 4.5, 4.7, 4.8.
TEST(HmacSha256, PublishedVectors) {
  const struct {
    Bytes key;
    Bytes message;
    const char* tag;
  } vectors[] = {
      {Bytes(20, 0x0b), to_bytes("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {to_bytes("Jefe"), to_bytes("what do ya want for nothing?"),
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {Bytes(20, 0xaa), Bytes(50, 0xdd), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {hex("0102030405060708090a0b0c0d0e0f10111213141516171819"), Bytes(50, 0xcd),
       "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
      {Bytes(131, 0xaa), to_bytes("Test Using Larger Than Block-Size Key - Hash Key First"),
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {Bytes(131, 0xaa),
       to_bytes("This is a test using a larger than block-size key and a larger than block-size data. The key needs "
                "to be hashed before being used by the HMAC algorithm."),
       "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
  };
  for (const auto& v : vectors) {
    EXPECT_EQ(to_hex(hmac_sha256(v.key, v.message)), v.tag);
    const HmacSha256 kept(v.key);
    EXPECT_EQ(to_hex(kept.mac(v.message)), v.tag);
    EXPECT_EQ(to_hex(kept.mac(v.message)), v.tag) << "the kept state must survive use";
    EXPECT_TRUE(kept.verify(v.message, hex(v.tag)));
    EXPECT_FALSE(kept.verify(v.message, ByteView(hex(v.tag)).first(16)));
  }
}

// RFC 5869 appendix A.1-A.3.
TEST(Hkdf, PublishedVectors) {
  Bytes ikm2, salt2, info2;
  for (int i = 0; i < 80; ++i) {
    ikm2.push_back(static_cast<std::uint8_t>(i));
    salt2.push_back(static_cast<std::uint8_t>(0x60 + i));
    info2.push_back(static_cast<std::uint8_t>(0xb0 + i));
  }
  const struct {
    Bytes ikm, salt, info;
    const char* prk;
    const char* okm;
  } vectors[] = {
      {Bytes(22, 0x0b), hex("000102030405060708090a0b0c"), hex("f0f1f2f3f4f5f6f7f8f9"),
       "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
       "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
      {ikm2, salt2, info2, "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
       "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f"
       "09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
      {Bytes(22, 0x0b),
       {},
       {},
       "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
       "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
  };
  for (const auto& v : vectors) {
    const SecretKey32 prk = hkdf_extract(v.salt, v.ikm);
    EXPECT_EQ(to_hex(prk.expose()), v.prk);
    const Bytes expected = hex(v.okm);
    EXPECT_EQ(to_hex(hkdf(v.salt, v.ikm, v.info, expected.size()).expose()), v.okm);
  }
}

TEST(Hkdf, LargestOutput) {
  Bytes out(255 * 32);
  hkdf_expand(Bytes(32, 1), {}, out);
  EXPECT_NE(to_hex(ByteView(out).last(32)), to_hex(Bytes(32)));
}

}  // namespace
}  // namespace ghmesh::crypto
