// SPDX-License-Identifier: Apache-2.0
#include "http/http2/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <functional>
#include <map>

#include "io/manual_loop.hpp"
#include "io/pipe.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"
#include "raw_frames.hpp"

namespace ghmesh::http::http2 {
namespace {

using namespace std::chrono_literals;
using raw::frame;
using raw::head;
using raw::preface;
using List = std::vector<std::pair<std::string, std::string>>;

struct Play final : server::Handler {
  std::function<bool(server::Exchange&)> hot = [](server::Exchange&) { return false; };
  std::function<io::Task<>(server::Exchange&)> task;
  bool try_answer(server::Exchange& exchange) override { return hot(exchange); }
  io::Task<> answer(server::Exchange& exchange) override { return task(exchange); }
};

struct Reply {
  std::map<std::string, std::string> fields;
  std::vector<std::string> statuses;
  std::string body;
  std::size_t sent = 0;  // of the request's body
  bool closed = false;
  std::uint32_t error = 0;
};

// nghttp2 as a client, on the other end of a pipe.
class Http2 : public testing::Test {
 protected:
  void open(const Limits& limits = {}) {
    server_ = std::make_unique<Server>(loop_, play_, limits);
    auto [near, far] = io::make_pipe(loop_, {.capacity = 1 << 20});
    near_ = std::move(near);
    tasks_.spawn(server_->serve(std::move(far)));
  }
  ~Http2() override {
    tasks_.cancel();
    nghttp2_session_del(session_);
  }

  void start_client() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
                      const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* self) {
          Reply& reply = static_cast<Http2*>(self)->replies_[frame->hd.stream_id];
          const std::string key(reinterpret_cast<const char*>(name), name_size);
          const std::string text(reinterpret_cast<const char*>(value), value_size);
          if (key == ":status") reply.statuses.push_back(text);
          reply.fields[key] = text;
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data, std::size_t size, void* self) {
          static_cast<Http2*>(self)->replies_[id].body.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_stream_close_callback(
        callbacks, [](nghttp2_session*, std::int32_t id, std::uint32_t error, void* self) {
          Reply& reply = static_cast<Http2*>(self)->replies_[id];
          reply.closed = true;
          reply.error = error;
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* self) {
          if (frame->hd.type == NGHTTP2_GOAWAY) static_cast<Http2*>(self)->goaway_ = frame->goaway.error_code;
          return 0;
        });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, opens_no_window_ ? 1 : 0);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }

