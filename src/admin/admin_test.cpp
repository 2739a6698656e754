// SPDX-License-Identifier: Apache-2.0
// The handler behind a real server, over a pipe in memory.
#include "admin/admin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/server/server.hpp"
#include "io/manual_loop.hpp"
#include "io/pipe.hpp"

namespace ghmesh::admin {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct FakeSource final : AdminSource {
  std::optional<std::string> reason;
  std::string asked;
  std::optional<Error> error;

  std::optional<std::string> not_ready() const override { return reason; }
  Stats stats() const override {
    Stats out;
    out.requests = 7;
    return out;
  }
  std::vector<QuotaRow> quota() const override { return {{"ab", "core", 60, 59, 1, 2, 3, 0, -2, 4, std::nullopt}}; }
  ActivityView activity() const override { return {{0.5}, {}, {{"GET", "/secret", "miss", "default", 200, 1, 2}}, {}}; }
  io::Task<Result<Explanation>> explain(Explained request) override {
    asked = request.target + " " + request.authorization.value_or("-") + request.accept.value_or("");
    if (error) co_return std::unexpected(*error);
    co_return Explanation{{"class", "volatile"}};
  }
  io::Task<Result<std::uint64_t>> purge(std::string pattern, bool mesh) override {
    asked = pattern + (mesh ? " mesh" : " here");
    if (error) co_return std::unexpected(*error);
    co_return 5;
  }
};

struct MeshSource final : AdminSource {
  std::optional<std::string> not_ready() const override { return std::nullopt; }
  Stats stats() const override { return {}; }
  std::vector<QuotaRow> quota() const override { return {}; }
  ActivityView activity() const override { return {}; }
  io::Task<Result<Explanation>> explain(Explained) override { co_return Explanation{}; }
  io::Task<Result<std::uint64_t>> purge(std::string, bool) override { co_return 0; }
  MeshView mesh() const override {
    return {
        .why_none = std::nullopt,
        .peer_id = "12D3a",
        .addresses = {"/ip4/10.0.0.1/tcp/9100/p2p/12D3a"},
        .partitions = 32,
        .peers = {{.peer_id = "12D3b",
                   .address = "/ip4/10.0.0.2/tcp/9100",
                   .direction = "out",
                   .rtt_ms = 0.5,
                   .age_seconds = 7,
                   .state = "alive",
                   .role = "owner",
                   .partitions = 32,
                   .bytes_in = 10,
                   .bytes_out = 20,
                   .score = 1}},
        .contacts = {{.address = "/ip4/10.0.0.3/tcp/9100", .source = "registry", .failures = 2, .error = "refused"}}};
  }
  io::Task<std::vector<Check>> verify() override {
    co_return std::vector<Check>{{"identity", true, "12D3a"}, {"peers", false, "nobody"}};
  }
};

struct AdminTest : testing::Test {
  io::ManualLoop loop;
  FakeSource source;
  metrics::Registry registry;
  EventHub events{loop, "boot", {[] { return std::string("{}\n"); }, [](bool) {}}, registry};
  Admin admin{source, events, registry, io::Endpoint{io::IpAddress::loopback(), 8417}};

