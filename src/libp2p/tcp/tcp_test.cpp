// SPDX-License-Identifier: Apache-2.0
#include "libp2p/tcp/tcp.hpp"

#include <gtest/gtest.h>

namespace ghmesh::libp2p::tcp {
namespace {

std::optional<Target> target(const char* text) { return target_of(*multiformats::Multiaddr::parse(text)); }

TEST(Tcp, AddressesItDials) {
  const auto four = target("/ip4/192.0.2.7/tcp/4001");
  ASSERT_TRUE(four);
  EXPECT_EQ(std::get<io::IpAddress>(four->host), io::IpAddress::v4(192, 0, 2, 7));
  EXPECT_EQ(four->port, 4001);
  EXPECT_TRUE(target("/ip6/::1/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"));
  const auto name = target("/dns4/example.org/tcp/443");
  ASSERT_TRUE(name);
  EXPECT_EQ(std::get<std::string>(name->host), "example.org");
  EXPECT_EQ(name->v6_only, false);
}

TEST(Tcp, AddressesItLeavesToOthers) {
  for (const char* text :
       {"/ip4/1.2.3.4/udp/4001", "/ip4/1.2.3.4/tcp/80/ws", "/ip4/1.2.3.4/udp/1/quic-v1", "/unix/a", "/ip4/1.2.3.4",
        "/ip4/1.2.3.4/tcp/1/p2p/12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA/p2p-circuit"})
    EXPECT_FALSE(target(text)) << text;
}

TEST(Tcp, EndpointsAsMultiaddrs) {
  EXPECT_EQ(to_multiaddr({io::IpAddress::loopback(), 80}).text(), "/ip4/127.0.0.1/tcp/80");
  EXPECT_EQ(to_multiaddr({*io::IpAddress::parse("2001:db8::1"), 65535}).text(), "/ip6/2001:db8::1/tcp/65535");
}

}  // namespace
}  // namespace ghmesh::libp2p::tcp
