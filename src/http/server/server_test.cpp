// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "io/sync.hpp"
#include "test_server.hpp"

namespace ghmesh::http::server {
namespace {

TEST_F(ServerTest, AnswersAndKeepsTheConnection) {
  answer_all_with("hello");
  Client client = connect();
  const std::string expected = "HTTP/1.1 200 OK\r\nDate: now\r\nX: y\r\nContent-Length: 5\r\n\r\nhello";
  client.send(get());
  EXPECT_EQ(client.got, expected);
  client.send(get("/2"));
  EXPECT_EQ(client.got, expected + expected);
  EXPECT_FALSE(client.ended);
  EXPECT_EQ(handler.seen, (std::vector<std::string>{"GET /", "GET /2"}));
  EXPECT_EQ(server->counts().requests, 2u);
}

TEST_F(ServerTest, AnyChunkingOfTheInputGivesTheSame) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    auto body = co_await exchange.read_all(1000);
    co_await exchange.respond(200, Fields{{"Date", "now"}}, *body);
  };
  const std::string text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + get() +
                           "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n" +
                           get();
  std::string whole;
  for (const std::size_t chunk : {0u, 1u, 5u, 33u}) {
    Client client = connect({.chunk = chunk});
    client.send(text);
    if (whole.empty()) whole = client.got;
    EXPECT_EQ(client.got, whole);
  }
  EXPECT_NE(whole.find("Content-Length: 3\r\n\r\nabcHTTP/1.1 200 OK"), std::string::npos);
  EXPECT_NE(whole.find("Content-Length: 2\r\n\r\nxyHTTP/1.1 200 OK"), std::string::npos);
}

TEST_F(ServerTest, PipelinedHitsLeaveInOneWriteAndInOrder) {
  auto body = std::make_shared<const std::string>(6000, 'b');
  handler.hot = [body](Exchange& exchange) {
    if (exchange.request().view.target != "/hit") return false;
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n", "Age: 1\r\n", *body, body});
    return true;
  };
  answer_all_with("cold");
  Client client = connect();
  client.send(get("/hit") + get("/cold") + get("/hit") + "HEAD /hit HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 6000\r\nAge: 1\r\n\r\n";
  EXPECT_EQ(client.got, head + *body + "HTTP/1.1 200 OK\r\nDate: now\r\nX: y\r\nContent-Length: 4\r\n\r\ncold" + head +
                            *body + head);
  EXPECT_EQ(server->counts().hot, 3u);
  EXPECT_EQ(body.use_count(), 2);  // the handler's and ours
}

TEST_F(ServerTest, CloseIsAskedForAndSaid) {
  handler.hot = [](Exchange& exchange) {
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "", "", nullptr});
    return true;
  };
  Client client = connect();
  client.send(get("/", "Connection: close\r\n") + get());
  EXPECT_EQ(client.got, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.ended || client.broken);
  Client old = connect();
  old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(old.got, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_FALSE(old.ended);
}

TEST_F(ServerTest, StreamedAnswersAreChunkedOrCountedOrClosed) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    const bool sized = exchange.request().view.target == "/sized";
    const Fields fields{{"Date", "now"}, {"Transfer-Encoding", "gzip"}, {"connection", "x"}};
    EXPECT_TRUE(exchange.begin(200, fields, sized ? std::optional<std::uint64_t>(6) : std::nullopt));
    EXPECT_TRUE(co_await exchange.send("abc"));
    EXPECT_TRUE(co_await exchange.send("def"));
    EXPECT_TRUE(co_await exchange.finish());
  };
  Client client = connect();
  client.send(get());
  EXPECT_EQ(client.got,
            "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
  client.got.clear();
  client.send(get("/sized"));
  EXPECT_EQ(client.got, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 6\r\n\r\nabcdef");
  client.got.clear();
  client.send("HEAD /sized HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.got, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 6\r\n\r\n");
  EXPECT_FALSE(client.ended);
  Client old = connect();
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.got, "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\nabcdef");
  EXPECT_TRUE(old.ended || old.broken);
}