  // Octets of a body to send; it ends after them if ends.
  struct Body {
    std::size_t size;
    bool ends = true;
  };
  std::int32_t ask(const std::string& method, const List& more = {}, std::optional<Body> body = {}) {
    List list{{":method", method}, {":scheme", "https"}, {":path", "/a"}, {":authority", "api.github.com"}};
    list.insert(list.end(), more.begin(), more.end());
    std::vector<nghttp2_nv> pairs;
    for (auto& [name, value] : list)
      pairs.push_back({reinterpret_cast<std::uint8_t*>(name.data()), reinterpret_cast<std::uint8_t*>(value.data()),
                       name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = [](nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t room,
                                std::uint32_t* flags, nghttp2_data_source*, void* self) -> ssize_t {
      auto& me = *static_cast<Http2*>(self);
      const Body& given = me.bodies_[id];
      Reply& reply = me.replies_[id];
      const std::size_t count = std::min(room, given.size - reply.sent);
      std::fill_n(out, count, 'x');
      reply.sent += count;
      if (reply.sent < given.size) return static_cast<ssize_t>(count);
      if (given.ends) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return count == 0 && !given.ends ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(count);
    };
    const std::int32_t id =
        nghttp2_submit_request(session_, nullptr, pairs.data(), pairs.size(), body ? &provider : nullptr, nullptr);
    if (body) bodies_[id] = *body;
    return id;
  }

  void send(std::string_view octets) {
    const iovec part{const_cast<char*>(octets.data()), octets.size()};
    near_->try_write({&part, 1});
  }
  // Until neither side has anything to say.
  void pump() {
    Bytes room(65536);
    for (bool moved = true; moved;) {
      moved = false;
      const std::uint8_t* out = nullptr;
      for (ssize_t size = 0; session_ != nullptr && (size = nghttp2_session_mem_send(session_, &out)) > 0; moved = true)
        send({reinterpret_cast<const char*>(out), static_cast<std::size_t>(size)});
      loop_.run_until_idle();
      for (io::IoStatus status; (status = near_->try_read(room)).kind == io::IoStatus::Done; moved = true) {
        raw_.append(as_text(ByteView(room).first(status.bytes)));
        if (session_ != nullptr) nghttp2_session_mem_recv(session_, room.data(), status.bytes);
      }
      loop_.run_until_idle();
    }
  }
  void hang_up() {
    near_->shutdown_write();
    pump();
  }
  bool ended() const { return tasks_.size() == 0; }

  // The error of the GOAWAY frame that came, if any.
  std::optional<std::uint32_t> raw_goaway() const { return raw::goaway(raw_); }

  io::ManualLoop loop_;
  Play play_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<io::Stream> near_;
  io::TaskGroup tasks_{loop_};
  nghttp2_session* session_ = nullptr;
  bool opens_no_window_ = false;
  std::map<std::int32_t, Reply> replies_;
  std::map<std::int32_t, Body> bodies_;
  std::optional<std::uint32_t> goaway_;
  std::string raw_;
};

TEST_F(Http2, AnswersAtOnceAndFromTasks) {
  play_.hot = [](server::Exchange& exchange) {
    if (exchange.request().view.fields.has("x-slow")) return false;
    EXPECT_EQ(exchange.request().authority, "api.github.com");
    EXPECT_EQ(exchange.request().origin_target, "/a");
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"x\"\r\n", "Age: 7\r\n", "hit", nullptr});
    return true;
  };
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    const http::Fields fields{{"X-Made", "here"}, {"Connection", "close"}, {"Content-Length", "99"}};
    static_cast<void>(co_await exchange.respond(201, fields, "slow"));
  };
  open();
  start_client();
  const auto hot = ask("GET"), slow = ask("GET", {{"x-slow", "1"}}), head = ask("HEAD");
  pump();
  EXPECT_EQ(replies_[hot].body, "hit");
  EXPECT_EQ(replies_[hot].fields["etag"], "\"x\"");
  EXPECT_EQ(replies_[hot].fields["age"], "7");
  EXPECT_EQ(replies_[slow].fields[":status"], "201");
  EXPECT_EQ(replies_[slow].fields["content-length"], "4");
  EXPECT_EQ(replies_[slow].fields["x-made"], "here");
  EXPECT_FALSE(replies_[slow].fields.contains("connection"));
  EXPECT_TRUE(replies_[slow].fields.contains("date"));
  EXPECT_EQ(replies_[slow].body, "slow");
  EXPECT_EQ(replies_[head].fields["content-length"], "3");
  EXPECT_EQ(replies_[head].body, "");
  for (const auto& [id, reply] : replies_) EXPECT_TRUE(reply.closed && reply.error == 0) << id;
  EXPECT_EQ(server_->counts().requests, 3u);
  EXPECT_EQ(server_->counts().hot, 2u);
  hang_up();
  EXPECT_TRUE(ended());
}

TEST_F(Http2, AnAnswersHeadMayBeCutAnywhere) {
  play_.hot = [](server::Exchange& exchange) {
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nAge: ", "7\r\nX-Last: b\r\n", "hit", nullptr});
    return true;
  };
  open();
  start_client();
  const auto id = ask("GET");
  pump();
  EXPECT_EQ(replies_[id].error, 0u);
  EXPECT_EQ(replies_[id].fields["age"], "7");
  EXPECT_EQ(replies_[id].fields["x-last"], "b");
  EXPECT_EQ(replies_[id].body, "hit");
}

