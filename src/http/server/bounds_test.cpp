// SPDX-License-Identifier: Apache-2.0
// How long and how much: deadlines, numbers of connections and requests, drain.
#include <gtest/gtest.h>

#include "http/http1/body.hpp"
#include "http/wire/patience.hpp"
#include "io/sync.hpp"
#include "test_server.hpp"

namespace ghmesh::http::server {
namespace {

TEST_F(ServerTest, Deadlines) {
  answer_all_with("x");
  Client idle = connect();
  idle.send(get());
  idle.advance(59s);
  EXPECT_FALSE(idle.ended || idle.broken);
  idle.advance(2s);
  EXPECT_TRUE(idle.ended || idle.broken);

  Client slow = connect();
  for (int i = 0; i < 9; ++i) {
    slow.send("G");
    slow.advance(1s);
  }
  EXPECT_FALSE(slow.ended);
  slow.advance(2s);
  EXPECT_TRUE(slow.got.starts_with("HTTP/1.1 408 ")) << slow.got;
  EXPECT_TRUE(slow.ended);

  handler.cold = [](Exchange& exchange) -> io::Task<> { EXPECT_FALSE(co_await exchange.read_all(10)); };
  Client body = connect();
  body.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na");
  body.advance(14s);
  EXPECT_FALSE(body.ended);
  body.advance(2s);
  EXPECT_TRUE(body.got.starts_with("HTTP/1.1 408 ")) << body.got;
  EXPECT_EQ(server->counts().timeouts, 2u);
}

TEST_F(ServerTest, AClientThatTakesNothingIsCutOff) {
  bool failed = false;
  handler.cold = [&](Exchange& exchange) -> io::Task<> {
    failed = !co_await exchange.respond(200, {}, std::string(100'000, 'x'));
  };
  Client client = connect({.capacity = 1000});
  const std::string text = get();
  const iovec part{const_cast<char*>(text.data()), text.size()};
  client.stream->try_write({&part, 1});
  loop.advance(29s);
  EXPECT_FALSE(failed);
  loop.advance(2s);
  EXPECT_TRUE(failed);
  EXPECT_EQ(server->counts().connections, 0u);
}

TEST_F(ServerTest, AClientThatTakesALittleNowAndThenIsCutOffToo) {
  bool failed = false;
  handler.cold = [&](Exchange& exchange) -> io::Task<> {
    failed = !co_await exchange.respond(200, {}, std::string(1'000'000, 'x'));
  };
  for (const std::size_t octets : {100u, 3000u}) {
    failed = false;
    Client client = connect({.capacity = 4096});
    const std::string text = get();
    const iovec part{const_cast<char*>(text.data()), text.size()};
    client.stream->try_write({&part, 1});
    Bytes room(octets);
    for (int second = 0; second < 120; ++second) {
      loop.advance(1s);
      client.stream->try_read(room);
      loop.run_until_idle();
    }
    EXPECT_EQ(failed, octets < wire::kMinRate) << octets;
  }
}

// However small the pieces are, each of which a client may have let go after a while.
TEST_F(ServerTest, AClientThatTakesALittleOfManyPiecesIsCutOffToo) {
  bool failed = false;
  handler.cold = [&](Exchange& exchange) -> io::Task<> {
    const std::string piece(200, 'x');
    if (!exchange.begin(200, {}, {})) co_return;
    while (!failed) failed = !co_await exchange.send(piece);
  };
  for (const std::size_t octets : {100u, 3000u}) {
    failed = false;
    Client client = connect({.capacity = 4096});
    const std::string text = get();
    const iovec part{const_cast<char*>(text.data()), text.size()};
    client.stream->try_write({&part, 1});
    Bytes room(octets);
    for (int second = 0; second < 120; ++second) {
      loop.advance(1s);
      client.stream->try_read(room);
      loop.run_until_idle();
    }
    EXPECT_EQ(failed, octets < wire::kMinRate) << octets;
  }
}

TEST_F(ServerTest, ABodyThatTricklesInIsCutOffToo) {
  std::optional<Result<std::string>> read;
  handler.cold = [&](Exchange& exchange) -> io::Task<> {
    read = co_await exchange.read_all(1'000'000);
    if (*read) co_await exchange.respond(200, {}, "taken");
  };
  for (const std::size_t octets : {1u, 100u, 2000u}) {
    for (const bool chunked : {false, true}) {
      SCOPED_TRACE(octets);
      read.reset();
      Client client = connect();
      const std::string piece(octets, 'x');
      client.send("POST / HTTP/1.1\r\nHost: a\r\n" +
                  (chunked ? std::string("Transfer-Encoding: chunked\r\n\r\n")
                           : "Content-Length: " + std::to_string(60 * octets) + "\r\n\r\n"));
      for (int second = 0; second < 60 && !read; ++second) {
        client.advance(1s);
        client.send(chunked ? std::string(http1::ChunkHeader(octets).text()) + piece + "\r\n" : piece);
        EXPECT_TRUE(read || octets > 100 || second < 20);
      }
      if (chunked && !read) client.send("0\r\n\r\n");
      ASSERT_TRUE(read);
      EXPECT_EQ(read->has_value(), octets >= wire::kMinRate);
      EXPECT_TRUE(client.got.starts_with(octets < wire::kMinRate ? "HTTP/1.1 408 " : "HTTP/1.1 200 ")) << client.got;
    }
  }
}

// What the handler takes its time for is not the client's silence.
TEST_F(ServerTest, ABodyThatNobodyReadsUsesUpNoPatience) {
  bool failed = false;
  handler.cold = [&](Exchange& exchange) -> io::Task<> {
    for (int i = 0; i < 5; ++i) {
      failed = failed || !co_await exchange.read();
      co_await loop.sleep_for(40s);
    }
    co_await exchange.respond(200, {}, "taken");
  };
  Client client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  for (int second = 0; second < 240; ++second) {
    client.advance(1s);
    client.send("x");
  }
  EXPECT_FALSE(failed);
}

TEST_F(ServerTest, TheBoundOfConnectionsIsReachedAndJustNot) {
  limits.connections = 3;
  answer_all_with("x");
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect());
  Client fourth = connect();
  fourth.receive();
  EXPECT_TRUE(fourth.got.starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(server->counts().rejected, 1u);
  fourth.stream.reset();
  clients[2].send(get());
  EXPECT_TRUE(clients[2].got.ends_with("x"));
  clients[0].stream.reset();
  loop.run_until_idle();
  Client next = connect();
  next.send(get());
  EXPECT_TRUE(next.got.ends_with("x"));
}

TEST_F(ServerTest, RequestsPerConnectionAreBounded) {
  limits.requests_per_connection = 2;
  answer_all_with("x");
  Client client = connect();
  client.send(get() + get() + get());
  EXPECT_EQ(handler.seen.size(), 2u);
  EXPECT_NE(client.got.find("Connection: close"), std::string::npos);
}

TEST_F(ServerTest, DrainFinishesWhatIsInFlight) {
  io::Event go(loop);
  handler.cold = [&go](Exchange& exchange) -> io::Task<> {
    co_await go.wait();
    co_await exchange.respond(200, {}, "done");
  };
  Client idle = connect();
  Client busy = connect();
  busy.send(get() + get());
  io::TaskGroup group(loop);
  bool drained = false;
  group.spawn([](Server& s, bool& out) -> io::Task<> {
    co_await s.drain();
    out = true;
  }(*server, drained));
  idle.receive();
  EXPECT_TRUE(idle.ended || idle.broken);
  EXPECT_FALSE(drained);
  Client late = connect();
  late.receive();
  EXPECT_TRUE(late.got.starts_with("HTTP/1.1 503 "));
  late.stream.reset();
  go.set();
  busy.receive();
  EXPECT_TRUE(busy.got.ends_with("done"));
  EXPECT_NE(busy.got.find("Connection: close"), std::string::npos);
  EXPECT_EQ(handler.seen.size(), 1u);
  loop.run_until_idle();
  EXPECT_TRUE(drained);
}

TEST_F(ServerTest, DrainBreaksWhatDoesNotEnd) {
  io::Event never(loop);
  handler.cold = [&never](Exchange&) -> io::Task<> { co_await never.wait(); };
  Client client = connect();
  client.send(get());
  io::TaskGroup group(loop);
  group.spawn(server->drain());
  client.advance(9s);
  EXPECT_FALSE(client.broken || client.ended);
  client.advance(2s);
  EXPECT_TRUE(client.broken || client.ended);
  EXPECT_EQ(group.size(), 0u);
}

TEST_F(ServerTest, DrainEndsWhenItIsToldTo) {
  io::Event never(loop);
  handler.cold = [&never](Exchange&) -> io::Task<> { co_await never.wait(); };
  Client client = connect();
  client.send(get());
  io::TaskGroup group(loop);
  group.spawn(server->drain_until(loop.now() + 3s));
  client.advance(2s);
  EXPECT_FALSE(client.broken || client.ended);
  client.advance(2s);
  EXPECT_TRUE(client.broken || client.ended);
  EXPECT_EQ(group.size(), 0u);
}

}  // namespace
}  // namespace ghmesh::http::server
