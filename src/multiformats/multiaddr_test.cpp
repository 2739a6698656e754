// SPDX-License-Identifier: Apache-2.0
#include "multiformats/multiaddr.hpp"

#include <gtest/gtest.h>

#include <unordered_set>

#include "multiformats/limits.hpp"
#include "multiformats/varint.hpp"
#include "vectors.hpp"

namespace ghmesh::multiformats {
namespace {

Multiaddr addr(std::string_view text) {
  auto parsed = Multiaddr::parse(text);
  EXPECT_TRUE(parsed) << text << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Multiaddr());
}

TEST(Multiaddr, PublishedGoodOnesRoundTrip) {
  const auto lines = vector_lines("multiaddr/good.txt");
  EXPECT_EQ(lines.size(), 93u);
  for (const std::string& text : lines) {
    const auto parsed = Multiaddr::parse(text);
    ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
    const auto decoded = Multiaddr::decode(parsed->bytes());
    ASSERT_TRUE(decoded) << text << ": " << decoded.error().message;
    EXPECT_EQ(*decoded, *parsed);
    EXPECT_EQ(addr(parsed->text()), *parsed) << text;
  }
}

TEST(Multiaddr, PublishedBadOnesAreRefused) {
  const auto lines = vector_lines("multiaddr/bad.txt");
  EXPECT_EQ(lines.size(), 66u);
  for (const std::string& text : lines) EXPECT_FALSE(Multiaddr::parse(text)) << text;
}

TEST(Multiaddr, PublishedPairsOfTextAndBytes) {
  const auto lines = vector_lines("multiaddr/pairs.csv");
  EXPECT_EQ(lines.size(), 7u);
  for (const std::string& line : lines) {
    const std::size_t comma = line.find(',');
    const std::string text = line.substr(0, comma);
    EXPECT_EQ(to_hex(addr(text).bytes()), line.substr(comma + 1));
    EXPECT_EQ(Multiaddr::decode(from_hex(line.substr(comma + 1)).value()).value().text(), text);
  }
}

// go-multiaddr's TestRoundTrip, TestZone, TestIPFSvP2P, TestInvalidP2PAddr*.
TEST(Multiaddr, TextIsCanonical) {
  for (const char* text :
       {"/unix/a/b/c/d", "/ip6/::ffff:127.0.0.1/tcp/111", "/ip4/127.0.0.1/tcp/123", "/ip4/127.0.0.1/tcp/123/tls",
        "/ip4/127.0.0.1/udp/123/ip6/::",
        "/ip4/127.0.0.1/udp/1234/quic-v1/webtransport/certhash/uEiDDq4_xNyDorZBH3TlGazyJdOWSwvo4PUo5YHFMrvDE8g",
        "/p2p/QmbHVEEepCi7rn7VL7Exxpd2Ci9NNB6ifvqwhsrbRMgQFP/unix/a/b/c", "/http-path/tmp%2Fbar",
        "/ip6zone/eth0/ip6/::1", "/dns4/example.org/tcp/443/tls/sni/example.org/ws/p2p-circuit"})
    EXPECT_EQ(addr(text).text(), text);
  EXPECT_EQ(to_hex(addr("/ip6zone/eth0/ip6/::1").bytes()), "2a04657468302900000000000000000000000000000001");
  EXPECT_EQ(addr("/ipfs/QmbHVEEepCi7rn7VL7Exxpd2Ci9NNB6ifvqwhsrbRMgQFP").text(),
            "/p2p/QmbHVEEepCi7rn7VL7Exxpd2Ci9NNB6ifvqwhsrbRMgQFP");
  EXPECT_EQ(addr("/ip4/127.0.0.1/tcp/1234/"), addr("/ip4/127.0.0.1/tcp/1234"));
  EXPECT_EQ(addr("/ip6/2001:DB8:0::1").text(), "/ip6/2001:db8::1");
}

TEST(Multiaddr, BrokenPeerIdsAreRefused) {
  EXPECT_FALSE(Multiaddr::decode(
      from_hex("a503221221c05877cbae039d70a5e600ea02c6f9f2942439285c9e344e26f8d280c850fad6").value()));
  for (const char* text : {"/p2p/k2k4r8oqamigqdo6o7hsbfwd45y70oyynp98usk7zmyfrzpqxh1pohl-", "/p2p/?unknownmultibase",
                           "/p2p/k2jmtxwoe2phm1hbqp0e7nufqf6umvuu2e9qd7ana7h411a0haqj6i2z"})
    EXPECT_FALSE(Multiaddr::parse(text)) << text;
}

TEST(Multiaddr, ComponentsAndValues) {
  const Multiaddr a =
      addr("/ip4/127.0.0.1/utp/tcp/5555/udp/1234/tls/utp/ipfs/QmbHVEEepCi7rn7VL7Exxpd2Ci9NNB6ifvqwhsrbRMgQFP");
  EXPECT_EQ(a.components().size(), 7u);
  EXPECT_EQ(a.find(Protocol::Ip4)->text(), "127.0.0.1");
  EXPECT_EQ(a.find(Protocol::Utp)->text(), "");
  EXPECT_EQ(load_be<std::uint16_t>(a.find(Protocol::Tcp)->value.data()), 5555);
  EXPECT_EQ(a.find(Protocol::P2p)->text(), "QmbHVEEepCi7rn7VL7Exxpd2Ci9NNB6ifvqwhsrbRMgQFP");
  EXPECT_FALSE(a.has(Protocol::Ip6));
  EXPECT_EQ(addr("/ip4/0.0.0.0/unix/a/b/c/d").find(Protocol::Unix)->text(), "/a/b/c/d");
}

TEST(Multiaddr, Building) {
  const Multiaddr built = Multiaddr::ip4({10, 1, 2, 3}).encapsulate(Multiaddr::tcp(4001)).value();
  EXPECT_EQ(built.text(), "/ip4/10.1.2.3/tcp/4001");
  EXPECT_EQ(built.encapsulate(Multiaddr()).value(), built);
  EXPECT_FALSE(addr("/unix/a").encapsulate(built)) << "nothing can stand behind a path";
  EXPECT_FALSE(Multiaddr::make(Protocol::Tcp, Bytes{1}));
  EXPECT_FALSE(Multiaddr::make(Protocol::Dns, {}));
  EXPECT_EQ(Multiaddr::make(Protocol::P2pCircuit).value().text(), "/p2p-circuit");
}

// go-multiaddr's TestDecapsulate.
TEST(Multiaddr, Decapsulate) {
  const struct {
    const char *left, *right, *expected;
  } cases[] = {
      {"/ip4/1.2.3.4/tcp/1234", "/ip4/1.2.3.4", ""},
      {"/ip4/1.2.3.4", "/ip4/1.2.3.4/tcp/1234", "/ip4/1.2.3.4"},
      {"/ip4/1.2.3.5/tcp/1234", "/ip4/5.3.2.1", "/ip4/1.2.3.5/tcp/1234"},
      {"/ip4/1.2.3.5/udp/1234/quic-v1", "/udp/1234", "/ip4/1.2.3.5"},
      {"/ip4/1.2.3.6/udp/1234/quic-v1", "/udp/1234/quic-v1", "/ip4/1.2.3.6"},
      {"/ip4/1.2.3.7/tcp/1234", "/ws", "/ip4/1.2.3.7/tcp/1234"},
      {"/dnsaddr/wss.com/tcp/4001", "/ws", "/dnsaddr/wss.com/tcp/4001"},
      {"/dnsaddr/wss.com/tcp/4001/ws", "/wss", "/dnsaddr/wss.com/tcp/4001/ws"},
      {"/dnsaddr/wss.com/ws", "/dnsaddr/wss.com", ""},
      {"/dnsaddr/wss.com/tcp/4001/wss", "/wss", "/dnsaddr/wss.com/tcp/4001"},
  };
  for (const auto& c : cases) EXPECT_EQ(addr(c.left).decapsulate(addr(c.right)).text(), c.expected) << c.left;
  EXPECT_EQ(addr("/ip4/1.2.3.4/udp/5/udp/5").decapsulate(addr("/udp/5")).text(), "/ip4/1.2.3.4/udp/5")
      << "the last one";
  EXPECT_EQ(
      addr("/ip4/1.2.3.4/tcp/1/p2p/QmbHVEEepCi7rn7VL7Exxpd2Ci9NNB6ifvqwhsrbRMgQFP").decapsulate(Protocol::P2p).text(),
      "/ip4/1.2.3.4/tcp/1");
  // Address bytes that look like /tcp/1234 inside an IPv6 address are no component.
  EXPECT_EQ(addr("/ip6/::604:d2").decapsulate(addr("/tcp/1234")).text(), addr("/ip6/::604:d2").text());
}

TEST(Multiaddr, Bounds) {
  std::string many;
  for (std::size_t i = 0; i < Limits::kMultiaddrComponents; ++i) many += "/tls";
  EXPECT_TRUE(Multiaddr::parse(many));
  EXPECT_EQ(Multiaddr::parse(many + "/tls").error().code, ErrorCode::Limit);
  EXPECT_EQ(addr(many).encapsulate(addr("/tls")).error().code, ErrorCode::Limit);
  EXPECT_EQ(Multiaddr::parse("/unix/" + std::string(Limits::kMultiaddrText, 'a')).error().code, ErrorCode::Limit);
  EXPECT_EQ(Multiaddr::parse("/unix/" + std::string(Limits::kMultiaddrBytes, 'a')).error().code, ErrorCode::Limit);
  EXPECT_EQ(Multiaddr::decode(Bytes(Limits::kMultiaddrBytes + 1)).error().code, ErrorCode::Limit);
  EXPECT_TRUE(Multiaddr::parse("/dns4/" + std::string(255, 'a')));
  EXPECT_FALSE(Multiaddr::parse("/dns4/" + std::string(256, 'a')));
  // A27: a name that announces 2^60 bytes.
  Bytes bomb;
  append_varint(bomb, 54);
  append_varint(bomb, std::uint64_t{1} << 60);
  bomb.push_back('a');
  EXPECT_FALSE(Multiaddr::decode(bomb));
}

TEST(Multiaddr, RefusesHostileNames) {
  EXPECT_FALSE(Multiaddr::parse(std::string_view("/ip4/1.2.3.4\0/tcp/1", 19)));
  EXPECT_FALSE(Multiaddr::parse("/dns4/exa\nmple.org/tcp/1"));
  EXPECT_FALSE(Multiaddr::parse("/dns4/exa mple.org/tcp/1"));
  EXPECT_FALSE(Multiaddr::parse("/ip4/1.2.3.04"));
  EXPECT_FALSE(Multiaddr::parse("/ip6/1.2.3.4"));
  EXPECT_FALSE(Multiaddr::parse("ip4/1.2.3.4"));
  EXPECT_FALSE(Multiaddr::parse("/ip4/1.2.3.4//tcp/1"));
  EXPECT_EQ(Multiaddr::parse("/nosuch/1").error().code, ErrorCode::Unsupported);
  EXPECT_FALSE(Multiaddr::decode(from_hex("8400").value())) << "a code that is not minimal";
}

TEST(Multiaddr, OrderAndHash) {
  const std::unordered_set<Multiaddr> set{addr("/tcp/1"), addr("/tcp/1/"), addr("/tcp/2")};
  EXPECT_EQ(set.size(), 2u);
  EXPECT_LT(addr("/tcp/1"), addr("/tcp/2"));
}

}  // namespace
}  // namespace ghmesh::multiformats