TEST_F(ServerTest, AHeadDoesNotWaitForItsBody) {
  io::Event go(loop);
  handler.cold = [&go](Exchange& exchange) -> io::Task<> {
    EXPECT_TRUE(exchange.begin(200, Fields{{"Date", "now"}}));
    co_await go.wait();
    EXPECT_TRUE(co_await exchange.send("late"));
    EXPECT_TRUE(co_await exchange.finish());
  };
  Client client = connect();
  client.send(get());
  EXPECT_TRUE(client.got.ends_with("chunked\r\n\r\n"));
  go.set();
  client.receive();
  EXPECT_TRUE(client.got.ends_with("4\r\nlate\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, AnUnfinishedAnswerIsVisiblyBroken) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    EXPECT_TRUE(exchange.begin(200, {}, 10));
    EXPECT_TRUE(co_await exchange.send("short"));
  };
  Client client = connect();
  client.send(get());
  EXPECT_TRUE(client.broken);
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    EXPECT_TRUE(exchange.begin(200, {}, 3));
    EXPECT_FALSE(co_await exchange.send("too long"));
    EXPECT_FALSE(co_await exchange.finish());
  };
  Client other = connect();
  other.send(get());
  EXPECT_TRUE(other.broken);
  handler.cold = [](Exchange&) -> io::Task<> { co_return; };
  Client none = connect();
  none.send(get());
  EXPECT_TRUE(none.got.starts_with("HTTP/1.1 500 "));
  EXPECT_TRUE(none.ended);
}

TEST_F(ServerTest, BodiesStreamWithBackPressure) {
  io::Event go(loop);
  std::size_t taken = 0;
  handler.cold = [&](Exchange& exchange) -> io::Task<> {
    co_await go.wait();
    while (true) {
      const auto piece = co_await exchange.read();
      EXPECT_TRUE(piece);
      if (!piece || piece->empty()) break;
      for (const char c : *piece) EXPECT_EQ(c, static_cast<char>('a' + taken++ % 26));
    }
    co_await exchange.respond(200, {}, std::to_string(taken));
  };
  Client client = connect({.capacity = 8192});
  std::string body;
  for (std::size_t i = 0; i < 1'000'000; ++i) body.push_back(static_cast<char>('a' + i % 26));
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
  client.send(head);
  std::size_t sent = 0;
  const auto pump = [&] {
    while (sent < body.size()) {
      const iovec part{body.data() + sent, body.size() - sent};
      const auto status = client.stream->try_write({&part, 1});
      if (status.kind != io::IoStatus::Done) return;
      sent += status.bytes;
      loop.run_until_idle();
    }
  };
  pump();
  EXPECT_LE(sent, 8192u + wire::kBufferBytes) << "nobody reads, so little may be taken";
  go.set();
  loop.run_until_idle();
  while (sent < body.size()) {
    pump();
    loop.run_until_idle();
  }
  client.receive();
  EXPECT_TRUE(client.got.ends_with("1000000"));
}

