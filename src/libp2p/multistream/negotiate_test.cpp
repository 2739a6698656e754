// SPDX-License-Identifier: Apache-2.0
#include "libp2p/multistream/negotiate.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"

namespace ghmesh::libp2p::multistream {
namespace {

bool speaks_noise(std::string_view p) { return p == "/noise"; }

struct World {
  io::ManualLoop loop;
  std::unique_ptr<io::Stream> a, b;
  io::TaskGroup tasks{loop};
  std::optional<Result<std::string>> left, right;
  explicit World(io::PipeOptions options = {}) { std::tie(a, b) = io::make_pipe(loop, options); }
  void start_select(std::vector<std::string> protocols) {
    tasks.spawn([](World& w, std::vector<std::string> p) -> io::Task<void> {
      w.left = co_await select(*w.a, std::move(p));
    }(*this, std::move(protocols)));
  }
  void start_answer() {
    tasks.spawn([](World& w) -> io::Task<void> { w.right = co_await answer(*w.b, speaks_noise); }(*this));
  }
};

TEST(Negotiate, AgreesInPiecesOfAnySize) {
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}, std::size_t{7}}) {
    World world({.chunk = chunk});
    world.start_select({"/tls/1.0.0", "/noise"});
    world.start_answer();
    world.loop.run_until_idle();
    ASSERT_TRUE(world.left && world.right);
    EXPECT_EQ(**world.left, "/noise");
    EXPECT_EQ(**world.right, "/noise");
  }
}

TEST(Negotiate, SilenceEndsAtTheDeadline) {
  World world;
  world.start_answer();
  world.loop.advance(4900ms);
  EXPECT_FALSE(world.right);
  world.loop.advance(200ms);
  ASSERT_TRUE(world.right);
  EXPECT_EQ(world.right->error().code, ErrorCode::Timeout);
}

TEST(Negotiate, HeaderGoesOutToAPeerThatWaitsForIt) {
  World world;
  world.start_answer();
  world.loop.run_until_idle();
  Bytes header(20);
  bool got = false;
  world.tasks.spawn([](World& w, Bytes& h, bool& g) -> io::Task<void> {
    g = (co_await w.a->read_exact(h)).has_value();
  }(world, header, got));
  world.loop.run_until_idle();
  EXPECT_TRUE(got);
}

TEST(Negotiate, LazyInitiatorWritesBeforeTheAnswerAndReadsBehindIt) {
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}}) {
    World world({.latency = 10ms, .chunk = chunk});
    world.start_answer();
    auto lazy = make_lazy(std::move(world.a), "/noise");
    std::string got;
    const TimePoint begin = world.loop.now();
    world.tasks.spawn([](io::Stream& s, std::string& out) -> io::Task<void> {
      EXPECT_TRUE(co_await s.write_all(as_bytes("ping")));
      Bytes answer_bytes(4);
      EXPECT_TRUE(co_await s.read_exact(answer_bytes));
      out = to_text(answer_bytes);
    }(*lazy, got));
    ASSERT_TRUE(world.loop.run_until([&] { return world.right.has_value(); }));
    world.tasks.spawn([](io::Stream& s) -> io::Task<void> {
      Bytes in(4);
      EXPECT_TRUE(co_await s.read_exact(in));
      EXPECT_EQ(to_text(in), "ping");
      EXPECT_TRUE(co_await s.write_all(as_bytes("pong")));
    }(*world.b));
    ASSERT_TRUE(world.loop.run_until([&] { return !got.empty(); }));
    EXPECT_EQ(got, "pong");
    EXPECT_EQ(world.loop.now() - begin, 20ms) << "one round trip";
  }
}

TEST(Negotiate, LazyInitiatorThatOnlyReadsStillAsks) {
  World world;
  world.start_answer();
  auto lazy = make_lazy(std::move(world.a), "/noise");
  std::optional<std::size_t> end;
  world.tasks.spawn([](io::Stream& s, std::optional<std::size_t>& e) -> io::Task<void> {
    std::uint8_t byte;
    e = (co_await s.read_some({&byte, 1})).value_or(99);
  }(*lazy, end));
  world.loop.run_until_idle();
  ASSERT_TRUE(world.right && world.right->has_value());
  world.b->shutdown_write();
  world.loop.run_until_idle();
  EXPECT_EQ(end, 0u);
}

