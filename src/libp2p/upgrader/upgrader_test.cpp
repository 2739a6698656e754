// SPDX-License-Identifier: Apache-2.0
#include "libp2p/upgrader/upgrader.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"
#include "libp2p/multistream/negotiation.hpp"
#include "libp2p/noise/noise_security.hpp"

namespace ghmesh::libp2p {
namespace {

struct Gate final : ConnectionGate {
  std::optional<PeerId> banned;
  bool allows_peer(const PeerId& peer, Direction) const override { return !banned || *banned != peer; }
};

struct Host {
  explicit Host(std::vector<std::string> muxers) : identity(key, std::move(muxers), random) {}
  crypto::SecureRandom random;
  PrivateKey key = PrivateKey::generate(random);
  noise::LocalIdentity identity;
  noise::NoiseSecurity security{identity, random};
  PeerId id = PeerId::from_key(key.public_key());
  resource::Manager resources;
  Gate gate;
  Upgrader upgrader{{&security}, gate};
};

struct World {
  io::ManualLoop loop;
  io::TaskGroup tasks{loop};
  Host client, server;
  std::optional<Result<UpgradedConnection>> a, b;
  std::unique_ptr<io::Stream> left, right;

  explicit World(std::vector<std::string> server_muxers = {"/yamux/1.0.0"})
      : client({"/yamux/1.0.0"}), server(std::move(server_muxers)) {
    std::tie(left, right) = io::make_pipe(loop, {.latency = 1ms});
  }
  static io::Task<void> run(Host& host, std::unique_ptr<io::Stream> stream, Direction direction,
                            std::optional<PeerId> expected, std::optional<Result<UpgradedConnection>>& out) {
    const TimePoint now = stream->loop().now();
    auto permit = host.resources.open_connection(
        direction == Direction::Inbound ? resource::Direction::In : resource::Direction::Out, {}, now);
    out.emplace(co_await host.upgrader.upgrade(std::move(stream), std::move(*permit), direction, expected));
  }
  void upgrade(std::optional<PeerId> expected = {}) {
    tasks.spawn(run(client, std::move(left), Direction::Outbound, expected, a));
    tasks.spawn(run(server, std::move(right), Direction::Inbound, {}, b));
    loop.advance(100ms);
  }
};

TEST(Upgrader, BothSidesKnowEachOther) {
  World world;
  world.upgrade(world.server.id);
  ASSERT_TRUE(world.a && *world.a) << world.a->error().message;
  ASSERT_TRUE(world.b && *world.b);
  EXPECT_EQ((*world.a)->secured.remote_peer, world.server.id);
  EXPECT_EQ((*world.b)->secured.remote_peer, world.client.id);
  EXPECT_EQ((*world.a)->security, "/noise");
  EXPECT_EQ((*world.a)->secured.muxer, "/yamux/1.0.0");
  EXPECT_EQ(world.server.resources.usage().transient_connections, 0u);
  EXPECT_EQ(world.server.resources.peers(), 1u);
  EXPECT_EQ((*world.a)->took, 2ms) << "one round trip: the proposal rides before the handshake";
}

TEST(Upgrader, MuxerByMultistreamWhenTheOtherSideOffersNoneEarly) {
  World world({});
  world.upgrade();
  ASSERT_TRUE(world.a && *world.a) << world.a->error().message;
  EXPECT_FALSE((*world.a)->secured.muxer);
  // The initiator is lazy here too, so the responder learns of the muxer with the first frame.
  world.tasks.spawn([](io::Stream& s) -> io::Task<void> {
    EXPECT_TRUE(co_await s.write_all(as_bytes("frame")));
  }(*(*world.a)->secured.stream));
  world.loop.advance(100ms);
  ASSERT_TRUE(world.b && *world.b) << world.b->error().message;
  Bytes got(5);
  EXPECT_EQ((*world.b)->secured.stream->try_read(got).bytes, 5u);
}

TEST(Upgrader, NoMuxerInCommonFails) {
  World world({"/mplex/6.7.0"});
  world.upgrade();
  ASSERT_TRUE(world.a);
  ASSERT_FALSE(*world.a);
  EXPECT_EQ(world.a->error().code, ErrorCode::Unsupported);
}

TEST(Upgrader, WrongPeerIsRefusedAndGivesItsPlaceBack) {
  World world;
  world.upgrade(world.client.id);
  ASSERT_TRUE(world.a);
  ASSERT_FALSE(*world.a);
  EXPECT_EQ(world.a->error().code, ErrorCode::Refused);
  EXPECT_EQ(world.client.resources.usage().connections_out, 0u);
  ASSERT_TRUE(world.b);
  EXPECT_FALSE(*world.b);
  EXPECT_EQ(world.server.resources.usage().connections_in, 0u);
}

TEST(Upgrader, TheGateDecidesAfterTheProof) {
  World world;
  world.server.gate.banned = world.client.id;
  world.upgrade();
  ASSERT_TRUE(world.b);
  ASSERT_FALSE(*world.b);
  EXPECT_EQ(world.b->error().code, ErrorCode::Refused);
  EXPECT_EQ(world.server.resources.peers(), 0u);
}

TEST(Upgrader, OneDeadlineForTheWhole) {
  World world;
  world.tasks.spawn(World::run(world.server, std::move(world.right), Direction::Inbound, {}, world.b));
  // A peer that keeps every single phase alive but never gets done.
  Bytes hello;
  multistream::append_line(hello, multistream::kHeader);
  multistream::append_line(hello, "/noise");
  world.tasks.spawn([](io::Loop& l, io::Stream& s, Bytes out) -> io::Task<void> {
    for (const std::uint8_t& octet : out) {
      co_await l.sleep_for(100ms);
      if (!co_await s.write_all(ByteView(&octet, 1))) co_return;
    }
  }(world.loop, *world.left, hello));
  world.loop.advance(4990ms);
  EXPECT_FALSE(world.b);
  world.loop.advance(20ms);
  ASSERT_TRUE(world.b);
  EXPECT_EQ(world.b->error().code, ErrorCode::Timeout);
  EXPECT_EQ(world.server.resources.usage().transient_connections, 0u);
}

}  // namespace
}  // namespace ghmesh::libp2p
