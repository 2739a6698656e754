// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/secure_stream.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"
#include "libp2p/noise/noise_security.hpp"

namespace ghmesh::libp2p::noise {
namespace {

struct Host {
  crypto::SecureRandom random;
  PrivateKey key = PrivateKey::generate(random);
  LocalIdentity identity{key, {"/yamux/1.0.0"}, random};
  NoiseSecurity security{identity, random};
  PeerId id = PeerId::from_key(key.public_key());
};

struct World {
  io::ManualLoop loop;
  io::TaskGroup tasks{loop};
  Host client, server;
  std::optional<Result<SecuredStream>> a, b;

  void shake(io::PipeOptions options = {}, std::optional<PeerId> expected = {}) {
    auto [left, right] = io::make_pipe(loop, options);
    const auto run = [](Host& h, std::unique_ptr<io::Stream> s, Direction d, std::optional<PeerId> e,
                        std::optional<Result<SecuredStream>>& out) -> io::Task<void> {
      out.emplace(co_await h.security.secure(std::move(s), d, e));
    };
    tasks.spawn(run(client, std::move(left), Direction::Outbound, expected, a));
    tasks.spawn(run(server, std::move(right), Direction::Inbound, {}, b));
    loop.run_until_idle();
  }
};

TEST(NoiseStream, HandshakeThenBytesBothWaysInPiecesOfAnySize) {
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}, std::size_t{1000}}) {
    World world;
    world.shake({.chunk = chunk}, world.server.id);
    ASSERT_TRUE(world.a && *world.a);
    ASSERT_TRUE(world.b && *world.b);
    EXPECT_EQ((*world.a)->remote_peer, world.server.id);
    EXPECT_EQ((*world.b)->remote_peer, world.client.id);
    EXPECT_EQ((*world.a)->muxer, "/yamux/1.0.0");
    EXPECT_EQ((*world.a)->channel_binding, (*world.b)->channel_binding);
    EXPECT_EQ((*world.a)->channel_binding.size(), 32u);
    Bytes data(chunk == 1 ? 3000 : 300'000);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 7 + (i >> 9));
    for (auto* from : {&world.a, &world.b}) {
      auto& to = from == &world.a ? world.b : world.a;
      Bytes got(data.size());
      world.tasks.spawn([](io::Stream& s, const Bytes& d) -> io::Task<void> {
        const ByteView parts[] = {ByteView(d).first(10), ByteView(d).subspan(10, 990), ByteView(d).subspan(1000)};
        EXPECT_TRUE(co_await s.write_all(parts));
        s.shutdown_write();
      }(*(**from)->stream, data));
      bool ended = false;
      world.tasks.spawn([](io::Stream& s, Bytes& g, bool& e) -> io::Task<void> {
        EXPECT_TRUE(co_await s.read_exact(g));
        std::uint8_t one;
        e = (co_await s.read_some({&one, 1})).value_or(9) == 0;
      }(*(*to)->stream, got, ended));
      world.loop.run_until_idle();
      EXPECT_EQ(got, data);
      EXPECT_TRUE(ended);
    }
  }
}

TEST(NoiseStream, SmallReadsGetAllOfABatch) {
  World world;
  world.shake();
  const auto send = [&](std::string_view text) {
    Bytes raw = to_bytes(text);
    const iovec part{raw.data(), raw.size()};
    ASSERT_EQ((*world.a)->stream->try_write({&part, 1}).kind, io::IoStatus::Done);
  };
  for (const char* text : {"abc", "defgh", "i"}) send(text);
  std::string got;
  world.tasks.spawn([](io::Stream& s, std::string& g) -> io::Task<void> {
    std::uint8_t two[2];
    while (g.size() < 9) {
      const auto n = co_await s.read_some(two);
      if (!n || *n == 0) co_return;
      g += as_text(ByteView(two, *n));
    }
  }(*(*world.b)->stream, got));
  world.loop.run_until_idle();
  EXPECT_EQ(got, "abcdefghi");
}

TEST(NoiseStream, AnotherPeerThanTheOneDialledIsRefused) {
  World world;
  world.shake({}, world.client.id);
  ASSERT_TRUE(world.a);
  ASSERT_FALSE(*world.a);
  EXPECT_EQ(world.a->error().code, ErrorCode::Refused);
  ASSERT_TRUE(world.b);
  EXPECT_FALSE(*world.b) << "the responder never learns who it was";
}

TEST(NoiseStream, AnAlteredMessageEndsTheStream) {
  World world;
  auto [left, right] = io::make_pipe(world.loop);
  io::Stream* wire = nullptr;
  auto [a, tap] = io::make_pipe(world.loop);
  wire = tap.get();
  crypto::SecretKey32 k1, k2, k3, k4;
  k1.expose_mutable()[0] = k3.expose_mutable()[0] = 1;
  k2.expose_mutable()[0] = k4.expose_mutable()[0] = 2;
  auto sender = make_secure_stream(std::move(a), Transport{FrameSealer(k1), FrameOpener(k2), {}});
  auto receiver = make_secure_stream(std::move(right), Transport{FrameSealer(k4), FrameOpener(k3), {}});
  Bytes raw = to_bytes("hello");
  const iovec part{raw.data(), raw.size()};
  ASSERT_EQ(sender->try_write({&part, 1}).kind, io::IoStatus::Done);
  Bytes sealed(2 + 5 + 16);
  ASSERT_EQ(wire->try_read(sealed).bytes, sealed.size());
  sealed[4] ^= 1;
  const iovec bad{sealed.data(), sealed.size()};
  ASSERT_EQ(left->try_write({&bad, 1}).kind, io::IoStatus::Done);
  Bytes out(100);
  EXPECT_EQ(receiver->try_read(out).kind, io::IoStatus::Failed);
  EXPECT_EQ(receiver->error().code, ErrorCode::Authentic);
}

TEST(NoiseStream, AMessageWithoutRoomForItsTagIsMalformed) {
  io::ManualLoop loop;
  auto [left, right] = io::make_pipe(loop);
  crypto::SecretKey32 k;
  auto receiver = make_secure_stream(std::move(right), Transport{FrameSealer(k), FrameOpener(k), {}});
  Bytes short_frame = {0, 3, 1, 2};
  const iovec part{short_frame.data(), short_frame.size()};
  ASSERT_EQ(left->try_write({&part, 1}).kind, io::IoStatus::Done);
  Bytes out(100);
  EXPECT_EQ(receiver->try_read(out).kind, io::IoStatus::Failed);
  EXPECT_EQ(receiver->error().code, ErrorCode::Malformed);
}

}  // namespace
}  // namespace ghmesh::libp2p::noise
