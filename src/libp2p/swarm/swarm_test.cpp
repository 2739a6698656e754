// SPDX-License-Identifier: Apache-2.0
#include "libp2p/swarm/swarm.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"
#include "libp2p/noise/noise_security.hpp"

namespace ghmesh::libp2p {
namespace {

using multiformats::Multiaddr;

struct Host {
  Host(io::MemoryNetwork& net, std::uint8_t n, SwarmLimits limits = {})
      : address(io::IpAddress::v4(10, 0, 0, n)), network(net.host(address)), swarm(environment(), limits, {}) {}
  Swarm::Environment environment() {
    return {*network, upgrader, gate, resources, peerstore, id, log::Logger(), &registry};
  }
  io::Task<void> echo(PeerStream s) {
    Bytes buffer(1000);
    while (true) {
      const auto n = co_await s->read_some(buffer);
      if (!n || *n == 0) break;
      if (!co_await s->write_all(ByteView(buffer).first(*n))) co_return;
    }
    s->shutdown_write();
  }
  Multiaddr listen() {
    swarm.set_handler("/echo/1.0.0", [this](PeerStream s) { return echo(std::move(s)); });
    return *with_peer(
        *swarm.listen(*Multiaddr::parse("/ip4/10.0.0." + std::to_string(address.octets[3]) + "/tcp/4001")), id);
  }

