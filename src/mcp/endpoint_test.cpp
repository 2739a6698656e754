// SPDX-License-Identifier: Apache-2.0
// The endpoint behind a real server and pipes in memory: sessions, streams, cancelling, bounds.
#include "mcp/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"

namespace ghmesh::mcp {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct FakeBackend final : Backend {
  explicit FakeBackend(io::Loop& l) : gate(l) {}
  int requests = 0;
  std::string seen;
  std::vector<Fetched> pages;
  std::size_t gets = 0;
  io::Event gate;  // what every get waits for

  std::string stats() override {
    return R"({"requests":)" + std::to_string(requests) + R"(,"uptime_seconds":)" + std::to_string(++asked) + "}\n";
  }
  std::string quota() override { return R"({"quota":[]})"; }
  std::string activity() override { return R"({"classes":[]})"; }
  std::string peers() override { return R"({"peer_id":null,"peers":[]})"; }
  io::Task<std::string> verify() override { co_return R"({"ok":true,"checks":[]})"; }
  io::Task<Result<std::string>> explain(std::string target, std::optional<std::string> authorization,
                                        std::optional<std::string> accept) override {
    seen = target + " " + authorization.value_or("-") + " " + accept.value_or("-");
    co_return R"({"class":"default"})";
  }
  io::Task<Result<std::uint64_t>> purge(std::string pattern, bool mesh) override {
    seen = pattern + (mesh ? " mesh" : "");
    co_return 3;
  }
  io::Task<Result<Fetched>> get(std::string target, std::optional<std::string>, std::string, std::size_t) override {
    co_await gate.wait();
    seen = target;
    co_return pages.at(gets++);
  }
  int asked = 0;
};

Limits small() {
  Limits limits;
  limits.sessions = 2;
  limits.calls = 2;
  limits.ended_streams = 1;
  return limits;
}

struct EndpointTest : testing::Test {
  io::ManualLoop loop;
  SeededRandom random{1};
  FakeBackend backend{loop};
  Endpoint endpoint{loop, random, backend, "1.2.3", small()};
  http::server::Server server{loop, endpoint};

  std::unique_ptr<io::Stream> open(const std::string& text) {
    auto [ours, theirs] = io::make_pipe(loop, {.capacity = 1 << 20});
    server.adopt(std::move(theirs));
    const iovec part{const_cast<char*>(text.data()), text.size()};
    EXPECT_EQ(ours->try_write({&part, 1}).bytes, text.size());
    loop.run_until_idle();
    return std::move(ours);
  }
  std::string read(io::Stream& stream) {
    loop.run_until_idle();
    std::string got;
    Bytes room(64 * 1024);
    while (true) {
      const io::IoStatus status = stream.try_read(room);
      if (status.kind != io::IoStatus::Done) break;
      got += as_text(ByteView(room).first(status.bytes));
      loop.run_until_idle();
    }
    return got;
  }
  static std::string posting(const std::string& body, const std::string& more = {}) {
    return "POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAccept: application/json, "
           "text/event-stream\r\n" +
           more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  std::string post(const std::string& body, const std::string& more = {}) { return read(*open(posting(body, more))); }
  std::string begin(const char* version = "2025-06-18") {
    const std::string got = post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" +
                                 std::string(version) + R"("}})");
    const std::size_t at = got.find("Mcp-Session-Id: ");
    return at == std::string::npos ? got : "Mcp-Session-Id: " + got.substr(at + 16, 32) + "\r\n";
  }
  std::string call(const std::string& session, const std::string& tool, const std::string& arguments) {
    return post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":")" + tool + R"(","arguments":)" +
                    arguments + "}}",
                session);
  }
  static Fetched page(const char* body, const char* link = "") {
    return {200, "application/json", link, "ghmesh; hit", body};
  }
};

TEST_F(EndpointTest, RevisionsAreAgreed) {
  for (const char* known : {"2025-11-25", "2025-06-18", "2025-03-26"})
    EXPECT_THAT(post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")" +
                     std::string(known) + R"("}})"),
                HasSubstr("\"protocolVersion\":\"" + std::string(known) + "\""));
  EXPECT_THAT(post(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"1999-01-01"}})"),
              HasSubstr("\"protocolVersion\":\"2025-11-25\""));
  EXPECT_THAT(post(R"({"jsonrpc":"2.0","id":0,"method":"initialize"})"), HasSubstr("-32602"));
}

