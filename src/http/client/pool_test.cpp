// SPDX-License-Identifier: Apache-2.0
#include "http/client/pool.hpp"

#include <gtest/gtest.h>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"

namespace ghmesh::http::client {
namespace {

// The origin's end of one connection, driven by hand.
struct Far {
  io::ManualLoop& loop;
  std::unique_ptr<io::Stream> stream;
  std::string got;
  bool ended = false;

  void receive() {
    loop.run_until_idle();
    Bytes room(8192);
    while (stream) {
      const auto status = stream->try_read(room);
      if (status.kind != io::IoStatus::Done) {
        ended = ended || status.kind != io::IoStatus::WouldBlock;
        return;
      }
      got.append(as_text(ByteView(room).first(status.bytes)));
      loop.run_until_idle();
    }
  }
  void send(std::string_view text) {
    const iovec part{const_cast<char*>(text.data()), text.size()};
    ASSERT_EQ(stream->try_write({&part, 1}).bytes, text.size());
    loop.run_until_idle();
  }
  void answer(std::string_view body) {
    send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
};

struct PoolTest : ::testing::Test {
  io::ManualLoop loop;
  io::PipeOptions options;
  std::vector<std::unique_ptr<Far>> far;
  bool refuse = false;
  bool hang = false;
  io::Event never{loop};
  std::optional<Pool> pool;
  io::TaskGroup group{loop};
  Limits limits;

  Pool& make() {
    if (!pool) {
      pool.emplace(loop,
                   Origin{"origin.test", false,
                          [this]() -> io::Task<Result<std::unique_ptr<io::Stream>>> {
                            if (hang) co_await never.wait();
                            if (refuse) co_return fail(ErrorCode::Refused, "refused", Fault::Origin, Retry::Later);
                            auto [ours, theirs] = io::make_pipe(loop, options);
                            far.push_back(std::make_unique<Far>(loop, std::move(theirs)));
                            co_return std::move(ours);
                          }},
                   limits);
    }
    return *pool;
  }

