// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>
#include <sys/resource.h>

#include "http/http2/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/task_group.hpp"
#include "raw_frames.hpp"

// A client that breaks the rules of RFC 9113, section by section, and the error by which it is told (§5.4, §7). Where a
// section leaves a choice (a stream's error may be treated as the connection's, §5.4.2), the row says what this server
// does.

namespace ghmesh::http::http2 {
namespace {

using namespace raw;

struct Polite final : server::Handler {
  io::Task<> answer(server::Exchange& exchange) override {
    if (!co_await exchange.read_all(1 << 20)) co_return;
    static_cast<void>(co_await exchange.respond(200, http::Fields(), "ok"));
  }
};

enum class End { Fine, Stream, Connection };

struct Case {
  const char* what;
  std::string sent;  // after the preface
  End end;
  std::uint32_t error = NGHTTP2_NO_ERROR;
  std::uint32_t stream = 1;  // whose error
};

struct Conversation {
  explicit Conversation(const Limits& limits = {}) : server(loop, handler, limits) {
    auto [client, far] = io::make_pipe(loop, {.capacity = 4u << 20});
    near = std::move(client);
    tasks.spawn(server.serve(std::move(far)));
  }
  ~Conversation() { tasks.cancel(); }

  void say(std::string_view octets) {
    for (Bytes room(65536); !octets.empty();) {
      const iovec part{const_cast<char*>(octets.data()), octets.size()};
      const io::IoStatus status = near->try_write({&part, 1});
      if (status.kind != io::IoStatus::Done) return;
      octets.remove_prefix(status.bytes);
      listen();
    }
  }
  void listen() {
    Bytes room(65536);
    loop.run_until_idle();
    io::IoStatus status;
    for (; (status = near->try_read(room)).kind == io::IoStatus::Done; loop.run_until_idle())
      heard.append(as_text(ByteView(room).first(status.bytes)));
    ended = status.kind == io::IoStatus::End;
  }
  std::optional<std::uint32_t> reset_of(std::uint32_t id) const {
    for (const Frame& one : parse(heard))
      if (one.type == kRstStream && one.id == id) return one.number_at(0);
    return std::nullopt;
  }
  bool has(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload) const {
    for (const Frame& one : parse(heard))
      if (one.type == type && (one.flags & flags) == flags && one.id == id && one.payload.starts_with(payload))
        return true;
    return false;
  }
  // A request that works: HEADERS of an answer with :status 200, the static table's eighth entry.
  bool still_answers(std::uint32_t id) {
    say(frame(kHeaders, kEndHeaders | kEndStream, id, head()));
    return has(kHeaders, kEndHeaders, id, "\x88");
  }

