// SPDX-License-Identifier: Apache-2.0
// How slow: what a client takes of its answers and sends of its bodies.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/wire/patience.hpp"
#include "io/sync.hpp"
#include "test_server.hpp"

namespace ghmesh::http::http2 {
namespace {

class Http2Rate : public Http2 {
 protected:
  static std::string settings(std::uint32_t stream_window) {
    return preface() + frame(raw::kSettings, 0, 0, raw::number(4, 2) + raw::number(stream_window));
  }
  static std::string window(std::uint32_t id, std::uint32_t octets) {
    return frame(raw::kWindowUpdate, 0, id, raw::number(octets));
  }
  static std::string get(std::uint32_t id, std::string_view what = "") {
    return frame(raw::kHeaders, raw::kEndHeaders | raw::kEndStream, id, head() + raw::field("x-do", what));
  }
  static std::string post(std::uint32_t id) {
    std::string fields = head();
    fields[0] = '\x83';
    return frame(raw::kHeaders, raw::kEndHeaders, id, fields);
  }
  std::ptrdiff_t count(raw::Type type, std::uint32_t id = 0) const {
    return std::ranges::count_if(raw::parse(raw_),
                                 [&](const raw::Frame& one) { return one.type == type && (id == 0 || one.id == id); });
  }
  std::size_t octets(std::uint32_t id) const {
    std::size_t sum = 0;
    for (const raw::Frame& one : raw::parse(raw_))
      if (one.type == raw::kData && one.id == id) sum += one.payload.size();
    return sum;
  }
  // Every second so long.
  void each_second(int seconds, const std::function<void()>& act) {
    for (int i = 0; i < seconds; ++i) {
      loop_.advance(1s);
      act();
      pump();
    }
  }
  // "hot": at once; "whole": by a task; else in pieces, by a task.
  void answer_with(std::size_t size) {
    body_ = std::make_shared<const std::string>(size, 'y');
    play_.hot = [this](server::Exchange& exchange) {
      if (exchange.request().view.fields.first("x-do") != "hot") return false;
      exchange.answer({"HTTP/1.1 200 OK\r\n", "", *body_, body_});
      return true;
    };
    play_.task = [this](server::Exchange& exchange) -> io::Task<> {
      if (exchange.request().view.fields.first("x-do") == "whole") {
        if (const auto sent = co_await exchange.respond(200, {}, *body_); !sent) failed_.push_back(sent.error().code);
        co_return;
      }
      if (!exchange.begin(200, {})) co_return;
      for (std::size_t at = 0; at < body_->size(); at += 1000) {
        const auto sent = co_await exchange.send(std::string_view(*body_).substr(at, 1000));
        if (sent) continue;
        failed_.push_back(sent.error().code);
        co_return;
      }
      static_cast<void>(co_await exchange.finish());
    };
  }

