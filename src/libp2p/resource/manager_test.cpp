// SPDX-License-Identifier: Apache-2.0
#include "libp2p/resource/manager.hpp"

#include <gtest/gtest.h>

namespace ghmesh::libp2p::resource {
namespace {

const TimePoint kNow = ManualClock().now();
const io::IpAddress kHost = io::IpAddress::v4(192, 0, 2, 1);

io::IpAddress host(int i) {
  return io::IpAddress::v4(198, 51, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
}

TEST(Resource, TheTableMakesSense) {
  EXPECT_EQ(complaint(Limits{}), "");
  Limits l;
  l.streams = 10;
  EXPECT_NE(complaint(l), "");
  l = {};
  l.memory_per_connection = 1 << 20;
  EXPECT_NE(complaint(l), "");
  l = {};
  l.connections_in = 100000;
  EXPECT_NE(complaint(l), "");
}

TEST(Resource, EveryPermitGivesBack) {
  Manager manager;
  {
    auto permit = *manager.open_connection(Direction::In, kHost, kNow);
    EXPECT_EQ(manager.usage().transient_connections, 1u);
    ASSERT_TRUE(permit.admit("peer"));
    EXPECT_EQ(manager.usage().transient_connections, 0u);
    EXPECT_EQ(manager.peers(), 1u);
    auto stream = *permit.open_stream();
    EXPECT_EQ(manager.usage().transient_streams, 1u);
    ASSERT_TRUE(stream.set_protocol("/a"));
    EXPECT_EQ(manager.usage().transient_streams, 0u);
    EXPECT_EQ(manager.usage().streams, 1u);
    ASSERT_TRUE(permit.try_reserve(1000));
    auto moved = std::move(permit);
    EXPECT_EQ(moved.memory(), 1000u);
  }
  const Usage& usage = manager.usage();
  EXPECT_EQ(usage.connections_in + usage.transient_connections + usage.streams + usage.transient_streams, 0u);
  EXPECT_EQ(usage.memory, 0u);
  EXPECT_EQ(manager.peers(), 0u);
}

TEST(Resource, AStreamMayOutliveItsConnection) {
  Manager manager;
  StreamPermit stream;
  {
    auto permit = *manager.open_connection(Direction::Out, {}, kNow);
    ASSERT_TRUE(permit.admit("peer"));
    stream = *permit.open_stream();
  }
  EXPECT_EQ(manager.usage().streams, 0u);
  EXPECT_FALSE(stream.set_protocol("/a"));
}

TEST(Resource, AFullTransientScopeLeavesTheProvenAlone) {
  Manager manager;
  auto proven = *manager.open_connection(Direction::In, kHost, kNow);
  ASSERT_TRUE(proven.admit("honest"));
  std::vector<ConnectionPermit> flood;
  for (std::uint32_t i = 0; i < manager.limits().transient_connections; ++i)
    flood.push_back(*manager.open_connection(Direction::In, host(static_cast<int>(i)), kNow));
  EXPECT_FALSE(manager.open_connection(Direction::In, host(999), kNow));
  EXPECT_TRUE(proven.open_stream());
  flood.pop_back();
  EXPECT_TRUE(manager.open_connection(Direction::In, host(999), kNow));
}

TEST(Resource, ConnectionsPerAddressAndSite) {
  Limits limits;
  limits.transient_connections = 64;
  limits.accept_burst = 1000;
  Manager manager(limits);
  std::vector<ConnectionPermit> held;
  const auto fill = [&](const io::IpAddress& address) {
    std::uint32_t n = 0;
    while (auto permit = manager.open_connection(Direction::In, address, kNow)) {
      held.push_back(std::move(*permit));
      ++n;
    }
    return n;
  };
  EXPECT_EQ(fill(kHost), 8u);
  EXPECT_EQ(fill(io::IpAddress::v4(192, 0, 2, 2)), 8u);
  EXPECT_EQ(fill(*io::IpAddress::parse("2001:db8:0:100::1")), 8u);
  EXPECT_EQ(fill(*io::IpAddress::parse("2001:db8:0:1ff::1")), 0u) << "the same /56";
  EXPECT_EQ(fill(*io::IpAddress::parse("2001:db8:0:200::1")), 8u) << "another /56";
}

TEST(Resource, LoopbackIsNotExempt) {
  Limits limits;
  limits.transient_connections = 64;
  limits.connections_per_loopback = 10;
  Manager manager(limits);
  std::vector<ConnectionPermit> held;
  while (auto permit = manager.open_connection(Direction::In, io::IpAddress::loopback(), kNow))
    held.push_back(std::move(*permit));
  EXPECT_EQ(held.size(), 10u);
}

TEST(Resource, RateOfNewConnections) {
  Manager manager;
  int accepted = 0;
  for (int i = 0; i < 100; ++i) accepted += manager.open_connection(Direction::In, kHost, kNow).has_value();
  EXPECT_EQ(accepted, 16);
  EXPECT_TRUE(manager.open_connection(Direction::In, host(1), kNow)) << "others are not concerned";
  EXPECT_TRUE(manager.open_connection(Direction::In, kHost, kNow + std::chrono::seconds(5)));
  EXPECT_FALSE(manager.open_connection(Direction::In, kHost, kNow + std::chrono::seconds(5)));
}

TEST(Resource, RememberedAddressesAreBounded) {
  Limits limits;
  limits.tracked_addresses = 8;
  Manager manager(limits);
  int accepted = 0;
  for (int i = 0; i < 1000; ++i) accepted += manager.open_connection(Direction::In, host(i), kNow).has_value();
  EXPECT_EQ(accepted, 8 + 16) << "strangers beyond the table share one bucket";
}

TEST(Resource, ConnectionsPerPeer) {
  Manager manager;
  auto a = *manager.open_connection(Direction::In, kHost, kNow);
  auto b = *manager.open_connection(Direction::Out, kHost, kNow);
  auto c = *manager.open_connection(Direction::In, kHost, kNow);
  EXPECT_TRUE(a.admit("peer"));
  EXPECT_TRUE(b.admit("peer"));
  EXPECT_FALSE(c.admit("peer"));
  EXPECT_TRUE(c.admit("other"));
}

TEST(Resource, StreamsPerConnectionPeerAndProtocol) {
  Limits limits;
  limits.streams_per_protocol_and_peer = 40;
  limits.protocol_streams["/ping"] = 1;
  Manager manager(limits);
  auto a = *manager.open_connection(Direction::In, kHost, kNow);
  auto b = *manager.open_connection(Direction::In, kHost, kNow);
  ASSERT_TRUE(a.admit("peer"));
  ASSERT_TRUE(b.admit("peer"));
  std::vector<StreamPermit> held;
  const auto fill = [&](ConnectionPermit& permit) {
    std::size_t n = 0;
    while (auto stream = permit.open_stream()) held.push_back(std::move(*stream)), ++n;
    return n;
  };
  EXPECT_EQ(fill(a), 32u);
  EXPECT_EQ(fill(b), 32u);
  EXPECT_EQ(manager.usage().streams, 64u);
  std::size_t of_protocol = 0;
  for (StreamPermit& stream : held)
    if (stream.set_protocol("/x")) ++of_protocol;
  EXPECT_EQ(of_protocol, 40u);
  held.erase(held.begin(), held.begin() + 2);
  auto first = *a.open_stream();
  auto second = *a.open_stream();
  EXPECT_TRUE(first.set_protocol("/ping"));
  EXPECT_FALSE(second.set_protocol("/ping"));
}

TEST(Resource, AProtocolsOwnNumberIsPerConnectionAndOfTheOthersStreamsOnly) {
  Limits limits;
  limits.protocol_streams["/ping"] = 1;
  Manager manager(limits);
  auto a = *manager.open_connection(Direction::In, kHost, kNow);
  auto b = *manager.open_connection(Direction::Out, kHost, kNow);
  ASSERT_TRUE(a.admit("peer"));
  ASSERT_TRUE(b.admit("peer"));
  const auto takes = [](ConnectionPermit& permit, Direction direction, std::optional<StreamPermit>& into) {
    into = *permit.open_stream(direction);
    return into->set_protocol("/ping").has_value();
  };
  std::optional<StreamPermit> in_a, in_b, out_a, out_too, more;
  EXPECT_TRUE(takes(a, Direction::In, in_a));
  EXPECT_TRUE(takes(b, Direction::In, in_b));
  EXPECT_TRUE(takes(a, Direction::Out, out_a));
  EXPECT_TRUE(takes(a, Direction::Out, out_too));
  EXPECT_FALSE(takes(a, Direction::In, more));
  in_a.reset();
  EXPECT_TRUE(takes(a, Direction::In, more));
}

TEST(Resource, MemoryPerConnectionPeerAndSystem) {
  Limits limits;
  limits.memory_per_connection = 100;
  limits.memory_per_peer = 150;
  limits.memory = 200;
  Manager manager(limits);
  auto a = *manager.open_connection(Direction::In, kHost, kNow);
  auto b = *manager.open_connection(Direction::In, kHost, kNow);
  auto c = *manager.open_connection(Direction::In, kHost, kNow);
  ASSERT_TRUE(a.admit("one"));
  ASSERT_TRUE(b.admit("one"));
  ASSERT_TRUE(c.admit("two"));
  EXPECT_TRUE(a.try_reserve(100));
  EXPECT_FALSE(a.try_reserve(1));
  EXPECT_FALSE(b.try_reserve(51));
  EXPECT_TRUE(b.try_reserve(50));
  EXPECT_FALSE(c.try_reserve(51));
  EXPECT_FALSE(c.try_reserve(SIZE_MAX));
  EXPECT_TRUE(c.try_reserve(50));
  a.unreserve(100);
  EXPECT_TRUE(c.try_reserve(50));
  EXPECT_EQ(manager.usage().refused_memory, 4u);
}

}  // namespace
}  // namespace ghmesh::libp2p::resource
