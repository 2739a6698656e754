// SPDX-License-Identifier: Apache-2.0
#include "multiformats/cid.hpp"

#include <gtest/gtest.h>

namespace ghmesh::multiformats {
namespace {

// From the documentation of CIDs: one content under both versions.
TEST(Cid, BothVersionsOfOneContent) {
  const auto v0 = Cid::parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n");
  ASSERT_TRUE(v0);
  EXPECT_EQ(v0->version(), 0);
  EXPECT_EQ(v0->codec(), Multicodec::DagPb);
  EXPECT_EQ(v0->text(), "QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n");
  EXPECT_EQ(v0->to_v1().text(), "bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
  EXPECT_EQ(Cid::decode(v0->encode()).value(), *v0);

  const auto v1 = Cid::parse("bafybeihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku");
  ASSERT_TRUE(v1);
  EXPECT_EQ(v1->version(), 1);
  EXPECT_EQ(v1->hash(), v0->hash());
  EXPECT_EQ(Cid::decode(v1->encode()).value(), *v1);
  for (const Base base : {Base::Base16, Base::Base36, Base::Base58Btc, Base::Base64Url})
    EXPECT_EQ(Cid::parse(v1->text(base)).value(), *v1);
}

TEST(Cid, Refuses) {
  const Cid v0 = Cid::parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n").value();
  EXPECT_FALSE(Cid::parse(format_multibase(Base::Base32, v0.encode()))) << "version 0 has no multibase prefix";
  EXPECT_FALSE(Cid::parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1"));
  EXPECT_FALSE(Cid::parse("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR10"));
  EXPECT_FALSE(Cid::parse(""));
  EXPECT_FALSE(Cid::parse("b"));
  EXPECT_FALSE(Cid::decode({}));
  Bytes reserved = v0.to_v1().encode();
  for (const std::uint8_t version : {std::uint8_t{2}, std::uint8_t{3}}) {
    reserved[0] = version;
    EXPECT_EQ(Cid::decode(reserved).error().code, ErrorCode::Unsupported);
  }
  reserved[0] = 4;
  EXPECT_EQ(Cid::decode(reserved).error().code, ErrorCode::Malformed);
  Bytes longer = v0.to_v1().encode();
  longer.push_back(0);
  EXPECT_FALSE(Cid::decode(longer));
}

}  // namespace
}  // namespace ghmesh::multiformats