TEST_F(ServerTest, AnswersStreamWithBackPressure) {
  std::size_t made = 0;
  const std::string piece(10'000, 'p');
  handler.cold = [&](Exchange& exchange) -> io::Task<> {
    EXPECT_TRUE(exchange.begin(200, {}));
    for (int i = 0; i < 100; ++i) {
      if (!co_await exchange.send(piece)) co_return;
      ++made;
    }
    co_await exchange.finish();
  };
  Client client = connect({.capacity = 4096});
  const std::string text = get();
  const iovec part{const_cast<char*>(text.data()), text.size()};
  client.stream->try_write({&part, 1});
  loop.run_until_idle();
  EXPECT_LE(made, 1u);
  client.receive();
  EXPECT_EQ(made, 100u);
  EXPECT_TRUE(client.got.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(ServerTest, ExpectIsAnsweredWhenTheBodyIsWanted) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    if (exchange.request().view.target == "/no") {
      co_await exchange.respond(403, Fields{{"Date", "now"}}, "");
      co_return;
    }
    const auto body = co_await exchange.read_all(100);
    EXPECT_TRUE(body);
    co_await exchange.respond(200, Fields{{"Date", "now"}}, body.value_or("?"));
  };
  Client client = connect();
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.got, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_TRUE(client.got.ends_with("\r\n\r\nabc"));
  client.got.clear();
  client.send("POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.got, "HTTP/1.1 403 Forbidden\r\nDate: now\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.ended);
}

// Attack A14: the body of a request that was answered without reading it is not the next request.
TEST_F(ServerTest, A14_AnUnreadBodyIsNotTheNextRequest) {
  answer_all_with("");
  handler.hot = [](Exchange& exchange) {
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "", "", nullptr});
    return true;
  };
  const std::string smuggled = get("/smuggled");
  Client client = connect();
  client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(smuggled.size()) + "\r\n\r\n" +
              smuggled +
              "POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /next "
              "HTTP/1.1\r\n"
              "Host: a\r\nContent-Length: 1\r\n\r\nx");
  EXPECT_EQ(handler.seen, (std::vector<std::string>{"GET /", "POST /chunked", "GET /next"}));
  Client large = connect();
  handler.seen.clear();
  large.send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x') +
             smuggled);
  EXPECT_EQ(handler.seen, (std::vector<std::string>{"POST /large"}));
  EXPECT_NE(large.got.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(large.ended || large.broken);
}

