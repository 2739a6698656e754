// SPDX-License-Identifier: Apache-2.0
#include "libp2p/identify/message.hpp"

#include <gtest/gtest.h>

namespace ghmesh::libp2p::identify {
namespace {

using multiformats::Multiaddr;

TEST(IdentifyMessage, ThereAndBack) {
  Message m;
  m.public_key = to_bytes("key");
  m.listen_addresses = {*Multiaddr::parse("/ip4/1.2.3.4/tcp/5"), *Multiaddr::parse("/ip6/::1/tcp/6")};
  m.protocols = {"/a/1", "/b/1"};
  m.observed_address = Multiaddr::parse("/ip4/9.9.9.9/tcp/1").value();
  m.protocol_version = "ipfs/0.1.0";
  m.agent_version = "test";
  m.signed_peer_record = to_bytes("record");
  Message back;
  ASSERT_TRUE(decode_into(back, encode(m), Limits{}));
  EXPECT_EQ(back.listen_addresses, m.listen_addresses);
  EXPECT_EQ(back.protocols, m.protocols);
  EXPECT_EQ(back.observed_address, m.observed_address);
  EXPECT_EQ(back.agent_version, "test");
  EXPECT_EQ(back.signed_peer_record, m.signed_peer_record);
}

TEST(IdentifyMessage, BrokenAddressesAreLeftOutAndPartsAddUp) {
  Message m;
  m.protocols = {"/a/1"};
  m.listen_addresses = {*Multiaddr::parse("/ip4/1.2.3.4/tcp/5")};
  Bytes first = encode(m);
  append(first, *from_hex("120304ffff"));  // an address that does not parse
  append(first, *from_hex("2203ffffff"));  // nor does the observed one
  m.protocols = {"/b/1"};
  Message back;
  ASSERT_TRUE(decode_into(back, first, Limits{}));
  ASSERT_TRUE(decode_into(back, encode(m), Limits{}));
  EXPECT_EQ(back.protocols, (std::vector<std::string>{"/a/1", "/b/1"}));
  EXPECT_EQ(back.listen_addresses.size(), 2u);
  EXPECT_FALSE(back.observed_address);
}

TEST(IdentifyMessage, ObservedAddressLosesItsPeer) {
  Message m;
  m.observed_address =
      Multiaddr::parse("/ip4/9.9.9.9/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA").value();
  Message back;
  ASSERT_TRUE(decode_into(back, encode(m), Limits{}));
  EXPECT_EQ(back.observed_address->text(), "/ip4/9.9.9.9/tcp/1");
}

TEST(IdentifyMessage, GrowthIsBounded) {
  Message m;
  for (int i = 0; i < 500; ++i) {
    m.protocols.push_back("/p/" + std::to_string(i));
    m.listen_addresses.push_back(Multiaddr::tcp(static_cast<std::uint16_t>(i)));
  }
  m.protocols.insert(m.protocols.begin(), std::string(1000, 'x'));
  Message back;
  ASSERT_TRUE(decode_into(back, encode(m), Limits{}));
  EXPECT_EQ(back.protocols.size(), 32u);
  EXPECT_EQ(back.protocols[0], "/p/0");
  EXPECT_EQ(back.listen_addresses.size(), 16u);
}

TEST(IdentifyMessage, GarbageIsMalformed) {
  Message m;
  EXPECT_FALSE(decode_into(m, *from_hex("0aff"), Limits{}));
}

}  // namespace
}  // namespace ghmesh::libp2p::identify
