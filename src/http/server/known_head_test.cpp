// SPDX-License-Identifier: Apache-2.0
// A head that was seen before is recalled by its octets.
#include <gtest/gtest.h>

#include "base/check.hpp"
#include "test_server.hpp"

namespace ghmesh::http::server {
namespace {

// A head that the handler knows is not parsed again, but everything else about the connection stays as it is.
struct RecallingHandler final : Handler {
  std::string octets = "GET /known HTTP/1.1\r\nHost: a\r\nX-Test: kept\r\n\r\n";
  std::vector<Field> fields = std::vector<Field>(8);
  http1::RequestParser parser;
  bool hit = true;
  int recalled = 0;
  std::vector<std::string> cold;

  RecallingHandler() { GHMESH_CHECK(parser.parse(octets, fields) == http1::ParseState::Done); }
  const http1::RequestHead* recall(std::string_view text) override {
    if (text != octets) return nullptr;
    ++recalled;
    return &parser.head();
  }
  bool try_answer(Exchange& exchange) override {
    if (!hit || exchange.request().view.fields.first("x-test") != "kept") return false;
    exchange.answer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "", "hit", nullptr});
    return true;
  }
  io::Task<> answer(Exchange& exchange) override {
    cold.push_back(std::string(exchange.request().view.target));
    co_await exchange.respond(200, Fields{{"Date", "now"}}, "cold");
  }
};

TEST_F(ServerTest, AKnownHeadIsNotParsedAgain) {
  RecallingHandler known;
  limits.requests_per_connection = 6;
  server.emplace(loop, known, limits);
  Client client = connect();
  const std::string hit = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhit";
  client.send(known.octets);
  EXPECT_EQ(client.got, hit);
  client.send(known.octets.substr(0, 30));
  client.send(known.octets.substr(30));
  EXPECT_EQ(client.got, hit + hit);
  EXPECT_EQ(known.recalled, 2);
  client.send(known.octets + known.octets);  // pipelined heads are read one by one, the last by its octets
  EXPECT_EQ(client.got, hit + hit + hit + hit);
  EXPECT_EQ(known.recalled, 3);
  known.hit = false;  // it is answered like any other
  client.got.clear();
  client.send(known.octets);
  EXPECT_EQ(client.got, "HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 4\r\n\r\ncold");
  EXPECT_EQ(known.cold, std::vector<std::string>{"/known"});
  known.hit = true;  // the bound of requests holds for known heads, too
  client.got.clear();
  client.send(known.octets);
  EXPECT_EQ(client.got, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nhit");
  EXPECT_TRUE(client.ended || client.broken);
  EXPECT_EQ(server->counts().requests, 6u);
  EXPECT_EQ(server->counts().hot, 5u);
}

TEST_F(ServerTest, AKnownHeadThatThisServerWouldNotReadIsRefused) {
  RecallingHandler known;
  known.hit = false;
  limits.head.head_bytes = 40;
  server.emplace(loop, known, limits);
  Client client = connect();
  client.send(known.octets);
  EXPECT_TRUE(client.got.starts_with("HTTP/1.1 431 ")) << client.got;
  EXPECT_TRUE(client.ended);
}

}  // namespace
}  // namespace ghmesh::http::server
