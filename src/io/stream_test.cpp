// SPDX-License-Identifier: Apache-2.0
#include "io/stream.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "io/epoll_loop.hpp"
#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"
#include "io/pipe.hpp"
#include "io/sockets.hpp"
#include "io/stream_conformance.hpp"

namespace ghmesh::io {
namespace {

TEST(Pipe, Conforms) {
  for (const PipeOptions options :
       {PipeOptions{}, PipeOptions{.capacity = 1000, .latency = 2ms}, PipeOptions{.capacity = 4096, .chunk = 13}}) {
    ManualLoop loop;
    run_stream_conformance({[&] { return make_pipe(loop, options); },
                            [&](const std::function<bool()>& done) { return loop.run_until(done); }});
  }
}

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> connect_pair(EpollLoop& loop, Listener& listener,
                                                                         Task<Result<std::unique_ptr<Stream>>> dial) {
  std::unique_ptr<Stream> near_end, far_end;
  TaskGroup group(loop);
  group.spawn([](Task<Result<std::unique_ptr<Stream>>> d, std::unique_ptr<Stream>& out) -> Task<> {
    out = std::move(*co_await std::move(d));
  }(std::move(dial), near_end));
  group.spawn([](Listener& l, std::unique_ptr<Stream>& out) -> Task<> { out = std::move(*co_await l.accept()); }(
                                                                listener, far_end));
  GHMESH_CHECK(loop.run_until([&] { return near_end && far_end; }, 10s));
  return {std::move(near_end), std::move(far_end)};
}

TEST(Tcp, Conforms) {
  EpollLoop loop;
  WorkPool pool(1, "test");
  SocketNetwork network(loop, pool);
  auto listener = network.listen({IpAddress::loopback(), 0});
  ASSERT_TRUE(listener);
  run_stream_conformance({[&] { return connect_pair(loop, **listener, network.dial(*(*listener)->local_endpoint())); },
                          [&](const std::function<bool()>& done) { return loop.run_until(done, 20s); }});
}

TEST(Unix, ConformsAndIsForItsOwnerOnly) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("ghmesh-io-test-" + std::to_string(::getpid()))).string();
  EpollLoop loop;
  {
    auto listener = listen_unix(loop, path);
    ASSERT_TRUE(listener) << listener.error().message;
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    run_stream_conformance({[&] { return connect_pair(loop, **listener, dial_unix(loop, path)); },
                            [&](const std::function<bool()>& done) { return loop.run_until(done, 20s); }});
    const auto second = listen_unix(loop, path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Conflict);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(listen_unix(loop, std::string(200, 'x')).error().code, ErrorCode::Limit);
}

TEST(Unix, ALeftoverSocketFileIsReplaced) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("ghmesh-io-stale-" + std::to_string(::getpid()))).string();
  EpollLoop loop;
  auto first = listen_unix(loop, path);
  ASSERT_TRUE(first);
  // As after a crash: the listening socket is gone, its file is still there.
  std::filesystem::rename(path, path + ".kept");
  first->reset();
  std::filesystem::rename(path + ".kept", path);
  EXPECT_TRUE(listen_unix(loop, path));
}

TEST(Tcp, AListenerThatIsNotThereRefuses) {
  EpollLoop loop;
  WorkPool pool(1, "test");
  SocketNetwork network(loop, pool);
  Endpoint gone;
  {
    auto listener = network.listen({IpAddress::loopback(), 0});
    ASSERT_TRUE(listener);
    gone = *(*listener)->local_endpoint();
    EXPECT_EQ(network.listen(gone).error().code, ErrorCode::Conflict);
  }
  std::optional<Result<std::unique_ptr<Stream>>> got;
  TaskGroup group(loop);
  group.spawn(
      [](Task<Result<std::unique_ptr<Stream>>> d, std::optional<Result<std::unique_ptr<Stream>>>& out) -> Task<> {
        out = co_await std::move(d);
      }(network.dial(gone), got));
  ASSERT_TRUE(loop.run_until([&] { return got.has_value(); }, 10s));
  EXPECT_EQ(got->error().code, ErrorCode::Refused);
}

TEST(Loop, ForeignThreadsAndPoolWorkComeBack) {
  EpollLoop loop;
  WorkPool pool(2, "test");
  TaskGroup group(loop);
  int sum = 0;
  for (int i = 0; i < 100; ++i)
    group.spawn([](Loop& l, WorkPool& p, int value, int& total) -> Task<> {
      total += co_await p.run(l, [value] { return value; });
    }(loop, pool, i, sum));
  EXPECT_TRUE(loop.run_until([&] { return group.size() == 0; }, 10s));
  EXPECT_EQ(sum, 4950);
}