  std::string ask(const std::string& line, const std::string& fields = "Host: localhost:8417\r\n") {
    http::server::Server server(loop, admin);
    auto [ours, theirs] = io::make_pipe(loop);
    server.adopt(std::move(theirs));
    const std::string text = line + " HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n";
    const iovec part{const_cast<char*>(text.data()), text.size()};
    EXPECT_EQ(ours->try_write({&part, 1}).bytes, text.size());
    std::string got;
    Bytes room(64 * 1024);
    for (int turn = 0; turn < 100; ++turn) {
      loop.run_until_idle();
      const io::IoStatus status = ours->try_read(room);
      if (status.kind != io::IoStatus::Done) break;
      got += as_text(ByteView(room).first(status.bytes));
    }
    return got;
  }
};

TEST_F(AdminTest, HealthAndReadiness) {
  EXPECT_THAT(ask("GET /healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask("GET /readyz"), testing::AllOf(StartsWith("HTTP/1.1 200 "), testing::EndsWith("\r\n\r\nready\n")));
  source.reason = "draining";
  EXPECT_THAT(ask("GET /readyz"), testing::AllOf(StartsWith("HTTP/1.1 503 "), testing::EndsWith("\r\n\r\ndraining\n")));
  EXPECT_THAT(ask("GET /healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(ask("HEAD /healthz"), testing::AllOf(StartsWith("HTTP/1.1 200 "), testing::EndsWith("\r\n\r\n")));
}

TEST_F(AdminTest, NumbersAreJsonAndText) {
  EXPECT_THAT(ask("GET /api/stats"), HasSubstr("\"requests\":7,"));
  EXPECT_THAT(ask("GET /api/quota"), HasSubstr("{\"quota\":[{\"token\":\"ab\",\"resource\":\"core\",\"limit\":60,"));
  registry.counter("x_total", "X.").add(2);
  EXPECT_THAT(ask("GET /metrics"), testing::AllOf(HasSubstr("version=0.0.4"), testing::EndsWith("\nx_total 2\n")));
  EXPECT_THAT(ask("GET /metrics", "Host: localhost\r\nAccept: application/openmetrics-text\r\n"),
              testing::EndsWith("# EOF\n"));
}

TEST_F(AdminTest, PathsAreForLoopbackOnly) {
  // The pipe has no address: who cannot be placed on this machine sees no path.
  EXPECT_THAT(ask("GET /api/activity"), testing::AllOf(HasSubstr("\"classes\":[]"), Not(HasSubstr("secret"))));
}

TEST_F(AdminTest, EveryAnswerIsKeptFromCachesAndFrames) {
  for (const char* line : {"GET /healthz", "GET /api/stats", "GET /nothing", "PUT /api/stats"}) {
    const std::string got = ask(line);
    for (const char* field : {"Cache-Control: no-store\r\n", "X-Content-Type-Options: nosniff\r\n",
                              "frame-ancestors 'none'", "Cross-Origin-Resource-Policy: same-origin\r\n"})
      EXPECT_THAT(got, HasSubstr(field)) << line;
    EXPECT_THAT(got, Not(HasSubstr("Access-Control"))) << line;
  }
}

TEST_F(AdminTest, ExplainHandsOverTargetAndCredential) {
  EXPECT_THAT(ask("GET /api/explain?target=/repos/a/b%3Fc%3D1", "Host: localhost\r\nAuthorization: token x\r\n"),
              HasSubstr("{\"class\":\"volatile\"}\n"));
  EXPECT_EQ(source.asked, "/repos/a/b?c=1 token x");
  for (const char* bad : {"", "?target=", "?target=%", "?target=a&target=b"})
    EXPECT_THAT(ask(std::string("GET /api/explain") + bad), StartsWith("HTTP/1.1 400 ")) << bad;
  source.error = Error{ErrorCode::Malformed, Fault::Client, Retry::No, "not a target"};
  EXPECT_THAT(ask("GET /api/explain?target=x"),
              testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("\"not a target\"")));
}

TEST_F(AdminTest, PurgeIsAPost) {
  EXPECT_THAT(ask("POST /api/purge?pattern=/repos/a/*", "Host: localhost\r\nContent-Length: 0\r\n"),
              HasSubstr("{\"purged\":5}\n"));
  EXPECT_EQ(source.asked, "/repos/a/* here");
  ask("POST /api/purge?pattern=*&mesh=on");
  EXPECT_EQ(source.asked, "* mesh");
  source.asked.clear();
  EXPECT_THAT(ask("GET /api/purge?pattern=*"),
              testing::AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: POST\r\n")));
  for (const std::string& bad : {std::string(""), std::string("?pattern="), std::string("?pattern=*&mesh=maybe"),
                                 "?pattern=" + std::string(1025, 'x')})
    EXPECT_THAT(ask("POST /api/purge" + bad), StartsWith("HTTP/1.1 400 ")) << bad.substr(0, 40);
  EXPECT_EQ(source.asked, "");
}

TEST_F(AdminTest, WhatIsNotThereIsSaid) {
  for (const char* line :
       {"GET /index.html", "GET /api", "GET /api/stats/", "GET //healthz", "GET http://localhost:8417/healthz"})
    EXPECT_THAT(ask(line), StartsWith("HTTP/1.1 404 ")) << line;
  EXPECT_THAT(ask("DELETE /api/stats"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(ask("GET /healthz?" + std::string(24 * 1024 + 1, 'x')), StartsWith("HTTP/1.1 414 "));
}

TEST_F(AdminTest, ThePageIsServed) {
  const std::string page = ask("GET /");
  EXPECT_THAT(page, testing::AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("\r\nContent-Type: text/html"),
                                   HasSubstr("frame-ancestors 'none'"), HasSubstr("<!doctype html>")));
  EXPECT_THAT(ask("GET /page.js", "Host: localhost:8417\r\nAccept-Encoding: gzip\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("Content-Encoding: gzip")));
  EXPECT_THAT(ask("HEAD /page.css"), testing::AllOf(StartsWith("HTTP/1.1 200 "), testing::EndsWith("\r\n\r\n")));
  EXPECT_THAT(ask("POST /"), testing::AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD")));
  EXPECT_THAT(ask("GET /", "Host: evil.example:8417\r\n"), StartsWith("HTTP/1.1 403 "));
}

TEST_F(AdminTest, ForeignNamesAndPagesAreRefused) {
  for (const char* fields :
       {"Host: evil.example:8417\r\n", "Host: localhost:8417\r\nOrigin: https://evil.example\r\n",
        "Host: localhost:8417\r\nOrigin: null\r\n", "Host: localhost:8417\r\nSec-Fetch-Site: cross-site\r\n"}) {
    EXPECT_THAT(ask("GET /api/stats", fields), StartsWith("HTTP/1.1 403 ")) << fields;
    EXPECT_THAT(ask("POST /api/purge?pattern=*", fields), StartsWith("HTTP/1.1 403 ")) << fields;
  }
  EXPECT_EQ(source.asked, "");
}

TEST_F(AdminTest, ANodeWithoutAMeshSaysSo) {
  EXPECT_THAT(ask("GET /api/peers"), HasSubstr("\"why_none\":\"this node joins no mesh\""));
  EXPECT_THAT(ask("POST /api/verify"), HasSubstr("\"ok\":false"));
  EXPECT_THAT(ask("GET /api/verify"), StartsWith("HTTP/1.1 405"));
}

TEST(MeshViewJson, NamesEverything) {
  const std::string json = to_json(MeshSource().mesh());
  for (const char* part :
       {"\"mesh\":true", "\"why_none\":null", "\"peer_id\":\"12D3a\"", "\"partitions\":32", "\"direction\":\"out\"",
        "\"rtt_ms\":0.5", "\"role\":\"owner\"", "\"bytes_in\":10", "\"bytes_out\":20", "\"score\":1",
        "\"source\":\"registry\"", "\"failures\":2", "\"error\":\"refused\""})
    EXPECT_THAT(json, HasSubstr(part));
  EXPECT_THAT(to_json(std::vector<Check>{{"a", true, ""}}), StartsWith("{\"ok\":true"));
}

}  // namespace
}  // namespace ghmesh::admin