TEST_F(EndpointTest, SessionsAreNeededBoundedAndEnd) {
  const std::string ping = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  EXPECT_THAT(post(ping), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(post(ping, "Mcp-Session-Id: nobody\r\n"), StartsWith("HTTP/1.1 404 "));
  const std::string first = begin();
  loop.advance(1s);
  const std::string second = begin();
  EXPECT_THAT(post(ping, first), HasSubstr("\"result\":{}"));
  EXPECT_THAT(post(ping, first + "MCP-Protocol-Version: 1999-01-01\r\n"), StartsWith("HTTP/1.1 400 "));
  loop.advance(1s);
  const std::string third = begin();  // the second has been idle longest
  EXPECT_EQ(endpoint.sessions(), 2u);
  EXPECT_THAT(post(ping, second), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(post(ping, third), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(read(*open("DELETE /mcp HTTP/1.1\r\nHost: x\r\n" + third + "\r\n")), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(post(ping, third), StartsWith("HTTP/1.1 404 "));
  loop.advance(Limits().session_idle + 10s);
  EXPECT_EQ(endpoint.sessions(), 0u);
}

TEST_F(EndpointTest, WhatAPageOfAnotherSiteCanSendIsRefused) {
  const std::string body =
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}})";
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""})
    EXPECT_THAT(read(*open("POST /mcp HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nContent-Type: " + std::string(type) +
                           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body)),
                StartsWith("HTTP/1.1 415 "))
        << type;
  EXPECT_EQ(endpoint.sessions(), 0u);
}

TEST_F(EndpointTest, MistakesAreSaidWhereTheyCanBeRead) {
  const std::string session = begin();
  EXPECT_THAT(post("{", session), testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("-32700")));
  EXPECT_THAT(post(R"({"jsonrpc":"2.0","id":1,"method":"nothing"})", session), HasSubstr("-32601"));
  EXPECT_THAT(call(session, "nothing", "{}"), HasSubstr("-32602"));
  EXPECT_THAT(call(session, "purge", "{}"), testing::AllOf(HasSubstr("\"isError\":true"), HasSubstr("needs pattern")));
  EXPECT_THAT(call(session, "github_get", R"({"path":"/a b"})"), HasSubstr("\"isError\":true"));
  EXPECT_EQ(backend.seen, "");
  EXPECT_THAT(
      post(R"({"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///etc/passwd"}})", session),
      HasSubstr("-32002"));
}

TEST_F(EndpointTest, ToolsReachTheNodeWithTheClientsCredential) {
  const std::string session = begin();
  EXPECT_THAT(call(session + "Authorization: token x\r\n", "explain_request", R"({"path":"/user"})"),
              HasSubstr(R"("structuredContent":{"class":"default"},"isError":false)"));
  EXPECT_EQ(backend.seen, "/user token x -");
  call(session, "explain_request", R"({"path":"/user","accept":"text/html"})");
  EXPECT_EQ(backend.seen, "/user - text/html");
  EXPECT_THAT(call(session, "purge", R"({"pattern":"*","mesh":true})"), HasSubstr("{\"purged\":3}"));
  EXPECT_EQ(backend.seen, "* mesh");
}

TEST_F(EndpointTest, PagesAreJoinedAndProgressIsTold) {
  backend.gate.set();
  backend.pages = {page("[1,2]", R"(<https://h/x?page=2>; rel="next", <https://h/x?page=2>; rel="last")"), page("[3]")};
  const std::string session = begin();
  const std::string got = post(
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"github_get","arguments":{"path":"/x","paginate":true},"_meta":{"progressToken":"p"}}})",
      session);
  EXPECT_THAT(got, HasSubstr("Content-Type: text/event-stream"));
  EXPECT_THAT(got, HasSubstr(R"("progressToken":"p","progress":1.0,"total":2.0)"));
  EXPECT_THAT(got, HasSubstr(R"("items":3)"));
  EXPECT_THAT(got, HasSubstr(R"("next":null,"body":[1,2,3])"));
  EXPECT_EQ(backend.seen, "/x?page=2");
}