  std::shared_ptr<const std::string> body_;
  std::vector<ErrorCode> failed_;
};

TEST_F(Http2Rate, AStreamsWindowMustOpenAsFastAsTheFloor) {
  answer_with(1'000'000);
  for (const char* what : {"hot", "whole", "pieces"}) {
    for (const std::uint32_t rate : {1u, 900u, 1100u, 3000u}) {
      SCOPED_TRACE(std::string(what) + " " + std::to_string(rate));
      raw_.clear();
      failed_.clear();
      open();
      send(settings(0) + get(1, what));
      // Below the floor by an eighth, patience lasts four minutes.
      const bool slow = rate < wire::kMinRate;
      each_second(rate == 1 ? 29 : 60, [&] { send(window(0, rate) + window(1, rate)); });
      EXPECT_EQ(count(raw::kRstStream), 0);
      EXPECT_GT(octets(1), 0u);
      if (slow) {
        each_second(rate == 1 ? 3 : 200, [&] { send(window(0, rate) + window(1, rate)); });
        EXPECT_EQ(count(raw::kRstStream, 1), 1);
        if (what != std::string_view("hot")) EXPECT_THAT(failed_, testing::ElementsAre(ErrorCode::Timeout));
      }
      EXPECT_EQ(server_->counts().connections, 1u);
      EXPECT_FALSE(raw_goaway());
      hang_up();
      EXPECT_TRUE(ended());
    }
  }
}

// One stream that is read leaves no time to another that is not.
TEST_F(Http2Rate, EachStreamsOwnWindowCountsForItself) {
  answer_with(1'000'000);
  open();
  send(settings(0) + get(1, "hot") + get(3, "hot"));
  each_second(40, [&] { send(window(0, 5001) + window(1, 5000) + window(3, 1)); });
  EXPECT_EQ(count(raw::kRstStream, 1), 0);
  EXPECT_EQ(count(raw::kRstStream, 3), 1);
  EXPECT_EQ(octets(1), 200'000u);
}

// They share what the client takes, as answers on one connection of HTTP/1.1 do.
TEST_F(Http2Rate, StreamsThatWaitForTheConnectionsWindowAreJudgedByItsRate) {
  answer_with(1'000'000);
  for (const std::uint32_t rate : {100u, 2000u}) {
    SCOPED_TRACE(rate);
    raw_.clear();
    open();
    send(settings(1 << 30) + get(1, "hot") + get(3, "whole") + get(5) + get(7, "hot"));
    each_second(120, [&] { send(window(0, rate)); });
    for (const std::uint32_t id : {1u, 3u, 5u, 7u}) {
      EXPECT_EQ(count(raw::kRstStream, id), rate < wire::kMinRate ? 1 : 0) << id;
      EXPECT_GT(octets(id), 0u);
    }
    EXPECT_EQ(server_->counts().connections, 1u);
    hang_up();
  }
}

// Its windows are open, and its line is slow.
TEST_F(Http2Rate, ASlowLineIsNotTakenForAClosedWindow) {
  answer_with(100'000);
  for (const std::size_t rate : {500u, 3000u}) {
    SCOPED_TRACE(rate);
    raw_.clear();
    open({}, 4096);
    std::string all = settings(1 << 30) + window(0, 1 << 30);
    send(all);
    pump();
    for (std::uint32_t id = 1; id < 40; id += 2) {
      send(get(id, id % 4 == 1 ? "hot" : "whole"));
      loop_.run_until_idle();
    }
    Bytes room(rate);
    for (int second = 0; second < 150; ++second) {
      loop_.advance(1s);
      const auto status = near_->try_read(room);
      if (status.kind != io::IoStatus::Done) break;
      raw_.append(as_text(ByteView(room).first(status.bytes)));
      loop_.run_until_idle();
    }
    EXPECT_EQ(count(raw::kRstStream), 0);
    EXPECT_EQ(server_->counts().connections, rate < wire::kMinRate ? 0u : 1u);
    hang_up();
  }
}

TEST_F(Http2Rate, ARequestsBodyMustComeAsFastAsTheFloor) {
  for (const std::size_t rate : {1u, 900u, 1200u}) {
    SCOPED_TRACE(rate);
    raw_.clear();
    std::optional<ErrorCode> failed;
    std::size_t came = 0;
    play_.task = [&](server::Exchange& exchange) -> io::Task<> {
      while (true) {
        const auto piece = co_await exchange.read();
        if (!piece) failed = piece.error().code;
        if (!piece || piece->empty()) break;
        came += piece->size();
      }
      if (!failed) static_cast<void>(co_await exchange.respond(200, {}, "taken"));
    };
    open();
    send(preface() + post(1));
    const std::string piece(rate, 'x');
    const int seconds = rate == 900 ? 200 : 60;
    each_second(seconds, [&] {
      if (!failed) send(frame(raw::kData, 0, 1, piece));
    });
    if (rate < wire::kMinRate) {
      EXPECT_EQ(failed, ErrorCode::Timeout);
      EXPECT_LT(came, rate * static_cast<std::size_t>(seconds));
    } else {
      EXPECT_FALSE(failed);
      send(frame(raw::kData, raw::kEndStream, 1, ""));
      pump();
      EXPECT_EQ(came, rate * static_cast<std::size_t>(seconds));
      EXPECT_EQ(octets(1), 5u);
    }
    EXPECT_EQ(server_->counts().connections, 1u);
    hang_up();
    EXPECT_TRUE(ended());
  }
}

// What the handler takes its time for is not the client's silence.
TEST_F(Http2Rate, ABodyThatNobodyReadsUsesUpNoPatience) {
  std::optional<ErrorCode> failed;
  play_.task = [&](server::Exchange& exchange) -> io::Task<> {
    for (int i = 0; i < 5; ++i) {
      if (const auto piece = co_await exchange.read(); !piece) failed = piece.error().code;
      co_await loop_.sleep_for(40s);
    }
    static_cast<void>(co_await exchange.respond(200, {}, "taken"));
  };
  open();
  send(preface() + post(1));
  each_second(240, [&] { send(frame(raw::kData, 0, 1, "x")); });
  EXPECT_FALSE(failed);
}

}  // namespace
}  // namespace ghmesh::http::http2
