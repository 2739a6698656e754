// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <gtest/gtest.h>

namespace ghmesh {
namespace {

TEST(Hex, RoundTripsAndRefusesOtherText) {
  const Bytes all{0x00, 0x7f, 0x80, 0xff};
  EXPECT_EQ(to_hex(all), "007f80ff");
  EXPECT_EQ(from_hex("007F80fF"), all);
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

// RFC 4648 §10.
TEST(Base64, PublishedVectors) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), coded);
    EXPECT_EQ(from_base64(coded), to_bytes(plain));
  }
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
  EXPECT_EQ(from_base64("-_8"), (Bytes{0xfb, 0xff}));
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* bad : {"Z", "Zg=", "Zg===", "Z===", "Zh==", "Zm9=", "Zm 9", "Zg==Zg==", "=", "===="})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Integers, BothByteOrders) {
  std::uint8_t raw[4];
  store_be<std::uint32_t>(raw, 0x01020304);
  EXPECT_EQ(raw[0], 1);
  EXPECT_EQ(load_be<std::uint32_t>(raw), 0x01020304u);
  EXPECT_EQ(load_le<std::uint32_t>(raw), 0x04030201u);
}

}  // namespace
}  // namespace ghmesh