TEST_F(Http2, BodiesPassBothWaysWithBackPressure) {
  io::Event go(loop_);
  std::size_t read = 0;
  play_.task = [&](server::Exchange& exchange) -> io::Task<> {
    co_await go.wait();
    if (!exchange.begin(200, {})) co_return;
    while (true) {
      const auto piece = co_await exchange.read();
      if (!piece || piece->empty()) break;
      read += piece->size();
      if (!co_await exchange.send(*piece)) co_return;
    }
    static_cast<void>(co_await exchange.finish());
  };
  open();
  start_client();
  const auto id = ask("POST", {}, Body{1'000'000});
  pump();
  // Nobody reads: no more than the stream's window is on its way.
  EXPECT_EQ(replies_[id].sent, Limits{}.stream_window);
  go.set();
  pump();
  EXPECT_EQ(read, 1'000'000u);
  EXPECT_EQ(replies_[id].body, std::string(1'000'000, 'x'));
  EXPECT_TRUE(replies_[id].closed);
}

TEST_F(Http2, AClientThatOpensNoWindowIsGivenUp) {
  opens_no_window_ = true;
  std::optional<ErrorCode> failed;
  play_.task = [&](server::Exchange& exchange) -> io::Task<> {
    const std::string body(200'000, 'y');
    const auto sent = co_await exchange.respond(200, {}, body);
    if (!sent) failed = sent.error().code;
  };
  open();
  start_client();
  const auto id = ask("GET");
  pump();
  EXPECT_EQ(replies_[id].body.size(), 65'535u);
  loop_.advance(31s);
  pump();
  EXPECT_EQ(failed, ErrorCode::Timeout);
  EXPECT_TRUE(replies_[id].closed);
  EXPECT_NE(replies_[id].error, 0u);
}

// The answer is with the connection and its task is gone, or never was: its stream still has a deadline.
TEST_F(Http2, AnAnswerThatNobodyWaitsForIsGivenUpWithoutAWindow) {
  play_.hot = [](server::Exchange& exchange) {
    if (exchange.request().view.fields.first("x-do") != "hot") return false;
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "", "hit", nullptr});
    return true;
  };
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    const auto what = exchange.request().view.fields.first("x-do").value_or("");
    // The end alone is a frame that nghttp2 holds back, too.
    if (what == "end" && exchange.begin(200, {})) static_cast<void>(co_await exchange.finish());
    if (what == "late") static_cast<void>(co_await exchange.read_all(100));
  };
  const std::string no_window = preface() + frame(raw::kSettings, 0, 0, raw::number(4, 2) + raw::number(0));
  // Until the answer is made: at once, but for the body that does not come.
  for (const auto& [what, made] : {std::pair{"hot", 0s}, {"end", 0s}, {"none", 0s}, {"late", 15s}, {"refused", 0s}}) {
    SCOPED_TRACE(what);
    raw_.clear();
    open();
    const bool post = what == std::string_view("late");
    std::string fields = head() + raw::field("x-do", what);
    if (post) fields[0] = '\x83';
    if (what == std::string_view("refused")) fields += raw::field("host", "elsewhere.example");
    send(no_window + frame(raw::kHeaders, raw::kEndHeaders | (post ? 0 : raw::kEndStream), 1, fields));
    pump();
    const auto resets = [&] {
      pump();
      return std::ranges::count_if(raw::parse(raw_),
                                   [](const raw::Frame& one) { return one.type == raw::kRstStream && one.id == 1; });
    };
    // Octets that come move no deadline.
    loop_.advance(made + 29s);
    send(frame(raw::kPing, 0, 0, std::string(8, 'p')));
    EXPECT_EQ(resets(), 0);
    loop_.advance(2s);
    EXPECT_EQ(resets(), 1);
    EXPECT_EQ(server_->counts().connections, 1u);
    // A connection like any that asks for nothing.
    loop_.advance(61s);
    pump();
    hang_up();
    EXPECT_TRUE(ended());
  }
}

