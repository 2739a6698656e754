// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sync.hpp"
#include "test_server.hpp"

namespace ghmesh::http::http2 {
namespace {

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
