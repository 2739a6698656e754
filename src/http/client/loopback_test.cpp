// SPDX-License-Identifier: Apache-2.0
// Client and server of this house against each other over real sockets.

#include <gtest/gtest.h>
#include <unistd.h>

#include "http/client/pool.hpp"
#include "http/server/server.hpp"
#include "io/sockets.hpp"

namespace ghmesh::http {
namespace {

// Gives back what it is sent, as it comes; /hit is answered at once.
struct Echo final : server::Handler {
  std::shared_ptr<const std::string> body = std::make_shared<const std::string>(6000, 'h');

  bool try_answer(server::Exchange& exchange) override {
    if (exchange.request().view.target != "/hit") return false;
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n", "", *body, body});
    return true;
  }
  io::Task<> answer(server::Exchange& exchange) override {
    if (!exchange.begin(200, Fields{{"Content-Type", "text/plain"}})) co_return;
    while (true) {
      const auto piece = co_await exchange.read();
      if (!piece) co_return;
      if (piece->empty()) break;
      if (!co_await exchange.send(*piece)) co_return;
    }
    co_await exchange.finish();
  }
};

// octets of a pattern, without a length.
struct Pattern final : client::BodySource {
  std::size_t left;
  std::size_t made = 0;
  std::string piece;

  explicit Pattern(std::size_t size) : left(size) {}
  static char at(std::size_t i) { return static_cast<char>('a' + i * 31 % 26); }
  std::optional<std::uint64_t> length() const override { return std::nullopt; }
  io::Task<Result<std::string_view>> read() override {
    piece.clear();
    while (piece.size() < 10'007 && left > 0) {
      piece.push_back(at(made++));
      --left;
    }
    co_return std::string_view(piece);
  }
};

struct LoopbackTest : ::testing::Test {
  io::EpollLoop loop;
  io::WorkPool work{1, "test"};
  io::SocketNetwork network{loop, work};
  Echo echo;
  server::Server server{loop, echo};
  io::TaskGroup group{loop};
  bool done = false;

  std::unique_ptr<client::Pool> pool_to(io::Endpoint to) {
    return std::make_unique<client::Pool>(loop, client::Origin{"a", false, [this, to] { return network.dial(to); }});
  }
  io::Endpoint listen() {
    auto listener = network.listen({io::IpAddress::loopback(), 0});
    EXPECT_TRUE(listener);
    const io::Endpoint at = *(*listener)->local_endpoint();
    server.listen(std::move(*listener));
    return at;
  }
  void run(io::Task<> task) {
    group.spawn([](io::Task<> inner, bool& flag) -> io::Task<> {
      co_await std::move(inner);
      flag = true;
    }(std::move(task), done));
    EXPECT_TRUE(loop.run_until([this] { return done; }, 20s));
  }
};

TEST_F(LoopbackTest, ManyRequestsShareFewConnections) {
  const auto pool = pool_to(listen());
  run([](client::Pool& p) -> io::Task<> {
    for (int i = 0; i < 300; ++i) {
      auto reply = co_await p.send({.method = "GET", .target = "/hit", .fields = {}});
      EXPECT_TRUE(reply);
      if (!reply) co_return;
      const auto body = co_await (*reply)->read_all(10'000);
      EXPECT_TRUE(body && body->size() == 6000u);
    }
  }(*pool));
  EXPECT_EQ(pool->counts().opened, 1u);
  EXPECT_EQ(server.counts().hot, 300u);
}

TEST_F(LoopbackTest, LargeBodiesPassBothWaysAtOnce) {
  const auto pool = pool_to(listen());
  run([](client::Pool& p) -> io::Task<> {
    Pattern body(5'000'000);
    auto reply = co_await p.send({.method = "POST", .target = "/echo", .fields = {}, .body = &body});
    EXPECT_TRUE(reply);
    if (!reply) co_return;
    std::size_t seen = 0;
    while (true) {
      const auto piece = co_await (*reply)->read();
      EXPECT_TRUE(piece);
      if (!piece || piece->empty()) break;
      bool same = true;
      for (const char c : *piece) same = same && c == Pattern::at(seen++);
      EXPECT_TRUE(same);
    }
    EXPECT_EQ(seen, 5'000'000u);
  }(*pool));
  EXPECT_EQ(pool->counts().idle, 1u);
}

TEST_F(LoopbackTest, ThirtyClientsOverAUnixSocketThenDrain) {
  const std::string path = ::testing::TempDir() + "/ghmesh_http_" + std::to_string(::getpid()) + ".sock";
  auto listener = io::listen_unix(loop, path);
  ASSERT_TRUE(listener);
  server.listen(std::move(*listener));
  client::Limits limits;
  limits.connections = 4;
  client::Pool pool(loop, client::Origin{"a", false, [&] { return io::dial_unix(loop, path); }}, limits);
  int good = 0;
  run([](io::Loop& l, client::Pool& p, server::Server& s, int& count) -> io::Task<> {
    io::TaskGroup clients(l);
    for (int i = 0; i < 30; ++i) {
      clients.spawn([](client::Pool& pp, int& n) -> io::Task<> {
        Pattern body(30'000);
        auto reply = co_await pp.send({.method = "PUT", .target = "/echo", .fields = {}, .body = &body});
        if (!reply) co_return;
        const auto text = co_await (*reply)->read_all(100'000);
        if (text && text->size() == 30'000u) ++n;
      }(p, count));
    }
    co_await clients.join();
    co_await s.drain();
  }(loop, pool, server, good));
  EXPECT_EQ(good, 30);
  EXPECT_LE(pool.counts().opened, 4u);
  EXPECT_EQ(server.counts().connections, 0u);
}

TEST_F(LoopbackTest, ManyIdleConnectionsStandBesideEachOther) {
  const io::Endpoint at = listen();
  std::vector<std::unique_ptr<io::Stream>> idle;
  run([](io::Network& n, io::Endpoint to, std::vector<std::unique_ptr<io::Stream>>& out) -> io::Task<> {
    for (int i = 0; i < 200; ++i) {
      auto stream = co_await n.dial(to);
      EXPECT_TRUE(stream);
      if (!stream) co_return;
      co_await (*stream)->write_all(as_bytes("GET /hit HTTP/1.1\r\nHost: a\r\n\r\n"));
      Bytes room(6000 + 41);  // with its head
      co_await (*stream)->read_exact(room);
      out.push_back(std::move(*stream));
    }
  }(network, at, idle));
  EXPECT_EQ(server.counts().connections, 200u);
}

}  // namespace
}  // namespace ghmesh::http