// A window that opens a little now and then: what moves is not stalled.
TEST_F(Http2, AnAnswerThatMovesIsNotGivenUp) {
  play_.hot = [](server::Exchange& exchange) {
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "", "hit", nullptr});
    return true;
  };
  open();
  send(preface() + frame(raw::kSettings, 0, 0, raw::number(4, 2) + raw::number(0)) +
       frame(raw::kHeaders, raw::kEndHeaders | raw::kEndStream, 1, head()));
  std::string body;
  for (int i = 0; i < 3; ++i) {
    pump();
    loop_.advance(29s);
    send(frame(raw::kWindowUpdate, 0, 1, raw::number(1)));
  }
  pump();
  for (const raw::Frame& one : raw::parse(raw_)) {
    EXPECT_NE(one.type, raw::kRstStream);
    if (one.type == raw::kData) body += one.payload;
  }
  EXPECT_EQ(body, "hit");
}

TEST_F(Http2, BrokenAnswersAreSeenAsBroken) {
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    const auto what = exchange.request().view.fields.first("x-do").value_or("");
    if (what == "short" && exchange.begin(200, {}, 10)) {
      static_cast<void>(co_await exchange.send("abc"));
      static_cast<void>(co_await exchange.finish());
    }
    if (what == "unfinished" && exchange.begin(200, {})) static_cast<void>(co_await exchange.send("abc"));
  };
  open();
  start_client();
  const auto cut = ask("GET", {{"x-do", "short"}}), open_end = ask("GET", {{"x-do", "unfinished"}}), none = ask("GET");
  pump();
  EXPECT_EQ(replies_[cut].error, static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR));
  EXPECT_EQ(replies_[open_end].error, static_cast<std::uint32_t>(NGHTTP2_INTERNAL_ERROR));
  EXPECT_EQ(replies_[none].fields[":status"], "500");
}

TEST_F(Http2, AnEarlyAnswerStopsTheRestOfTheBody) {
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    static_cast<void>(co_await exchange.respond(413, {}, "no"));
  };
  open();
  start_client();
  const auto id = ask("POST", {}, Body{10'000'000});
  pump();
  EXPECT_EQ(replies_[id].body, "no");
  EXPECT_TRUE(replies_[id].closed);
  EXPECT_EQ(replies_[id].error, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
  // The connection's window is whole again.
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    const auto all = co_await exchange.read_all(5'000'000);
    static_cast<void>(co_await exchange.respond(200, {}, std::to_string(all ? all->size() : 0)));
  };
  const auto next = ask("POST", {}, Body{3'000'000});
  pump();
  EXPECT_EQ(replies_[next].body, "3000000");
}

TEST_F(Http2, ExpectAndSlowBodies) {
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    const auto all = co_await exchange.read_all(100);
    if (all) static_cast<void>(co_await exchange.respond(200, {}, *all));
  };
  open();
  start_client();
  const auto told = ask("POST", {{"expect", "100-continue"}}, Body{3});
  const auto large = ask("POST", {}, Body{101});
  const auto slow = ask("POST", {}, Body{3, false});
  pump();
  EXPECT_THAT(replies_[told].statuses, testing::ElementsAre("100", "200"));
  EXPECT_EQ(replies_[large].fields[":status"], "413");
  loop_.advance(16s);
  pump();
  EXPECT_EQ(replies_[slow].fields[":status"], "408");
}

