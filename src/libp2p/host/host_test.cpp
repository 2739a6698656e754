// SPDX-License-Identifier: Apache-2.0
#include "libp2p/host/host.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"
#include "libp2p/request/request.hpp"

namespace ghmesh::libp2p {
namespace {

using multiformats::Multiaddr;

struct Node {
  Node(io::MemoryNetwork& net, std::uint8_t n)
      : network(net.host(io::IpAddress::v4(10, 0, 0, n))),
        host(*network, random, {.key = PrivateKey::generate(random)}) {
    EXPECT_TRUE(host.swarm().listen(*Multiaddr::parse("/ip4/10.0.0." + std::to_string(n) + "/tcp/4001")));
  }
  crypto::SecureRandom random;
  std::unique_ptr<io::Network> network;
  Host host;
};

struct World {
  io::ManualLoop loop;
  io::MemoryNetwork net{loop};
  io::TaskGroup tasks{loop};
  Node a{net, 1}, b{net, 2};

  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> out;
    tasks.spawn([](io::Task<T> t, std::optional<T>& o) -> io::Task<void> { o.emplace(co_await std::move(t)); }(
                                                           std::move(task), out));
    EXPECT_TRUE(loop.run_until([&] { return out.has_value(); }));
    return std::move(*out);
  }
  void connect() {
    ASSERT_TRUE(run(a.host.swarm().dial(b.host.addresses()[0])));
    loop.advance(100ms);
  }
};

TEST(Host, IdentifyTellsBothSidesWithoutAsking) {
  World w;
  w.connect();
  for (auto [self, other] : {std::pair(&w.a, &w.b), std::pair(&w.b, &w.a)}) {
    const auto connection = self->host.swarm().connection(other->host.id());
    ASSERT_TRUE(connection);
    EXPECT_EQ(connection->info().agent_version, "ghmesh");
    EXPECT_TRUE(connection->info().certified);
    EXPECT_EQ(connection->info().protocols.size(), 3u);
    EXPECT_TRUE(connection->info().observed_address);
    EXPECT_EQ(self->host.peerstore().addresses(other->host.id(), w.loop.now()).size(), 1u + (self == &w.b ? 0 : 0));
  }
}

TEST(Host, ChangesArePushedOnce) {
  World w;
  w.connect();
  w.loop.advance(2s);
  int told = 0;
  w.b.host.identify().on_identified([&](const auto&) { ++told; });
  for (const char* name : {"/x/1", "/y/1", "/z/1"})
    w.a.host.swarm().set_handler(name, [](PeerStream) -> io::Task<void> { co_return; });
  w.loop.advance(2s);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(w.b.host.swarm().connection(w.a.host.id())->info().protocols.size(), 6u);
}

TEST(Host, PingsOnOneStream) {
  World w;
  w.net.set_latency([](const auto&, const auto&) { return 5ms; });
  w.connect();
  const auto done = w.run([](World& world) -> io::Task<int> {
    auto pinger = ping::Pinger::open(*world.a.host.swarm().connection(world.b.host.id()), world.a.random);
    int n = 0;
    for (int i = 0; i < 100; ++i) {
      const auto rtt = co_await pinger->ping();
      if (rtt && *rtt >= 10ms && *rtt < 20ms) ++n;
    }
    co_return n;
  }(w));
  EXPECT_EQ(done, 100);
}

TEST(Host, RequestsAreAnsweredLimitedAndTimedOut) {
  World w;
  w.connect();
  serve_requests(w.b.host.swarm(), "/up/1.0.0", [](PeerId, Bytes m) -> io::Task<Result<Bytes>> {
    for (auto& c : m) c = static_cast<std::uint8_t>(c - 32);
    co_return m;
  });
  serve_requests(w.b.host.swarm(), "/never/1.0.0", [&](PeerId, Bytes m) -> io::Task<Result<Bytes>> {
    co_await w.loop.sleep_for(1h);
    co_return m;
  });
  serve_requests(w.b.host.swarm(), "/big/1.0.0",
                 [](PeerId, Bytes) -> io::Task<Result<Bytes>> { co_return Bytes(10000); });
  auto& swarm = w.a.host.swarm();
  const PeerId b = w.b.host.id();
  EXPECT_EQ(to_text(*w.run(request(swarm, b, "/up/1.0.0", to_bytes("hello")))), "HELLO");
  EXPECT_EQ(w.run(request(swarm, b, "/never/1.0.0", {})).error().code, ErrorCode::Timeout);
  EXPECT_EQ(w.run(request(swarm, b, "/big/1.0.0", {}, {.max_response = 9999})).error().code, ErrorCode::Limit);
  EXPECT_EQ(w.run(request(swarm, b, "/none/1.0.0", {})).error().code, ErrorCode::Unsupported);
  w.loop.advance(15s);
  EXPECT_EQ(w.a.host.resources().usage().streams, 0u);
  EXPECT_EQ(w.b.host.resources().usage().streams, 0u);
}

// A peer of another make may answer and keep its end (doc/notes/2026-11-23-early-end.md); the answer counts.
TEST(Host, AnAnswerWithoutAnEndIsAnAnswer) {
  World w;
  w.connect();
  w.b.host.swarm().set_handler("/endless/1.0.0", [](PeerStream stream) -> io::Task<void> {
    FrameReader reader(*stream, 100);
    const auto asked = co_await reader.next();
    if (!asked || !*asked) co_return;
    EXPECT_TRUE(co_await write_frame(*stream, **asked));
    co_await stream->loop().sleep_for(1h);
  });
  const TimePoint begin = w.loop.now();
  EXPECT_EQ(to_text(*w.run(request(w.a.host.swarm(), w.b.host.id(), "/endless/1.0.0", to_bytes("x")))), "x");
  EXPECT_LT(w.loop.now() - begin, 1s);
  // The stream lingers without an owner and is then reset, so that nothing of it stays with us.
  w.loop.advance(15s);
  EXPECT_EQ(w.a.host.resources().usage().memory, 0u);
  EXPECT_EQ(w.a.host.resources().usage().streams, 0u);
}

TEST(Host, TenThousandStreamsLeaveNothingBehind) {
  World w;
  w.connect();
  serve_requests(w.b.host.swarm(), "/up/1.0.0", [](PeerId, Bytes m) -> io::Task<Result<Bytes>> { co_return m; });
  const int done = w.run([](World& world) -> io::Task<int> {
    int n = 0;
    for (int i = 0; i < 10000; ++i)
      n += (co_await request(world.a.host.swarm(), world.b.host.id(), "/up/1.0.0", to_bytes("x"))).has_value();
    co_return n;
  }(w));
  EXPECT_EQ(done, 10000);
  w.loop.advance(1s);
  EXPECT_EQ(w.a.host.resources().usage().streams, 0u);
  EXPECT_EQ(w.b.host.resources().usage().memory, 0u);
}

}  // namespace
}  // namespace ghmesh::libp2p