  struct Got {
    bool done = false;
    int status = 0;
    Fields fields;
    std::string body;
    std::optional<Error> error;
    std::unique_ptr<Reply> reply;
    std::vector<int> interims;
  };
  // Sends and, if read, takes the whole body and lets go of the connection.
  std::shared_ptr<Got> send(Outgoing request, bool read = true) {
    auto got = std::make_shared<Got>();
    if (!request.on_interim)
      request.on_interim = [got](const ResponseView& view) -> io::Task<> {
        got->interims.push_back(view.status);
        co_return;
      };
    group.spawn([](Pool& p, Outgoing out, std::shared_ptr<Got> g, bool all) -> io::Task<> {
      auto reply = co_await p.send(std::move(out));
      if (!reply) {
        g->error = reply.error();
      } else {
        g->status = (*reply)->status();
        g->fields = Fields((*reply)->fields());
        if (!all) {
          g->reply = std::move(*reply);
        } else {
          auto body = co_await (*reply)->read_all(1 << 20);
          if (body) g->body = *body;
          if (!body) g->error = body.error();
        }
      }
      g->done = true;
    }(make(), std::move(request), got, read));
    loop.run_until_idle();
    for (auto& f : far) f->receive();
    return got;
  }
  std::shared_ptr<Got> get(std::string_view target = "/") {
    return send({.method = "GET", .target = target, .fields = {}});
  }
};

TEST_F(PoolTest, OneConnectionCarriesOneRequestAfterTheOther) {
  auto first = send({.method = "GET", .target = "/a", .fields = FieldsView(std::vector<Field>{})});
  ASSERT_EQ(far.size(), 1u);
  EXPECT_EQ(far[0]->got, "GET /a HTTP/1.1\r\nHost: origin.test\r\n\r\n");
  far[0]->answer("one");
  EXPECT_EQ(first->body, "one");
  far[0]->got.clear();
  auto second = get("/b");
  EXPECT_EQ(far.size(), 1u);
  far[0]->send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\n0\r\n\r\n");
  EXPECT_EQ(second->body, "two");
  EXPECT_EQ(pool->counts().reused, 1u);
  EXPECT_EQ(pool->counts().idle, 1u);
}

TEST_F(PoolTest, FieldsOfTheConnectionAreOurs) {
  const Fields fields{{"Host", "api.github.com"}, {"Connection", "close"}, {"Transfer-Encoding", "gzip"},
                      {"Content-Length", "7"},    {"Accept", "x"},         {"TE", "trailers"}};
  send({.method = "POST", .target = "/", .fields = fields});
  EXPECT_EQ(far[0]->got, "POST / HTTP/1.1\r\nHost: api.github.com\r\nAccept: x\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(PoolTest, BodiesAreCountedOrChunked) {
  TextBody body("hello");
  auto sized = send({.method = "POST", .target = "/", .fields = {}, .body = &body});
  EXPECT_TRUE(far[0]->got.ends_with("Content-Length: 5\r\n\r\nhello"));
  far[0]->answer("");
  EXPECT_TRUE(sized->done);
  struct Pieces final : BodySource {
    int left = 3;
    std::optional<std::uint64_t> length() const override { return std::nullopt; }
    io::Task<Result<std::string_view>> read() override { co_return left-- > 0 ? std::string_view("abc") : ""; }
  } pieces;
  far[0]->got.clear();
  send({.method = "POST", .target = "/", .fields = {}, .body = &pieces});
  EXPECT_TRUE(far[0]->got.ends_with("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n"));
}

TEST_F(PoolTest, ADeadKeptConnectionIsRetriedOnceForIdempotentRequests) {
  get();
  far[0]->answer("x");
  // It dies while the request is on its way: no octet of an answer.
  auto second = get("/2");
  ASSERT_EQ(far.size(), 1u);
  far[0]->stream.reset();
  loop.run_until_idle();
  ASSERT_EQ(far.size(), 2u);
  far[1]->receive();
  EXPECT_TRUE(far[1]->got.starts_with("GET /2 "));
  far[1]->stream.reset();  // the fresh one dies, too
  loop.run_until_idle();
  EXPECT_TRUE(second->error);
  EXPECT_EQ(far.size(), 2u);
  EXPECT_EQ(pool->counts().retried, 1u);
}

TEST_F(PoolTest, AClosedIdleConnectionIsNotEvenTried) {
  get();
  far[0]->answer("x");
  far[0]->stream->shutdown_write();
  loop.run_until_idle();
  auto second = send({.method = "POST", .target = "/2", .fields = {}});
  ASSERT_EQ(far.size(), 2u);
  EXPECT_EQ(pool->counts().retried, 0u);
  far[1]->answer("y");
  EXPECT_EQ(second->body, "y");
}

TEST_F(PoolTest, OctetsThatNobodyAskedForAreNotTheNextAnswer) {
  get();
  far[0]->answer("x");
  far[0]->send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
  auto second = get("/2");
  ASSERT_EQ(far.size(), 2u);
  far[1]->answer("good");
  EXPECT_EQ(second->body, "good");
  // Behind an answer, too.
  far[1]->got.clear();
  auto third = get("/3");
  far[1]->send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(third->body, "x");
  get("/4");
  EXPECT_EQ(far.size(), 3u);
}

TEST_F(PoolTest, PostAndHalfAnswersAreNotRetried) {
  get();
  far[0]->answer("x");
  auto post = send({.method = "POST", .target = "/", .fields = {}});
  far[0]->stream.reset();
  loop.run_until_idle();
  EXPECT_TRUE(post->error);
  EXPECT_EQ(far.size(), 1u);
  get();
  far[1]->answer("x");
  auto half = get();
  far[1]->send("HTTP/1.1 2");
  far[1]->stream.reset();
  loop.run_until_idle();
  EXPECT_TRUE(half->error);
  EXPECT_EQ(far.size(), 2u);
}

TEST_F(PoolTest, TruncatedBodiesAreErrors) {
  const std::vector<std::string> cut{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
                                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"};
  for (std::size_t i = 0; i < cut.size(); ++i) {
    auto got = get();
    far[i]->send(cut[i]);
    far[i]->stream->shutdown_write();
    loop.run_until_idle();
    ASSERT_TRUE(got->error) << cut[i];
    EXPECT_EQ(got->error->code, ErrorCode::Closed);
    EXPECT_EQ(got->error->fault, Fault::Origin);
  }
  auto until_close = get();
  far[3]->send("HTTP/1.1 200 OK\r\n\r\nall of it");
  far[3]->stream->shutdown_write();
  loop.run_until_idle();
  EXPECT_EQ(until_close->body, "all of it");
}

TEST_F(PoolTest, Deadlines) {
  hang = true;
  auto connecting = get();
  loop.advance(3s);
  EXPECT_FALSE(connecting->done);
  loop.advance(1s);
  ASSERT_TRUE(connecting->error);
  EXPECT_EQ(connecting->error->code, ErrorCode::Timeout);
  hang = false;

  auto silent = get();
  loop.advance(29s);
  EXPECT_FALSE(silent->done);
  loop.advance(2s);
  ASSERT_TRUE(silent->error);
  EXPECT_EQ(silent->error->code, ErrorCode::Timeout);

  auto stalled = get();
  far[1]->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  loop.advance(29s);
  far[1]->send("l");
  loop.advance(29s);
  EXPECT_FALSE(stalled->done);
  loop.advance(2s);
  ASSERT_TRUE(stalled->error);
  EXPECT_EQ(stalled->error->code, ErrorCode::Timeout);
  EXPECT_EQ(pool->counts().open, 0u);
}

TEST_F(PoolTest, IdleConnectionsAreClosedInTime) {
  get();
  far[0]->answer("x");
  loop.advance(49s);
  EXPECT_EQ(pool->counts().open, 1u);
  loop.advance(2s);
  EXPECT_EQ(pool->counts().open, 0u);
  far[0]->receive();
  EXPECT_TRUE(far[0]->ended);
}

TEST_F(PoolTest, TheBoundOfConnectionsAndWaiting) {
  limits.connections = 2;
  limits.waiting = 1;
  auto a = get("/a");
  auto b = get("/b");
  auto c = get("/c");
  auto d = get("/d");
  EXPECT_EQ(far.size(), 2u);
  ASSERT_TRUE(d->error);
  EXPECT_EQ(d->error->code, ErrorCode::Limit);
  EXPECT_FALSE(c->done);
  far[0]->got.clear();
  far[0]->answer("a");
  far[0]->receive();
  EXPECT_TRUE(far[0]->got.starts_with("GET /c "));
  auto e = get("/e");
  loop.advance(31s);
  EXPECT_TRUE(e->error);
  EXPECT_EQ(pool->counts().waiting, 0u);
}

TEST_F(PoolTest, InterimAnswersArePassedUpAndBounded) {
  auto got = get();
  far[0]->send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n");
  far[0]->answer("x");
  EXPECT_EQ(got->interims, std::vector<int>{103});
  EXPECT_EQ(got->body, "x");
  auto flooded = get();
  for (int i = 0; i < 9; ++i) far[0]->send("HTTP/1.1 103 Early Hints\r\n\r\n");
  ASSERT_TRUE(flooded->error);
  EXPECT_EQ(flooded->error->code, ErrorCode::Limit);
}

TEST_F(PoolTest, A19_RedirectsComeBackAsTheyAre) {
  auto got = get();
  far[0]->send("HTTP/1.1 302 Found\r\nLocation: https://evil.test/\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(got->status, 302);
  EXPECT_EQ(got->fields.first("location"), "https://evil.test/");
  EXPECT_EQ(far.size(), 1u);
}

TEST_F(PoolTest, A20_HostileHeadsAreErrors) {
  for (const std::string& text :
       {std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
        "HTTP/1.1 200 OK\r\nA: " + std::string(20'000, 'x'), std::string("SSH-2.0-x\r\n"),
        std::string("HTTP/1.1 101 Switching\r\n\r\n")}) {
    auto got = get();
    far.back()->send(text);
    ASSERT_TRUE(got->error) << text.substr(0, 50);
    EXPECT_EQ(got->error->code, ErrorCode::Malformed);
    EXPECT_EQ(got->error->fault, Fault::Origin);
  }
  EXPECT_EQ(far.size(), 4u);
}

TEST_F(PoolTest, AnEarlyRefusalEndsTheUpload) {
  struct Endless final : BodySource {
    std::string piece = std::string(10'000, 'x');
    std::optional<std::uint64_t> length() const override { return std::nullopt; }
    io::Task<Result<std::string_view>> read() override { co_return std::string_view(piece); }
  } endless;
  options.capacity = 20'000;
  auto got = std::make_shared<Got>();
  group.spawn([](Pool& p, BodySource& body, std::shared_ptr<Got> g) -> io::Task<> {
    auto reply = co_await p.send({.method = "POST", .target = "/", .fields = {}, .body = &body});
    if (reply) g->status = (*reply)->status();
  }(make(), endless, got));
  loop.run_until_idle();
  far[0]->send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(got->status, 413);
  EXPECT_EQ(pool->counts().open, 0u);
}

TEST_F(PoolTest, ABodyThatFailsBreaksTheRequest) {
  struct Failing final : BodySource {
    int reads = 0;
    std::optional<std::uint64_t> length() const override { return 100; }
    io::Task<Result<std::string_view>> read() override {
      if (reads++ == 0) co_return std::string_view("abc");
      co_return fail(ErrorCode::Closed, "the client left", Fault::Client);
    }
  } failing;
  auto got = send({.method = "PUT", .target = "/", .fields = {}, .body = &failing});
  ASSERT_TRUE(got->error);
  EXPECT_EQ(got->error->fault, Fault::Client);
  far[0]->receive();
  EXPECT_TRUE(far[0]->ended);
  EXPECT_TRUE(far[0]->got.ends_with("abc"));
}

TEST_F(PoolTest, ExpectWaitsForContinueButNotForEver) {
  const Fields fields{{"Expect", "100-continue"}};
  TextBody body("hello");
  auto got = send({.method = "PUT", .target = "/", .fields = fields, .body = &body});
  EXPECT_FALSE(far[0]->got.ends_with("hello"));
  far[0]->send("HTTP/1.1 100 Continue\r\n\r\n");
  far[0]->receive();
  EXPECT_TRUE(far[0]->got.ends_with("hello"));
  far[0]->answer("ok");
  EXPECT_EQ(got->body, "ok");
  TextBody second("again");
  send({.method = "PUT", .target = "/", .fields = fields, .body = &second});
  loop.advance(2s);
  far[0]->receive();
  EXPECT_TRUE(far[0]->got.ends_with("again"));
}

TEST_F(PoolTest, UpgradesHandOverTheStream) {
  auto got = send({.method = "GET", .target = "/", .fields = {}, .upgrade = "websocket"}, false);
  EXPECT_NE(far[0]->got.find("Connection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos);
  far[0]->send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nearly");
  ASSERT_EQ(got->status, 101);
  std::string early;
  const auto stream = got->reply->take_stream(early);
  got->reply.reset();
  EXPECT_EQ(early, "early");
  far[0]->send("later");
  Bytes room(10);
  EXPECT_EQ(stream->try_read(room).bytes, 5u);
}

TEST_F(PoolTest, AReplyThatIsDroppedClosesItsConnectionAndThePoolMayGoFirst) {
  auto got = send({.method = "GET", .target = "/", .fields = {}}, false);
  far[0]->send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  ASSERT_TRUE(got->reply);
  pool.reset();
  far[0]->receive();
  EXPECT_FALSE(far[0]->ended);
  got->reply.reset();
  far[0]->receive();
  EXPECT_TRUE(far[0]->ended);
}

TEST_F(PoolTest, HeadAndNotModifiedHaveNoBody) {
  auto head = send({.method = "HEAD", .target = "/", .fields = {}});
  far[0]->send("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
  EXPECT_TRUE(head->done);
  EXPECT_EQ(head->body, "");
  auto same = get();
  far[0]->send("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
  EXPECT_EQ(same->status, 304);
  EXPECT_EQ(far.size(), 1u);
}

TEST_F(PoolTest, ARefusedConnectionIsTheOriginsFault) {
  refuse = true;
  auto got = get();
  ASSERT_TRUE(got->error);
  EXPECT_EQ(got->error->fault, Fault::Origin);
  EXPECT_EQ(pool->counts().failed, 1u);
  refuse = false;
  auto next = get();
  far[0]->answer("up again");
  EXPECT_EQ(next->body, "up again");
}

TEST_F(PoolTest, AnyChunkingOfTheAnswerGivesTheSame) {
  for (const std::size_t chunk : {1u, 3u, 100u}) {
    options.chunk = chunk;
    pool.reset();
    far.clear();
    auto got = get();
    const std::string text =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"a\"\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX: "
        "y\r\n\r\n";
    for (std::size_t at = 0; at < text.size(); at += chunk) far[0]->send(std::string_view(text).substr(at, chunk));
    EXPECT_EQ(got->body, "hello world");
    EXPECT_EQ(got->fields.first("etag"), "\"a\"");
    EXPECT_EQ(pool->counts().idle, 1u);
  }
}

}  // namespace
}  // namespace ghmesh::http::client