  crypto::SecureRandom random;
  PrivateKey key = PrivateKey::generate(random);
  PeerId id = PeerId::from_key(key.public_key());
  noise::LocalIdentity identity{key, {"/yamux/1.0.0"}, random};
  noise::NoiseSecurity security{identity, random};
  ConnectionGate gate;
  Upgrader upgrader{{&security}, gate};
  resource::Manager resources;
  Peerstore peerstore;
  metrics::Registry registry;
  io::IpAddress address;
  std::unique_ptr<io::Network> network;
  Swarm swarm;
};

struct World {
  io::ManualLoop loop;
  io::MemoryNetwork net{loop};
  io::TaskGroup tasks{loop};

  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> out;
    tasks.spawn([](io::Task<T> t, std::optional<T>& o) -> io::Task<void> { o.emplace(co_await std::move(t)); }(
                                                           std::move(task), out));
    EXPECT_TRUE(loop.run_until([&] { return out.has_value(); }));
    return std::move(*out);
  }
  static io::Task<std::string> ask(Host& host, PeerId peer, std::string text) {
    auto stream = co_await host.swarm.open(peer, "/echo/1.0.0");
    if (!stream) co_return stream.error().message;
    if (auto sent = co_await (*stream)->write_all(as_bytes(text)); !sent) co_return sent.error().message;
    (*stream)->shutdown_write();
    std::string got;
    Bytes buffer(100);
    while (true) {
      const auto n = co_await (*stream)->read_some(buffer);
      if (!n) co_return n.error().message;
      if (*n == 0) co_return got;
      got += as_text(ByteView(buffer).first(*n));
    }
  }
};

TEST(Swarm, DialsByPeerIdAndServesAStream) {
  World w;
  Host a(w.net, 1), b(w.net, 2);
  a.peerstore.add(b.id, {b.listen()}, 1h, w.loop.now());
  EXPECT_EQ(w.run(World::ask(a, b.id, "hello")), "hello");
  EXPECT_EQ(w.run(World::ask(b, a.id, "the other way needs an address or a connection")).size() > 0, true);
  ASSERT_TRUE(a.swarm.connection(b.id));
  ASSERT_TRUE(b.swarm.connection(a.id));
  EXPECT_TRUE(equal(a.swarm.connection(b.id)->channel_binding(), b.swarm.connection(a.id)->channel_binding()));
  EXPECT_EQ(a.swarm.connection(b.id)->direction(), Direction::Outbound);
  w.loop.advance(1s);
  EXPECT_EQ(a.resources.usage().streams, 0u);
  EXPECT_EQ(b.resources.usage().streams, 0u);
}

TEST(Swarm, CountsConnectionsHandshakesStreamsOctetsAndResets) {
  World w;
  Host a(w.net, 1), b(w.net, 2);
  a.peerstore.add(b.id, {b.listen()}, 1h, w.loop.now());
  EXPECT_EQ(w.run(World::ask(a, b.id, "hello")), "hello");
  {
    auto cut = w.run(a.swarm.open(b.id, "/echo/1.0.0"));
    ASSERT_TRUE(cut);
    EXPECT_TRUE(w.run(
        [](io::Stream& s) -> io::Task<bool> { co_return (co_await s.write_all(as_bytes("x"))).has_value(); }(**cut)));
    w.loop.advance(10ms);
  }  // dropped while it is open
  w.loop.advance(2s);
  const auto count = [](Host& host, std::string name, metrics::Labels labels) {
    return host.registry.counter(name, "", std::move(labels)).value();
  };
  EXPECT_EQ(count(a, "p2p_handshakes_total", {{"result", "done"}}), 1u);
  EXPECT_EQ(count(a, "p2p_streams_total", {{"direction", "out"}}), 2u);
  EXPECT_EQ(count(b, "p2p_streams_total", {{"direction", "in"}}), 2u);
  EXPECT_EQ(count(a, "p2p_stream_resets_total", {{"direction", "out"}}), 1u);
  EXPECT_EQ(count(b, "p2p_stream_resets_total", {{"direction", "in"}}), 1u);
  EXPECT_EQ(count(b, "p2p_stream_resets_total", {{"direction", "out"}}), 0u);
  EXPECT_GT(count(a, "p2p_bytes_total", {{"direction", "out"}}), 30u);
  EXPECT_EQ(count(a, "p2p_bytes_total", {{"direction", "out"}}), count(b, "p2p_bytes_total", {{"direction", "in"}}));
}

TEST(Swarm, ConcurrentConnectsShareOneDial) {
  World w;
  Host a(w.net, 1), b(w.net, 2);
  a.peerstore.add(b.id, {b.listen()}, 1h, w.loop.now());
  int done = 0;
  for (int i = 0; i < 5; ++i)
    w.tasks.spawn([](Host& h, PeerId p, int& d) -> io::Task<void> {
      EXPECT_TRUE(co_await h.swarm.connect(p));
      ++d;
    }(a, b.id, done));
  ASSERT_TRUE(w.loop.run_until([&] { return done == 5; }));
  EXPECT_EQ(w.net.connections_made(), 1u);
}

TEST(Swarm, UnknownProtocolIsRefusedWhenRead) {
  World w;
  Host a(w.net, 1), b(w.net, 2);
  a.peerstore.add(b.id, {b.listen()}, 1h, w.loop.now());
  const auto code = w.run([](Host& h, PeerId p) -> io::Task<ErrorCode> {
    auto stream = co_await h.swarm.open(p, "/nobody/1.0.0");
    std::uint8_t one;
    const auto n = co_await (*stream)->read_some({&one, 1});
    co_return n ? ErrorCode::Internal : n.error().code;
  }(a, b.id));
  EXPECT_EQ(code, ErrorCode::Unsupported);
}

TEST(Swarm, AWrongPeerAtAnAddressIsRefused) {
  World w;
  Host a(w.net, 1), b(w.net, 2), c(w.net, 3);
  const Multiaddr at_b = b.listen().decapsulate(multiformats::Protocol::P2p);
  const auto result = w.run(a.swarm.dial(*with_peer(at_b, c.id)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::Refused);
  EXPECT_TRUE(a.swarm.connections().empty());
  w.loop.advance(1s);
  EXPECT_TRUE(b.swarm.connections().empty());
}

TEST(Swarm, OneDeadAddressDoesNotDelayMuch) {
  World w;
  Host a(w.net, 1), b(w.net, 2), dead(w.net, 9);
  const Multiaddr good = b.listen();
  w.net.set_cut(a.address, dead.address, true);
  a.peerstore.add(b.id, {*Multiaddr::parse("/ip4/10.0.0.9/tcp/4001"), good}, 1h, w.loop.now());
  const TimePoint begin = w.loop.now();
  EXPECT_TRUE(w.run(a.swarm.connect(b.id)));
  EXPECT_LT(w.loop.now() - begin, 400ms);
}

TEST(Swarm, FailedDialsBackOff) {
  World w;
  Host a(w.net, 1), b(w.net, 2);
  a.peerstore.add(b.id, {*Multiaddr::parse("/ip4/10.0.0.2/tcp/4001")}, 1h, w.loop.now());
  EXPECT_FALSE(w.run(a.swarm.connect(b.id)));
  const auto second = w.run(a.swarm.connect(b.id));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::Refused);
  b.listen();
  w.loop.advance(1100ms);
  EXPECT_TRUE(w.run(a.swarm.connect(b.id)));
}

TEST(Swarm, WhoIsKnownToBeBackIsDialledAtOnce) {
  World w;
  Host a(w.net, 1), b(w.net, 2);
  a.peerstore.add(b.id, {*Multiaddr::parse("/ip4/10.0.0.2/tcp/4001")}, 1h, w.loop.now());
  EXPECT_FALSE(w.run(a.swarm.connect(b.id)));
  b.listen();
  EXPECT_FALSE(w.run(a.swarm.connect(b.id)));
  a.swarm.forget_failures(b.id);
  EXPECT_TRUE(w.run(a.swarm.connect(b.id)));
}

TEST(Swarm, DialledAtOnceFromBothSidesLeavesTheSameOne) {
  for (int round = 0; round < 6; ++round) {
    World w;
    Host a(w.net, 1), b(w.net, 2);
    w.net.set_latency([](const auto&, const auto&) { return 20ms; });
    a.peerstore.add(b.id, {b.listen()}, 1h, w.loop.now());
    b.peerstore.add(a.id, {a.listen()}, 1h, w.loop.now());
    int done = 0;
    for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)})
      w.tasks.spawn([](Host& h, PeerId p, int& d) -> io::Task<void> {
        EXPECT_EQ(co_await World::ask(h, p, "both"), "both");
        ++d;
      }(*from, to->id, done));
    ASSERT_TRUE(w.loop.run_until([&] { return done == 2; }));
    w.loop.advance(15s);
    ASSERT_EQ(a.swarm.connections().size(), 1u);
    ASSERT_EQ(b.swarm.connections().size(), 1u);
    EXPECT_TRUE(equal(a.swarm.connection(b.id)->channel_binding(), b.swarm.connection(a.id)->channel_binding()));
    EXPECT_EQ(a.resources.usage().connections_in + a.resources.usage().connections_out, 1u);
    const bool a_smaller = a.id < b.id;
    EXPECT_EQ(a.swarm.connection(b.id)->direction(), a_smaller ? Direction::Outbound : Direction::Inbound);
  }
}

