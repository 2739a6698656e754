// SPDX-License-Identifier: Apache-2.0
// How long and how much: deadlines, streams, resets, pieces, drain.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/sync.hpp"
#include "test_server.hpp"

namespace ghmesh::http::http2 {
namespace {

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

}  // namespace
}  // namespace ghmesh::http::http2
