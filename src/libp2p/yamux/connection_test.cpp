// SPDX-License-Identifier: Apache-2.0
#include "libp2p/yamux/connection.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"

namespace ghmesh::libp2p::yamux {
namespace {

io::Task<void> echo(std::unique_ptr<io::Stream> stream) {
  Bytes buffer(10000);
  while (true) {
    const auto n = co_await stream->read_some(buffer);
    if (!n || *n == 0) break;
    if (!co_await stream->write_all(ByteView(buffer).first(*n))) co_return;
  }
  stream->shutdown_write();
}

struct World {
  io::ManualLoop loop;
  io::TaskGroup tasks{loop};
  std::unique_ptr<Connection> client, server;
  std::optional<Error> client_closed, server_closed;
  std::vector<std::unique_ptr<io::Stream>> kept;
  bool keep = false;

  explicit World(io::PipeOptions options = {}, Limits limits = {}) {
    auto [a, b] = io::make_pipe(loop, options);
    client = std::make_unique<Connection>(
        std::move(a), Role::Client, limits, nullptr, [](auto) {}, [this](const Error& e) { client_closed = e; });
    server = std::make_unique<Connection>(
        std::move(b), Role::Server, limits, nullptr,
        [this](std::unique_ptr<io::Stream> s) {
          if (keep)
            kept.push_back(std::move(s));
          else
            tasks.spawn(echo(std::move(s)));
        },
        [this](const Error& e) { server_closed = e; });
  }
  void run(io::Task<void> task) {
    bool done = false;
    tasks.spawn([](io::Task<void> t, bool& flag) -> io::Task<void> {
      co_await std::move(t);
      flag = true;
    }(std::move(task), done));
    ASSERT_TRUE(loop.run_until([&] { return done; }));
  }
};

io::Task<void> send(io::Stream& stream, const Bytes& data) {
  EXPECT_TRUE(co_await stream.write_all(data));
  stream.shutdown_write();
}

io::Task<void> round_trip(io::Loop& loop, Connection& connection, std::size_t size, std::size_t& done) {
  auto stream = connection.open();
  EXPECT_TRUE(stream);
  if (!stream) co_return;
  Bytes data(size);
  for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<std::uint8_t>(i * 13 + size);
  io::TaskGroup group(loop);
  group.spawn(send(**stream, data));
  Bytes got(size);
  EXPECT_TRUE(co_await (*stream)->read_exact(got));
  EXPECT_EQ(got, data);
  std::uint8_t more;
  EXPECT_EQ((co_await (*stream)->read_some({&more, 1})).value_or(99), 0u);
  co_await group.join();
  ++done;
}

TEST(Connection, EchoOfManyStreamsAtOnce) {
  World world;
  std::size_t done = 0;
  io::TaskGroup group(world.loop);
  for (std::size_t i = 0; i < 20; ++i) group.spawn(round_trip(world.loop, *world.client, 1 + i * 5000, done));
  ASSERT_TRUE(world.loop.run_until([&] { return done == 20; }));
  world.loop.advance(1ms);
  EXPECT_EQ(world.client->session().stream_count(), 0u);
  EXPECT_EQ(world.server->session().stream_count(), 0u);
  EXPECT_EQ(world.client->session().counters().resets_out + world.server->session().counters().resets_out, 0u);
}

TEST(Connection, OneByteAtATimeAndWithLatency) {
  for (const io::PipeOptions& options : {io::PipeOptions{.chunk = 1}, io::PipeOptions{.latency = 7ms}}) {
    World world(options);
    std::size_t done = 0;
    world.run(round_trip(world.loop, *world.client, 3000, done));
    EXPECT_EQ(done, 1u);
  }
}

TEST(Connection, FramesOfOneTurnLeaveInOneWrite) {
  World world;
  world.loop.run_until_idle();
  std::vector<std::unique_ptr<io::Stream>> streams;
  const std::uint64_t before = world.client->bytes_out();
  for (int i = 0; i < 5; ++i) {
    streams.push_back(*world.client->open());
    Bytes x = to_bytes("abc");
    const iovec part{x.data(), x.size()};
    EXPECT_EQ(streams.back()->try_write({&part, 1}).kind, io::IoStatus::Done);
  }
  EXPECT_EQ(world.client->bytes_out(), before);
  world.loop.run_until_idle();
  EXPECT_EQ(world.client->bytes_out(), before + 5 * 15);
}

TEST(Connection, SlowReaderStopsTheWriterAtTheWindow) {
  World world;
  world.keep = true;
  auto stream = *world.client->open();
  const Bytes data(1 << 20, 0x55);
  bool finished = false;
  world.tasks.spawn([](io::Stream& s, const Bytes& d, bool& f) -> io::Task<void> {
    EXPECT_TRUE(co_await s.write_all(d));
    f = true;
  }(*stream, data, finished));
  world.loop.advance(1s);
  EXPECT_FALSE(finished);
  EXPECT_EQ(world.server->session().buffered(), 256u * 1024);
  ASSERT_EQ(world.kept.size(), 1u);
  std::size_t got = 0;
  world.run([](io::Stream& s, std::size_t& n) -> io::Task<void> {
    Bytes buffer(50000);
    while (n < (1u << 20)) n += (co_await s.read_some(buffer)).value_or(0);
  }(*world.kept[0], got));
  EXPECT_EQ(got, data.size());
  world.loop.run_until_idle();
  EXPECT_TRUE(finished);
}

TEST(Connection, ResetReachesBothTheReaderAndTheWriterOfTheOtherSide) {
  World world;
  world.keep = true;
  auto stream = *world.client->open();
  const Bytes one(1);
  std::optional<Error> error;
  world.tasks.spawn([](io::Stream& s, const Bytes& d, std::optional<Error>& e) -> io::Task<void> {
    EXPECT_TRUE(co_await s.write_all(d));
    std::uint8_t byte;
    const auto n = co_await s.read_some({&byte, 1});
    if (!n) e = n.error();
  }(*stream, one, error));
  world.loop.run_until_idle();
  ASSERT_EQ(world.kept.size(), 1u);
  world.kept.clear();  // dropped unread: a reset
  world.loop.run_until_idle();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::Closed);
}

TEST(Connection, StreamsOutliveTheirConnection) {
  World world;
  auto stream = *world.client->open();
  std::optional<Error> error;
  world.tasks.spawn([](io::Stream& s, std::optional<Error>& e) -> io::Task<void> {
    std::uint8_t byte;
    const auto n = co_await s.read_some({&byte, 1});
    if (!n) e = n.error();
  }(*stream, error));
  world.loop.run_until_idle();
  world.client.reset();
  world.loop.run_until_idle();
  ASSERT_TRUE(error);
  EXPECT_FALSE(world.client_closed) << "its own destruction is no news to the owner";
  ASSERT_TRUE(world.server_closed);
}

TEST(Connection, CloseTellsThePeer) {
  World world;
  world.loop.run_until_idle();
  world.client->close({ErrorCode::Cancelled, Fault::Local, Retry::No, "done"});
  world.loop.run_until_idle();
  ASSERT_TRUE(world.client_closed);
  EXPECT_EQ(world.client_closed->message, "done");
  ASSERT_TRUE(world.server_closed);
  EXPECT_TRUE(world.server->session().draining() || world.server->session().failed());
  EXPECT_FALSE(world.client->open());
}

TEST(Connection, OnClosedMayDestroyTheConnection) {
  io::ManualLoop loop;
  auto [a, b] = io::make_pipe(loop);
  std::unique_ptr<Connection> connection;
  connection = std::make_unique<Connection>(
      std::move(a), Role::Client, Limits{}, nullptr, [](auto) {}, [&](const Error&) { connection.reset(); });
  loop.run_until_idle();
  b->abort({ErrorCode::Closed, Fault::Peer, Retry::No, "gone"});
  loop.run_until_idle();
  EXPECT_EQ(connection, nullptr);
}

TEST(Connection, ASilentPeerIsGivenUp) {
  io::ManualLoop loop;
  auto [a, b] = io::make_pipe(loop);
  std::optional<Error> closed;
  Connection connection(
      std::move(a), Role::Client, Limits{}, nullptr, [](auto) {}, [&](const Error& e) { closed = e; });
  loop.advance(9s);
  EXPECT_FALSE(closed);
  loop.advance(2s);
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->code, ErrorCode::Timeout);
}

TEST(Connection, IdlePairStaysAliveByPings) {
  World world;
  world.loop.advance(std::chrono::minutes(10));
  EXPECT_FALSE(world.client_closed);
  EXPECT_FALSE(world.server_closed);
}

}  // namespace
}  // namespace ghmesh::libp2p::yamux
