// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.hpp"

#include <gtest/gtest.h>

namespace ghmesh::crypto {
namespace {

// FIPS 180-4 examples.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, AnySplitGivesTheSameDigest) {
  Bytes message(300);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i * 7);
  const Digest32 whole = sha256(message);
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    const ByteView view(message);
    EXPECT_EQ(Sha256().update(view.first(cut)).update(view.subspan(cut)).finish(), whole);
    EXPECT_EQ(sha256({view.first(cut), view.subspan(cut)}), whole);
  }
}

TEST(Sha256, CopyKeepsAMidstate) {
  Sha256 prefix;
  prefix.update("GET /repos/");
  Sha256 branch = prefix;
  EXPECT_EQ(branch.update("a").finish(), sha256("GET /repos/a"));
  EXPECT_EQ(prefix.digest(), sha256("GET /repos/"));
  EXPECT_EQ(prefix.update("b").finish(), sha256("GET /repos/b"));
}

TEST(Sha512, PublishedVectors) {
  EXPECT_EQ(to_hex(sha512(as_bytes("abc"))),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(to_hex(sha512({})),
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
            "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
}

}  // namespace
}  // namespace ghmesh::crypto