  io::ManualLoop loop;
  Polite handler;
  Server server;
  std::unique_ptr<io::Stream> near;
  io::TaskGroup tasks{loop};
  std::string heard;
  bool ended = false;  // the server has said its last
};

void judge(const Case& one) {
  SCOPED_TRACE(one.what);
  Conversation talk;
  talk.say(preface() + one.sent);
  switch (one.end) {
    case End::Fine:
      EXPECT_FALSE(goaway(talk.heard));
      EXPECT_FALSE(talk.reset_of(one.stream));
      EXPECT_TRUE(talk.still_answers(101));
      break;
    case End::Stream:
      EXPECT_EQ(talk.reset_of(one.stream), one.error);
      EXPECT_FALSE(goaway(talk.heard));
      EXPECT_TRUE(talk.still_answers(101));
      break;
    case End::Connection:
      EXPECT_EQ(goaway(talk.heard), one.error);
      EXPECT_TRUE(talk.ended) << "the server goes on";
      break;
  }
}

void judge_all(const std::vector<Case>& cases) {
  for (const Case& one : cases) judge(one);
}

std::string headers(std::uint32_t id, std::uint8_t flags = kEndHeaders | kEndStream) {
  return frame(kHeaders, flags, id, head());
}
std::string setting(std::uint16_t name, std::uint32_t value) {
  return frame(kSettings, 0, 0, number(name, 2) + number(value));
}
// A request with these fields alone.
std::string request(std::string_view fields, std::uint8_t flags = kEndHeaders | kEndStream) {
  return frame(kHeaders, flags, 1, fields);
}
std::string minimal() { return field(":method", "GET") + field(":scheme", "https") + field(":path", "/"); }

TEST(Http2Conformance, S3_4_Preface) {
  for (const std::string& sent :
       {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), std::string("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + headers(1)}) {
    Conversation talk;
    talk.say(sent);
    EXPECT_EQ(goaway(talk.heard), static_cast<std::uint32_t>(NGHTTP2_PROTOCOL_ERROR)) << sent;
    EXPECT_TRUE(talk.ended);
  }
}

TEST(Http2Conformance, S4_Frames) {
  const std::string big(16385, 'x');
  judge_all({
      {"4.1 an unknown type is ignored", frame(0x16, 0, 0, "12345678") + frame(0x16, 0xff, 7, ""), End::Fine},
      {"4.1 unknown flags are ignored", frame(kPing, 0x16, 0, "12345678"), End::Fine},
      {"4.1 the reserved bit is ignored", frame(kPing, 0, 0x80000000, "12345678"), End::Fine},
      {"4.2 DATA beyond the frame size", headers(1, kEndHeaders) + frame(kData, 0, 1, big), End::Connection,
       NGHTTP2_FRAME_SIZE_ERROR},
      {"4.2 HEADERS beyond the frame size", frame(kHeaders, kEndHeaders, 1, big), End::Connection,
       NGHTTP2_FRAME_SIZE_ERROR},
      {"4.2 SETTINGS beyond the frame size", frame(kSettings, 0, 0, std::string(16386, '\0')), End::Connection,
       NGHTTP2_FRAME_SIZE_ERROR},
      {"4.3 a block that is none", frame(kHeaders, kEndHeaders | kEndStream, 1, "\xff\xff\xff\xff\xff\xff\xff\xff"),
       End::Connection, NGHTTP2_COMPRESSION_ERROR},
      {"4.3 an index that is none", request(head() + "\xfe"), End::Connection, NGHTTP2_COMPRESSION_ERROR},
      {"4.3 a block that is cut",
       request(head() + std::string("\0\x05"
                                    "ab",
                                    4)),
       End::Connection, NGHTTP2_COMPRESSION_ERROR},
      {"4.3 a table larger than allowed", request("\x3f\xe1\xff\x03" + head()), End::Connection,
       NGHTTP2_COMPRESSION_ERROR},
      {"4.3 PRIORITY within a block", headers(1, kEndStream) + frame(kPriority, 0, 1, std::string(5, '\0')),
       End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"4.3 HEADERS of another stream within a block", headers(1, kEndStream) + headers(3), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
  });
}

TEST(Http2Conformance, S5_Streams) {
  judge_all({
      {"5.1 idle: DATA", frame(kData, kEndStream, 1, "x"), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"5.1 idle: RST_STREAM", frame(kRstStream, 0, 1, number(8)), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"5.1 idle: WINDOW_UPDATE", frame(kWindowUpdate, 0, 1, number(8)), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"5.1 idle: CONTINUATION", frame(kContinuation, kEndHeaders, 1, head()), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"5.1 half-closed: CONTINUATION", headers(1) + frame(kContinuation, kEndHeaders, 1, ""), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
      {"5.1 closed by its end: DATA", headers(1) + frame(kData, kEndStream, 1, "x"), End::Connection,
       NGHTTP2_STREAM_CLOSED},
      {"5.1 closed by its end: HEADERS", headers(1) + headers(1), End::Connection, NGHTTP2_STREAM_CLOSED},
      {"5.1 closed by a reset: RST_STREAM again, which may have been on its way",
       headers(1, kEndHeaders) + frame(kRstStream, 0, 1, number(8)) + frame(kRstStream, 0, 1, number(8)), End::Fine, 0,
       7},
      {"5.1.1 an even stream", headers(2), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"5.3.1 PRIORITY upon itself", frame(kPriority, 0, 1, number(1) + "\x10"), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
      {"5.5 an unknown frame within a block", headers(1, kEndStream) + frame(0x16, 0, 1, ""), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
  });
}

// §5.1.1 wants the connection's end here. nghttp2 keeps no list of streams that are closed, takes it for one of them
// (whose frames may have been on their way, §5.1) and lets it fall: it is no request, and that is what matters.
TEST(Http2Conformance, S5_1_1_AStreamBelowAnEarlierOneIsNoRequest) {
  Conversation talk;
  talk.say(preface() + headers(5) + headers(3));
  EXPECT_TRUE(talk.has(kHeaders, kEndHeaders, 5, "\x88"));
  for (const Frame& one : parse(talk.heard)) EXPECT_NE(one.id, 3u);
  EXPECT_EQ(talk.server.counts().requests, 1u);
  EXPECT_TRUE(talk.still_answers(101));
}

TEST(Http2Conformance, S6_1_To_6_4_DataHeadersPriorityReset) {
  judge_all({
      {"6.1 DATA of stream 0", frame(kData, 0, 0, "x"), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.1 padding as long as the frame",
       headers(1, kEndHeaders) + frame(kData, kPadded | kEndStream, 1,
                                       "\x04"
                                       "abc"),
       End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.1 padding",
       headers(1, kEndHeaders) + frame(kData, kPadded | kEndStream, 1,
                                       std::string("\x02"
                                                   "x\0\0",
                                                   4)),
       End::Fine},
      {"6.2 HEADERS of stream 0", headers(0), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.2 padding as long as the frame", frame(kHeaders, kEndHeaders | kEndStream | kPadded, 1, "\x40" + head()),
       End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.3 PRIORITY of stream 0", frame(kPriority, 0, 0, std::string(5, '\0')), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
      {"6.3 PRIORITY of another size", headers(1, kEndHeaders) + frame(kPriority, 0, 1, number(3)), End::Connection,
       NGHTTP2_FRAME_SIZE_ERROR},
      {"6.4 RST_STREAM of stream 0", frame(kRstStream, 0, 0, number(8)), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.4 RST_STREAM of another size", headers(1, kEndHeaders) + frame(kRstStream, 0, 1, "\x08"), End::Connection,
       NGHTTP2_FRAME_SIZE_ERROR},
  });
}

TEST(Http2Conformance, S6_5_Settings) {
  judge_all({
      {"6.5 ACK with content", frame(kSettings, kAck, 0, std::string(6, '\0')), End::Connection,
       NGHTTP2_FRAME_SIZE_ERROR},
      {"6.5 of a stream", frame(kSettings, 0, 1, ""), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.5 half a setting", frame(kSettings, 0, 0, "abc"), End::Connection, NGHTTP2_FRAME_SIZE_ERROR},
      {"6.5.2 push neither on nor off", setting(2, 2), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.5.2 a window of 2^31", setting(4, 0x80000000), End::Connection, NGHTTP2_FLOW_CONTROL_ERROR},
      {"6.5.2 frames below 2^14", setting(5, 16383), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.5.2 frames of 2^24", setting(5, 1 << 24), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.5.2 an unknown setting", setting(0xff, 7), End::Fine},
  });
  Conversation talk;
  talk.say(preface() + setting(4, 100'000));
  EXPECT_TRUE(talk.has(kSettings, kAck, 0, ""));
}

TEST(Http2Conformance, S6_6_To_6_8_PushPingGoaway) {
  judge_all({
      {"6.6 a client that promises", headers(1, kEndHeaders) + frame(kPushPromise, kEndHeaders, 1, number(2) + head()),
       End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.7 PING of a stream", frame(kPing, 0, 1, "12345678"), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.7 PING of another size", frame(kPing, 0, 0, "123456"), End::Connection, NGHTTP2_FRAME_SIZE_ERROR},
      {"6.8 GOAWAY of a stream", frame(kGoaway, 0, 1, number(0) + number(0)), End::Connection, NGHTTP2_PROTOCOL_ERROR},
  });
  Conversation talk;
  talk.say(preface() + frame(kPing, 0, 0, "12345678") + frame(kPing, kAck, 0, "answered"));
  EXPECT_TRUE(talk.has(kPing, kAck, 0, "12345678"));
  EXPECT_FALSE(talk.has(kPing, 0, 0, "answered"));
}

TEST(Http2Conformance, S6_9_Windows) {
  std::string beyond = headers(1, kEndHeaders);
  for (int i = 0; i < 5; ++i) beyond += frame(kData, 0, 1, std::string(16000, 'x'));
  judge_all({
      {"6.9 an update of nothing", frame(kWindowUpdate, 0, 0, number(0)), End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.9 an update of a stream of nothing", headers(1, kEndHeaders) + frame(kWindowUpdate, 0, 1, number(0)),
       End::Connection, NGHTTP2_PROTOCOL_ERROR},
      {"6.9 WINDOW_UPDATE of another size", frame(kWindowUpdate, 0, 0, "abc"), End::Connection,
       NGHTTP2_FRAME_SIZE_ERROR},
      {"6.9.1 the connection's window above 2^31-1", frame(kWindowUpdate, 0, 0, number(0x7fffffff)), End::Connection,
       NGHTTP2_FLOW_CONTROL_ERROR},
      {"6.9.1 a stream's window above 2^31-1", headers(1, kEndHeaders) + frame(kWindowUpdate, 0, 1, number(0x7fffffff)),
       End::Stream, NGHTTP2_FLOW_CONTROL_ERROR},
      {"6.9.2 a setting that lifts a stream's window above 2^31-1",
       headers(1, kEndHeaders) + frame(kWindowUpdate, 0, 1, number(0x7ffffffe - 65535)) + setting(4, 0x7fffffff),
       End::Stream, NGHTTP2_FLOW_CONTROL_ERROR},
  });
}

// Nobody reads the body: the client may send what its window has room for, and not an octet more.
TEST(Http2Conformance, S6_9_1_DataBeyondTheWindow) {
  struct Deaf final : server::Handler {
    explicit Deaf(io::Loop& loop) : never(loop) {}
    io::Task<> answer(server::Exchange&) override { co_await never.wait(); }
    io::Event never;
  };
  io::ManualLoop loop;
  Deaf handler(loop);
  const Limits limits;
  Server server(loop, handler, limits);
  auto [near, far] = io::make_pipe(loop, {.capacity = 4u << 20});
  io::TaskGroup tasks{loop};
  tasks.spawn(server.serve(std::move(far)));
  const auto exchange = [&](std::string_view octets) {
    const iovec part{const_cast<char*>(octets.data()), octets.size()};
    near->try_write({&part, 1});
    loop.run_until_idle();
    Bytes room(65536);
    std::string heard;
    for (io::IoStatus status; (status = near->try_read(room)).kind == io::IoStatus::Done; loop.run_until_idle())
      heard.append(as_text(ByteView(room).first(status.bytes)));
    return heard;
  };
  std::string full = preface() + frame(kSettings, kAck, 0, "") + headers(1, kEndHeaders);
  for (std::uint32_t left = limits.stream_window; left > 0; left -= 16384)
    full += frame(kData, 0, 1, std::string(16384, 'x'));
  const std::string heard = exchange(full);
  EXPECT_FALSE(goaway(heard));
  for (const Frame& one : parse(heard)) EXPECT_NE(one.type, kRstStream);
  const std::vector<Frame> told = parse(exchange(frame(kData, 0, 1, "x")));
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back().type, kRstStream);
  EXPECT_EQ(told.back().number_at(0), static_cast<std::uint32_t>(NGHTTP2_FLOW_CONTROL_ERROR));
  tasks.cancel();
}

TEST(Http2Conformance, S6_10_Continuation) {
  judge_all({
      {"6.10 a head in pieces",
       headers(1, kEndStream) + frame(kContinuation, 0, 1, field("x-a", "b")) +
           frame(kContinuation, kEndHeaders, 1, ""),
       End::Fine},
      {"6.10 of stream 0", headers(1, kEndStream) + frame(kContinuation, kEndHeaders, 0, ""), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
      {"6.10 of another stream", headers(1, kEndStream) + frame(kContinuation, kEndHeaders, 3, ""), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
      {"6.10 after the end of the head",
       headers(1, kEndHeaders) + frame(kContinuation, kEndHeaders, 1, field("x-a", "b")), End::Connection,
       NGHTTP2_PROTOCOL_ERROR},
      {"6.10 after DATA", headers(1, kEndHeaders) + frame(kData, 0, 1, "x") + frame(kContinuation, kEndHeaders, 1, ""),
       End::Connection, NGHTTP2_PROTOCOL_ERROR},
  });
}

TEST(Http2Conformance, S8_Messages) {
  const auto broken = [](const char* what, std::string sent) {
    return Case{what, std::move(sent), End::Stream, NGHTTP2_PROTOCOL_ERROR};
  };
  judge_all({
      {"8.3.1 the least that is a request", request(minimal() + field(":authority", "api.github.com")), End::Fine},
      broken("8.2.1 a name in upper case", request(head() + field("X-Upper", "x"))),
      broken("8.2.1 a value with a line break", request(head() + field("x-a", "b\r\nc: d"))),
      broken("8.2.2 Connection", request(head() + field("connection", "keep-alive"))),
      broken("8.2.2 Transfer-Encoding", request(head() + field("transfer-encoding", "chunked"))),
      broken("8.2.2 Upgrade", request(head() + field("upgrade", "websocket"))),
      broken("8.2.2 TE that is not trailers", request(head() + field("te", "gzip"))),
      {"8.2.2 TE: trailers", request(head() + field("te", "trailers")), End::Fine},
      broken("8.3 an unknown pseudo-field", request(head() + field(":test", "x"))),
      broken("8.3 an answer's pseudo-field", request(head() + field(":status", "200"))),
      broken("8.3 a pseudo-field behind a field", request(field("x-a", "b") + head())),
      broken("8.3.1 no :method", request(field(":scheme", "https") + field(":path", "/"))),
      broken("8.3.1 no :scheme", request(field(":method", "GET") + field(":path", "/"))),
      broken("8.3.1 no :path", request(field(":method", "GET") + field(":scheme", "https"))),
      broken("8.3.1 an empty :path", request(field(":method", "GET") + field(":scheme", "https") + field(":path", ""))),
      broken("8.3.1 two :method", request(minimal() + field(":method", "GET"))),
      broken("8.3.1 two :path", request(minimal() + field(":path", "/b"))),
      broken("8.1.1 less content than said",
             request(head() + field("content-length", "3"), kEndHeaders) + frame(kData, kEndStream, 1, "ab")),
      broken("8.1.1 more content than said",
             request(head() + field("content-length", "1"), kEndHeaders) + frame(kData, kEndStream, 1, "ab")),
      broken("8.1 a pseudo-field in trailers",
             headers(1, kEndHeaders) + frame(kHeaders, kEndHeaders | kEndStream, 1, field(":method", "GET"))),
      broken("8.1 trailers that are not the end",
             headers(1, kEndHeaders) + frame(kHeaders, kEndHeaders, 1, field("x-a", "b"))),
  });
}

// A head of 10 KiB on the wire that is 39 MiB when it is unpacked: one large entry of the table, named 10,000 times.
TEST(Http2Conformance, AHeadThatGrowsWhenUnpackedIsNotKept) {
  const std::string value(3900, 'v');
  // Literal with indexing, new name "a", a length of 3900 in HPACK's continued form (RFC 7541 §5.1).
  std::string block = head() +
                      "\x40\x01"
                      "a"
                      "\x7f" +
                      std::string("\xbd\x1d", 2) + value;
  block += std::string(10'000, '\xbe');
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  Conversation talk;
  talk.say(preface() + frame(kHeaders, kEndHeaders | kEndStream, 1, block));
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 * 1024);  // KiB
  EXPECT_FALSE(talk.has(kHeaders, kEndHeaders, 1, "\x88")) << "was answered as if it were a request";
  EXPECT_TRUE(talk.reset_of(1) || goaway(talk.heard) || talk.has(kHeaders, 0, 1, "")) << "was not answered at all";
}

}  // namespace
}  // namespace ghmesh::http::http2