// Reads all there is until the end, and says so.
io::Task<void> drain(io::Stream& stream, std::string& got, bool& ended) {
  Bytes block(64);
  while (true) {
    const auto n = co_await stream.read_some(block);
    if (!n) co_return;
    if (*n == 0) break;
    got += to_text(ByteView(block).first(*n));
  }
  ended = true;
}

TEST(Negotiate, LazyInitiatorsEarlyEndComesBehindTheAnswerThoughNobodyReads) {
  for (const std::size_t chunk : {std::size_t{0}, std::size_t{1}}) {
    World world({.latency = 10ms, .chunk = chunk});
    auto lazy = make_lazy(std::move(world.a), "/noise");
    world.tasks.spawn([](io::Stream& s) -> io::Task<void> {
      EXPECT_TRUE(co_await s.write_all(as_bytes("all")));
      s.shutdown_write();
      s.shutdown_write();
      EXPECT_FALSE(co_await s.write_all(as_bytes("more")));
    }(*lazy));
    world.loop.advance(50ms);
    // Nobody has answered: what was written is there, the end is not.
    std::string wire;
    bool ended = false;
    io::TaskGroup peer(world.loop);
    peer.spawn(drain(*world.b, wire, ended));
    world.loop.advance(50ms);
    EXPECT_EQ(wire, "\x13/multistream/1.0.0\n\x07/noise\nall");
    EXPECT_FALSE(ended);
    Bytes said;
    append_line(said, kHeader);
    append_line(said, "/noise");
    peer.spawn([](io::Stream& s, Bytes b) -> io::Task<void> { EXPECT_TRUE(co_await s.write_all(b)); }(*world.b, said));
    world.loop.advance(100ms);
    EXPECT_TRUE(ended);
    EXPECT_EQ(wire, "\x13/multistream/1.0.0\n\x07/noise\nall");
  }
}

TEST(Negotiate, LazyInitiatorsEarlyEndGoesAtOnceToAPeerThatCopes) {
  for (const std::string text : {"all", ""}) {
    World world;
    auto lazy = make_lazy(std::move(world.a), "/noise", EarlyEnd::AtOnce);
    world.tasks.spawn([](io::Stream& s, const std::string& t) -> io::Task<void> {
      EXPECT_TRUE(co_await s.write_all(as_bytes(t)));
      s.shutdown_write();
      EXPECT_FALSE(co_await s.write_all(as_bytes("more")));
    }(*lazy, text));
    std::string wire;
    bool ended = false;
    world.tasks.spawn(drain(*world.b, wire, ended));
    world.loop.run_until_idle();
    EXPECT_EQ(wire, "\x13/multistream/1.0.0\n\x07/noise\n" + text);
    EXPECT_TRUE(ended);
  }
}

TEST(Negotiate, LazyInitiatorsEarlyEndFailsWithTheNegotiation) {
  for (const bool refused : {true, false}) {
    World world;
    auto lazy = make_lazy(std::move(world.a), refused ? "/other" : "/noise");
    lazy->shutdown_write();
    if (refused) world.start_answer();
    world.loop.advance(6s);
    std::optional<Error> error;
    world.tasks.spawn([](io::Stream& s, std::optional<Error>& e) -> io::Task<void> {
      std::uint8_t byte;
      const auto n = co_await s.read_some({&byte, 1});
      if (!n) e = n.error();
    }(*lazy, error));
    world.loop.run_until_idle();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, refused ? ErrorCode::Unsupported : ErrorCode::Timeout);
  }
}

TEST(Negotiate, LazyInitiatorThatIsDroppedWithItsEndHasAsked) {
  World world;
  auto lazy = make_lazy(std::move(world.a), "/noise");
  lazy->shutdown_write();
  lazy.reset();
  std::string wire;
  bool ended = false;
  world.tasks.spawn(drain(*world.b, wire, ended));
  world.loop.run_until_idle();
  EXPECT_EQ(wire, "\x13/multistream/1.0.0\n\x07/noise\n");
}

TEST(Negotiate, LazyInitiatorLearnsOfARefusalWhenItReads) {
  World world;
  world.start_answer();
  auto lazy = make_lazy(std::move(world.a), "/other");
  std::optional<Error> error;
  world.tasks.spawn([](io::Stream& s, std::optional<Error>& e) -> io::Task<void> {
    (void)co_await s.write_all(as_bytes("x"));
    std::uint8_t byte;
    const auto n = co_await s.read_some({&byte, 1});
    if (!n) e = n.error();
  }(*lazy, error));
  world.loop.run_until_idle();
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace ghmesh::libp2p::multistream
