// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "http/server/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"

namespace ghmesh::http::server {

using Answering = std::function<io::Task<>(Exchange&)>;

struct TestHandler final : Handler {
  std::function<bool(Exchange&)> hot;
  Answering cold;
  std::vector<std::string> seen;

  bool try_answer(Exchange& exchange) override { return hot && hot(exchange); }
  io::Task<> answer(Exchange& exchange) override {
    seen.push_back(std::string(exchange.request().view.method) + " " + std::string(exchange.request().view.target));
    return cold(exchange);
  }
};

// The other end of a connection: sends octets, collects what comes.
struct Client {
  io::ManualLoop& loop;
  std::unique_ptr<io::Stream> stream;
  std::string got;
  bool ended = false;
  bool broken = false;

  void send(std::string_view text) {
    while (!text.empty()) {
      const iovec part{const_cast<char*>(text.data()), text.size()};
      const auto status = stream->try_write({&part, 1});
      loop.run_until_idle();
      if (status.kind == io::IoStatus::Failed) return;
      if (status.kind == io::IoStatus::WouldBlock) receive();
      text.remove_prefix(status.bytes);
    }
    receive();
  }
  void receive() {
    loop.run_until_idle();
    Bytes room(8192);
    while (true) {
      const auto status = stream->try_read(room);
      if (status.kind == io::IoStatus::WouldBlock) return;
      if (status.kind != io::IoStatus::Done) {
        (status.kind == io::IoStatus::End ? ended : broken) = true;
        return;
      }
      got.append(as_text(ByteView(room).first(status.bytes)));
      loop.run_until_idle();
    }
  }
  void advance(Duration by) {
    loop.advance(by);
    receive();
  }
};

struct ServerTest : ::testing::Test {
  io::ManualLoop loop;
  TestHandler handler;
  Limits limits;
  std::optional<Server> server;

  Client connect(io::PipeOptions options = {}) {
    if (!server) server.emplace(loop, handler, limits);
    auto [ours, theirs] = io::make_pipe(loop, options);
    server->adopt(std::move(theirs));
    loop.run_until_idle();
    return Client{loop, std::move(ours), {}, false, false};
  }
  void answer_all_with(std::string body) {
    handler.cold = [body](Exchange& exchange) -> io::Task<> {
      co_await exchange.respond(200, Fields{{"Date", "now"}, {"X", "y"}}, body);
    };
  }
};

inline std::string get(std::string_view target = "/", std::string_view fields = "") {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}

}  // namespace ghmesh::http::server