TEST_F(ServerTest, BadRequestsAreAnsweredAndTheConnectionEnds) {
  answer_all_with("");
  const auto status = [&](std::string_view text) {
    Client client = connect();
    client.send(text);
    EXPECT_TRUE(client.ended) << text;
    EXPECT_NE(client.got.find("Connection: close"), std::string::npos);
    return client.got.substr(0, 12);
  };
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("\x16\x03\x01 this is TLS"), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n"), "HTTP/1.1 414");
  EXPECT_EQ(status("GET / HTTP/1.1\r\nHost: a\r\n" + std::string(20'000, 'a') + ": b\r\n\r\n"), "HTTP/1.1 431");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br\r\n\r\n"), "HTTP/1.1 501");
  handler.cold = [](Exchange& exchange) -> io::Task<> { EXPECT_FALSE(co_await exchange.read_all(10)); };
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"), "HTTP/1.1 413");
  EXPECT_EQ(status("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nB\r\n01234567890\r\n"),
            "HTTP/1.1 413");
}

TEST_F(ServerTest, ALargeHeadKeepsItsPlaceBesideABody) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    const std::string before(*exchange.request().view.fields.first("x-long"));
    std::size_t size = 0;
    while (true) {
      const auto piece = co_await exchange.read();
      if (!piece || piece->empty()) break;
      size += piece->size();
    }
    EXPECT_EQ(size, 50'000u);
    EXPECT_EQ(exchange.request().view.fields.first("x-long"), before);
    co_await exchange.respond(200, {}, "fine");
  };
  for (const std::size_t length : {100u, 12'000u, 15'000u, 16'000u}) {
    Client client = connect();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nX-Other: " + std::string(10'000, 'o') + "\r\nX-Long: " +
                std::string(length, 'y') + "\r\nContent-Length: 50000\r\n\r\n" + std::string(50'000, 'z'));
    EXPECT_TRUE(client.got.ends_with("fine")) << length;
  }
}

// Attack A36: what the server says by itself repeats nothing of what it was sent.
TEST_F(ServerTest, A36_ErrorsRepeatNothingOfTheRequest) {
  for (const char* text :
       {"GET /canary HTTP/1.1\r\nAuthorization: token canary\r\nHost: a\r\nHost: canary\r\n\r\n",
        "GET /?token=canary HTTP/1.1\r\nHost: a\r\ncanary : b\r\n\r\n", "canary\x01 / HTTP/1.1\r\n\r\n",
        "POST /canary HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: canary\r\n\r\n"}) {
    Client client = connect();
    client.send(text);
    EXPECT_TRUE(client.got.starts_with("HTTP/1.1 4") || client.got.starts_with("HTTP/1.1 5"));
    EXPECT_EQ(client.got.find("canary"), std::string::npos);
  }
}

TEST_F(ServerTest, InterimAnswersComeBeforeTheFinalOne) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    EXPECT_TRUE(co_await exchange.interim(103, Fields{{"Link", "<a>"}}));
    co_await exchange.respond(200, Fields{{"Date", "now"}}, "");
  };
  Client client = connect();
  client.send(get());
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\n"));
  Client old = connect();
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(old.got.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, TunnelsHandOverTheStreamAndWhatCameEarly) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    EXPECT_EQ(exchange.request().authority, "api.github.com:443");
    auto tunnel = co_await exchange.tunnel(200, {});
    EXPECT_TRUE(tunnel);
    std::string text(tunnel->early);
    Bytes room(100);
    while (text.size() < 10) {
      const auto count = co_await tunnel->stream.read_some(room);
      if (!count || *count == 0) break;
      text.append(as_text(ByteView(room).first(*count)));
    }
    co_await tunnel->stream.write_all(as_bytes("<" + text + ">"));
  };
  Client client = connect();
  client.send("CONNECT api.github.com:443 HTTP/1.1\r\nHost: api.github.com:443\r\n\r\nearly");
  EXPECT_EQ(client.got, "HTTP/1.1 200 OK\r\n\r\n");
  client.send("later");
  EXPECT_TRUE(client.got.ends_with("<earlylater>"));
  EXPECT_TRUE(client.ended || client.broken);
}

TEST_F(ServerTest, AGivenUpPieceBreaksTheConnectionAndReadsNothingThatIsGone) {
  handler.cold = [this](Exchange& exchange) -> io::Task<> {
    EXPECT_TRUE(exchange.begin(200, {}));
    const auto gone = std::make_unique<std::string>(100'000, 'x');
    const auto sent = co_await io::until(loop, exchange.send(*gone), loop.now() + std::chrono::seconds(1));
    EXPECT_FALSE(sent);
  };
  Client client = connect({.capacity = 1000});
  const std::string text = get();
  const iovec part{const_cast<char*>(text.data()), text.size()};
  client.stream->try_write({&part, 1});
  client.loop.advance(2s);
  client.receive();
  EXPECT_TRUE(client.broken);
}

TEST_F(ServerTest, A16_FieldsThatCannotBeWrittenAreRefusedNotInjected) {
  handler.cold = [](Exchange& exchange) -> io::Task<> {
    EXPECT_FALSE(exchange.begin(200, Fields{{"Location", "x\r\nSet-Cookie: y"}}));
    co_await exchange.respond(502, {}, "");
  };
  Client client = connect();
  client.send(get());
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 502 "));
  EXPECT_EQ(client.got.find("Set-Cookie"), std::string::npos);
}

TEST_F(ServerTest, DestroyingTheServerEndsEverything) {
  io::Event never(loop);
  handler.cold = [&never](Exchange& exchange) -> io::Task<> {
    EXPECT_TRUE(exchange.begin(200, {}));
    co_await never.wait();
  };
  Client a = connect();
  Client b = connect();
  a.send(get());
  server.reset();
  a.receive();
  b.receive();
  EXPECT_TRUE(a.broken || a.ended);
  EXPECT_TRUE(b.broken || b.ended);
}

// Octets behind its head would be the beginning of an answer that nobody gave.
TEST_F(ServerTest, AnErrorOfTheServersOwnHasNoBodyForHead) {
  handler.cold = [](Exchange& exchange) -> io::Task<> { static_cast<void>(co_await exchange.read_all(10)); };
  for (const auto& [fields, status] : {std::pair("", "500"), std::pair("Content-Length: 3\r\n", "408")}) {
    Client client = connect();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n");
    client.advance(20s);
    EXPECT_TRUE(client.got.starts_with("HTTP/1.1 " + std::string(status))) << client.got;
    EXPECT_NE(client.got.find("Content-Length: "), std::string::npos);
    EXPECT_TRUE(client.got.ends_with("\r\n\r\n")) << client.got;
    EXPECT_TRUE(client.ended);
  }
}

}  // namespace
}  // namespace ghmesh::http::server