TEST(Loop, TheTimeOfATurnStandsStillWithinIt) {
  EpollLoop loop;
  const TimePoint before = loop.now();
  TimePoint first{}, later{}, next{};
  WallTime wall{}, wall_later{};
  loop.post([&] {
    first = loop.turn_now();
    wall = loop.turn_wall_now();
    while (loop.now() < first + 2ms) continue;
    later = loop.turn_now();
    wall_later = loop.turn_wall_now();
    loop.post([&] { next = loop.turn_now(); });
  });
  ASSERT_TRUE(loop.run_until([&] { return next != TimePoint{}; }, 10s));
  EXPECT_GE(first, before);
  EXPECT_EQ(later, first);
  EXPECT_EQ(wall_later, wall);
  EXPECT_GE(next, first + 2ms);
}

TEST(Deadline, AbortsTheStreamAndCanBeExtended) {
  ManualLoop loop;
  auto [a, b] = make_pipe(loop);
  std::optional<Result<std::size_t>> got;
  Bytes buffer(10);
  TaskGroup group(loop);
  StreamDeadline deadline(*a, 100ms, "waiting for the test");
  group.spawn([](Stream& s, MutableByteView into, std::optional<Result<std::size_t>>& out) -> Task<> {
    out = co_await s.read_some(into);
  }(*a, buffer, got));
  loop.advance(50ms);
  deadline.extend(100ms);
  loop.advance(99ms);
  EXPECT_FALSE(got);
  loop.advance(1ms);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->error().code, ErrorCode::Timeout);
  EXPECT_EQ(got->error().message, "timed out: waiting for the test");
}

TEST(MemoryNetwork, DialsCutsAndKills) {
  ManualLoop loop;
  MemoryNetwork network(loop);
  const auto ip_a = IpAddress::v4(10, 0, 0, 1), ip_b = IpAddress::v4(10, 0, 0, 2);
  auto a = network.host(ip_a);
  auto b = network.host(ip_b);
  auto listener = b->listen({ip_b, 9100});
  ASSERT_TRUE(listener);
  std::unique_ptr<Stream> near_end, far_end;
  std::optional<Error> refused;
  TaskGroup group(loop);
  auto dial = [](Network& from, Endpoint to, std::unique_ptr<Stream>& out, std::optional<Error>& why) -> Task<> {
    auto got = co_await from.dial(to);
    if (got) {
      out = std::move(*got);
    } else {
      why = got.error();
    }
  };
  group.spawn(dial(*a, {ip_b, 9100}, near_end, refused));
  group.spawn([](Listener& l, std::unique_ptr<Stream>& out) -> Task<> { out = std::move(*co_await l.accept()); }(
                                                                **listener, far_end));
  ASSERT_TRUE(loop.run_until([&] { return near_end && far_end; }));
  EXPECT_EQ(near_end->remote_endpoint(), (Endpoint{ip_b, 9100}));
  EXPECT_EQ(far_end->remote_endpoint()->address, ip_a);
  network.set_cut(ip_a, ip_b, true);
  Bytes buffer(1);
  EXPECT_EQ(near_end->try_read(buffer).kind, IoStatus::Failed);
  std::unique_ptr<Stream> none;
  group.spawn(dial(*a, {ip_b, 9100}, none, refused));
  ASSERT_TRUE(loop.run_until([&] { return refused.has_value(); }));
  EXPECT_EQ(refused->code, ErrorCode::Timeout);
  network.set_cut(ip_a, ip_b, false);
  network.kill(ip_b);
  refused.reset();
  group.spawn(dial(*a, {ip_b, 9100}, none, refused));
  ASSERT_TRUE(loop.run_until([&] { return refused.has_value(); }));
  EXPECT_EQ(refused->code, ErrorCode::Refused);
}

TEST(Timers, OneThatIsAlwaysDueKeepsTheLoopFromNothing) {
  EpollLoop loop;
  Timer due(loop, [&] { due.arm_at(loop.turn_now()); });
  due.arm_at(loop.now());
  bool ran = false;
  loop.post([&] { ran = true; });
  EXPECT_TRUE(loop.run_until([&] { return ran; }, 30s));
}

TEST(Endpoints, TextFormsAreStrict) {
  for (const char* good : {"127.0.0.1:0", "[::1]:65535", "10.1.2.3:8080"})
    EXPECT_EQ(to_string(*Endpoint::parse(good)), good);
  for (const char* bad : {"127.0.0.1", "::1:80", "[127.0.0.1]:80", "127.0.0.1:65536", "0177.0.0.1:80", "2130706433:80",
                          "127.1:80", "localhost:80", "127.0.0.1:+80", ":80", "127.0.0.1:"})
    EXPECT_FALSE(Endpoint::parse(bad)) << bad;
}

TEST(Endpoints, InternalRangesInEverySpelling) {
  for (const char* inside : {"127.0.0.1", "10.0.0.1", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
                             "0.0.0.0", "224.0.0.1", "::1", "::", "fe80::1", "fd00::1", "::ffff:169.254.169.254",
                             "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "ff02::fb"})
    EXPECT_TRUE(IpAddress::parse(inside)->is_internal()) << inside;
  for (const char* outside : {"140.82.112.5", "8.8.8.8", "172.32.0.1", "2606:50c0:8000::153", "::ffff:8.8.8.8"})
    EXPECT_FALSE(IpAddress::parse(outside)->is_internal()) << outside;
}

}  // namespace
}  // namespace ghmesh::io