TEST_F(EndpointTest, AStreamThatBrokeIsResumedAndNotLostWithItsConnection) {
  backend.pages = {page("[1]")};
  const std::string session = begin("2025-11-25");
  const std::string body =
      R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"github_get","arguments":{"path":"/x"},"_meta":{"progressToken":1}}})";
  {
    const auto broken = open(posting(body, session));
    EXPECT_THAT(read(*broken), HasSubstr("id: 1-0\n"));  // an id before anything was said
  }
  backend.gate.set();
  loop.run_until_idle();
  const std::string get = "GET /mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" + session;
  const std::string rest = read(*open(get + "Last-Event-ID: 1-0\r\n\r\n"));
  EXPECT_THAT(rest,
              testing::AllOf(HasSubstr("id: 1-1\n"), HasSubstr("notifications/progress"), HasSubstr("\"items\":1")));
  EXPECT_THAT(read(*open(get + "Last-Event-ID: 1-2\r\n\r\n")), StartsWith("HTTP/1.1 204 "));
  for (const char* bad : {"9-0", "1", "-", "x-1"})
    EXPECT_THAT(read(*open(get + "Last-Event-ID: " + bad + "\r\n\r\n")), StartsWith("HTTP/1.1 400 ")) << bad;
}

TEST_F(EndpointTest, CancellingEndsTheWorkWithoutAnAnswer) {
  const std::string session = begin();
  const auto waiting = open(posting(
      R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"github_get","arguments":{"path":"/x"}}})",
      session));
  EXPECT_EQ(read(*waiting), "");
  EXPECT_THAT(post(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})", session),
              StartsWith("HTTP/1.1 202 "));
  const std::string got = read(*waiting);
  EXPECT_THAT(got, StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(got, Not(HasSubstr("jsonrpc")));
  backend.gate.set();
  loop.run_until_idle();
  EXPECT_EQ(backend.gets, 0u);
}

TEST_F(EndpointTest, CallsAreBounded) {
  const std::string session = begin();
  std::vector<std::unique_ptr<io::Stream>> held;
  const auto ask = [&](int id) {
    return open(posting(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
                            R"(,"method":"tools/call","params":{"name":"github_get","arguments":{"path":"/x"}}})",
                        session));
  };
  for (int id = 1; id <= 2; ++id) held.push_back(ask(id));
  EXPECT_THAT(read(*ask(3)), HasSubstr("-32000"));
  EXPECT_THAT(read(*ask(1)), StartsWith("HTTP/1.1 400 "));
}

TEST_F(EndpointTest, SubscribedResourcesTellOfChangesOnly) {
  const std::string session = begin();
  EXPECT_THAT(
      post(R"({"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"ghmesh://stats"}})", session),
      HasSubstr("\"result\":{}"));
  const auto stream = open("GET /mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" + session + "\r\n");
  read(*stream);
  loop.advance(3s);
  EXPECT_EQ(read(*stream), "");
  backend.requests = 1;
  loop.advance(2s);
  EXPECT_THAT(read(*stream),
              HasSubstr(R"("method":"notifications/resources/updated","params":{"uri":"ghmesh://stats"})"));
  post(R"({"jsonrpc":"2.0","id":1,"method":"resources/unsubscribe","params":{"uri":"ghmesh://stats"}})", session);
  backend.requests = 2;
  loop.advance(2s);
  EXPECT_EQ(read(*stream), "");
}

TEST_F(EndpointTest, LogMessagesFromTheLevelThatWasAskedFor) {
  const std::string session = begin();
  const auto stream = open("GET /mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" + session + "\r\n");
  read(*stream);
  endpoint.log(log::Level::Error, "store", R"({"state":"degraded"})");
  EXPECT_EQ(read(*stream), "");
  post(R"({"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"warning"}})", session);
  endpoint.log(log::Level::Info, "peer", "{}");
  endpoint.log(log::Level::Warn, "breaker", R"({"state":"tripped"})");
  const std::string got = read(*stream);
  EXPECT_THAT(got, HasSubstr(R"("params":{"level":"warning","logger":"breaker","data":{"state":"tripped"}})"));
  EXPECT_THAT(got, Not(HasSubstr("peer")));
}

TEST_F(EndpointTest, TheEndOfTheNodeEndsEverything) {
  const std::string session = begin();
  const auto stream = open("GET /mcp HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n" + session + "\r\n");
  const auto waiting = open(posting(
      R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"github_get","arguments":{"path":"/x"}}})",
      session));
  endpoint.close();
  EXPECT_THAT(read(*stream), testing::EndsWith("0\r\n\r\n"));
  EXPECT_THAT(read(*waiting), StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(begin(), StartsWith("HTTP/1.1 503 "));
}

}  // namespace
}  // namespace ghmesh::mcp