TEST(Swarm, IdleConnectionsEndAndProtectedOnesStay) {
  World w;
  SwarmLimits limits;
  limits.idle_after = 30s;
  Host a(w.net, 1, limits), b(w.net, 2), c(w.net, 3);
  a.peerstore.add(b.id, {b.listen()}, 1h, w.loop.now());
  a.peerstore.add(c.id, {c.listen()}, 1h, w.loop.now());
  ASSERT_TRUE(w.run(a.swarm.connect(b.id)));
  ASSERT_TRUE(w.run(a.swarm.connect(c.id)));
  a.swarm.connection(c.id)->set_protected(true);
  w.loop.advance(29s);
  EXPECT_EQ(a.swarm.connections().size(), 2u);
  w.loop.advance(3s);
  EXPECT_EQ(a.swarm.connections().size(), 1u);
  EXPECT_TRUE(a.swarm.connection(c.id));
  EXPECT_TRUE(b.swarm.connections().empty());
  EXPECT_EQ(b.resources.peers(), 0u);
}

TEST(Swarm, AKilledPeerIsNoticed) {
  World w;
  Host a(w.net, 1), b(w.net, 2);
  int gone = 0;
  a.swarm.on_disconnected([&](const auto&) { ++gone; });
  a.peerstore.add(b.id, {b.listen()}, 1h, w.loop.now());
  ASSERT_TRUE(w.run(a.swarm.connect(b.id)));
  w.net.kill(b.address);
  w.loop.advance(1s);
  EXPECT_EQ(gone, 1);
  EXPECT_TRUE(a.swarm.connections().empty());
}

// Half-open flood: silent connections fill the transient scope and nothing else; a newcomer takes the place of the
// oldest.
TEST(Swarm, HalfOpenFloodLetsAnHonestPeerIn) {
  World w;
  Host victim(w.net, 1), honest(w.net, 2);
  const Multiaddr at = victim.listen();
  honest.peerstore.add(victim.id, {at}, 1h, w.loop.now());
  std::vector<std::unique_ptr<io::Network>> attackers;
  std::vector<std::unique_ptr<io::Stream>> held;
  int opened = 0;
  for (int i = 0; i < 100; ++i) {
    attackers.push_back(w.net.host(io::IpAddress::v4(10, 1, 0, static_cast<std::uint8_t>(i))));
    for (int j = 0; j < 100; ++j)
      w.tasks.spawn(
          [](io::Network& n, io::Endpoint to, std::vector<std::unique_ptr<io::Stream>>& h, int& o) -> io::Task<void> {
            auto stream = co_await n.dial(to);
            ++o;
            if (stream) h.push_back(std::move(*stream));
          }(*attackers.back(), {victim.address, 4001}, held, opened));
  }
  ASSERT_TRUE(w.loop.run_until([&] { return opened == 10000; }, 2s));
  w.loop.advance(300ms);
  EXPECT_EQ(victim.resources.usage().transient_connections, victim.resources.limits().transient_connections);
  const TimePoint begin = w.loop.now();
  EXPECT_TRUE(w.run(honest.swarm.connect(victim.id)));
  EXPECT_LT(w.loop.now() - begin, 100ms);
  w.loop.advance(6s);
  EXPECT_EQ(victim.resources.usage().transient_connections, 0u);
  EXPECT_EQ(victim.swarm.connections().size(), 1u);
}

}  // namespace
}  // namespace ghmesh::libp2p