TEST_F(Http2, HeadsThatHttp1WouldRefuseAreRefused) {
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    static_cast<void>(co_await exchange.respond(200, {}, "reached"));
  };
  open();
  start_client();
  const auto hosts = ask("GET", {{"host", "evil.example"}});
  const auto large = ask(
      "GET", {{"x-a", std::string(15'000, 'a')}, {"x-b", std::string(15'000, 'b')}, {"x-c", std::string(5'000, 'c')}});
  const auto names = ask("GET", {{"x-ok", "fine"}});
  pump();
  EXPECT_EQ(replies_[hosts].fields[":status"], "400");
  EXPECT_EQ(replies_[large].fields[":status"], "431");
  EXPECT_EQ(replies_[names].body, "reached");
  EXPECT_EQ(server_->counts().refused, 2u);
}

TEST_F(Http2, ThereIsNoConnect) {
  open();
  send(preface() + frame(1, 0x4 | 0x1, 1, std::string("\x02\x07") + "CONNECT" + "\x01\x12" + "api.github.com:443"));
  pump();
  EXPECT_EQ(server_->counts().refused, 1u);
  EXPECT_NE(raw_.find("no CONNECT over HTTP/2"), std::string::npos);
}

TEST_F(Http2, MoreStreamsThanAllowedAreRefused) {
  io::Event go(loop_);
  play_.task = [&](server::Exchange& exchange) -> io::Task<> {
    co_await go.wait();
    static_cast<void>(co_await exchange.respond(200, {}, "ok"));
  };
  open();
  std::string all = preface();
  for (std::uint32_t i = 0; i < 101; ++i) all += frame(1, 0x4 | 0x1, 1 + 2 * i, head());
  send(all);
  pump();
  EXPECT_EQ(server_->counts().requests, 100u);
  EXPECT_EQ(server_->counts().resets, 1u);
  EXPECT_FALSE(raw_goaway());
  // Those that the client gave up count for as long as their handlers run.
  all.clear();
  for (std::uint32_t i = 0; i < 10; ++i) all += frame(3, 0, 1 + 2 * i, std::string("\0\0\0\x08", 4));
  for (std::uint32_t i = 200; i < 203; ++i) all += frame(1, 0x4 | 0x1, 1 + 2 * i, head());
  send(all);
  pump();
  EXPECT_EQ(server_->counts().requests, 100u);
  EXPECT_EQ(server_->counts().refused, 3u);
  go.set();
  pump();
  hang_up();
  EXPECT_TRUE(ended());
}

// CVE-2023-44487.
TEST_F(Http2, RapidResetsEndTheConnection) {
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    static_cast<void>(co_await exchange.respond(200, {}, "ok"));
  };
  open();
  const auto burst = [&](std::uint32_t from, std::uint32_t count) {
    std::string all;
    for (std::uint32_t i = from; i < from + count; ++i)
      all += frame(1, 0x4 | 0x1, 1 + 2 * i, head()) + frame(3, 0, 1 + 2 * i, std::string("\0\0\0\x08", 4));
    send(all);
    pump();
  };
  send(preface());
  burst(0, 100);
  EXPECT_FALSE(raw_goaway());
  loop_.advance(59s);
  burst(100, 1);
  EXPECT_EQ(raw_goaway(), static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_EQ(server_->counts().calmed, 1u);
  hang_up();
  EXPECT_TRUE(ended());
}

// CVE-2025-8671: the client makes the server do the resetting.
TEST_F(Http2, ResetsThatTheClientProvokesCountToo) {
  play_.task = [](server::Exchange& exchange) -> io::Task<> {
    static_cast<void>(co_await exchange.respond(200, {}, "ok"));
  };
  open();
  std::string all = preface();
  for (std::uint32_t i = 0; i < 101; ++i)  // a window beyond 2^31 - 1 is the stream's error
    all += frame(1, 0x4, 1 + 2 * i, head()) + frame(8, 0, 1 + 2 * i, "\x7f\xff\xff\xff");
  send(all);
  pump();
  EXPECT_EQ(raw_goaway(), static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
}

// CVE-2024-28182.
TEST_F(Http2, AHeadInEndlessPiecesEndsTheConnection) {
  open();
  std::string all = preface() + frame(1, 0, 1, head());
  for (int i = 0; i < 20; ++i) all += frame(9, 0, 1, "");
  send(all);
  pump();
  EXPECT_TRUE(raw_goaway());
  EXPECT_EQ(server_->counts().requests, 0u);
  hang_up();
  EXPECT_TRUE(ended());
}

TEST_F(Http2, FramesThatCarryNothingEndTheConnection) {
  for (const std::string& one :
       {frame(6, 0, 0, std::string(8, 'p')), frame(4, 0, 0, ""), frame(2, 0, 1, std::string(5, '\0'))}) {
    raw_.clear();
    open();
    std::string all = preface();
    for (int i = 0; i < 1100; ++i) all += one;
    send(all);
    pump();
    EXPECT_EQ(raw_goaway(), static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM)) << int{one[3]};
    hang_up();
    EXPECT_TRUE(ended());
  }
}

TEST_F(Http2, DeadlinesHold) {
  // Nothing at all; half a preface; a head that stays half.
  for (const std::string& sent : {std::string(), std::string("PRI * HT"), preface() + frame(1, 0, 1, head())}) {
    open();
    send(sent);
    pump();
    EXPECT_EQ(server_->counts().connections, 1u);
    loop_.advance(11s);
    pump();
    hang_up();
    EXPECT_TRUE(ended());
  }
  // Idle, whatever it pings.
  open();
  send(preface());
  raw_.clear();
  for (int i = 0; i < 7; ++i) {
    pump();
    loop_.advance(10s);
    send(frame(6, 0, 0, std::string(8, 'p')));
  }
  pump();
  EXPECT_EQ(raw_goaway(), static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
}

TEST_F(Http2, AConnectionErrorEndsTheConnectionWhateverItsRequestsDo) {
  bool ended_early = false;
  play_.task = [&](server::Exchange& exchange) -> io::Task<> { ended_early = !co_await exchange.read(); };
  open();
  send(preface() + frame(1, 0x4, 1, head()) + frame(8, 0, 1, "\x7f\xff\xff\xff") + frame(8, 0, 0, "\x7f\xff\xff\xff"));
  pump();
  EXPECT_EQ(raw_goaway(), static_cast<std::uint32_t>(NGHTTP2_FLOW_CONTROL_ERROR));
  EXPECT_TRUE(ended_early);
  loop_.advance(31s);
  EXPECT_TRUE(ended());
}

TEST_F(Http2, DrainLetsRequestsFinish) {
  io::Event go(loop_);
  play_.task = [&](server::Exchange& exchange) -> io::Task<> {
    co_await go.wait();
    static_cast<void>(co_await exchange.respond(200, {}, "last"));
  };
  open();
  start_client();
  const auto id = ask("GET");
  pump();
  server_->drain();
  pump();
  EXPECT_EQ(goaway_, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
  EXPECT_FALSE(replies_[id].closed);
  go.set();
  pump();
  EXPECT_EQ(replies_[id].body, "last");
  loop_.advance(3s);
  pump();
  EXPECT_TRUE(ended());
}

TEST_F(Http2, AClientThatLeavesMidAnswerLeavesNothing) {
  std::optional<ErrorCode> failed;
  play_.task = [&](server::Exchange& exchange) -> io::Task<> {
    if (!exchange.begin(200, {})) co_return;
    const std::string piece(100'000, 'z');
    for (Result<> sent; sent;) {
      sent = co_await exchange.send(piece);
      if (!sent) failed = sent.error().code;
    }
  };
  opens_no_window_ = true;
  open();
  start_client();
  ask("GET");
  pump();
  near_.reset();
  loop_.run_until_idle();
  loop_.advance(1s);
  EXPECT_TRUE(failed);
  EXPECT_TRUE(ended());
}

TEST_F(Http2, CancelledServersLeaveNothing) {
  play_.task = [&](server::Exchange& exchange) -> io::Task<> {
    const std::string piece(300'000, 'z');
    static_cast<void>(co_await exchange.respond(200, {}, piece));
  };
  opens_no_window_ = true;
  open();
  start_client();
  ask("GET");
  ask("POST", {}, Body{500'000});
  pump();
  tasks_.cancel();
  EXPECT_EQ(server_->counts().connections, 0u);
}

}  // namespace
}  // namespace ghmesh::http::http2
