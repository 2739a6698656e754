// SPDX-License-Identifier: Apache-2.0
// The commands against a real HTTP server on the loopback that plays a node.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "cli/command.hpp"
#include "http/server/server.hpp"
#include "io/epoll_loop.hpp"
#include "io/sockets.hpp"
#include "io/work_pool.hpp"
#include "node/config/ready_file.hpp"

namespace ghmesh::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers what the test says and keeps what was asked.
class FakeNode final : public http::server::Handler {
 public:
  FakeNode() {
    std::promise<io::Endpoint> bound;
    thread_ = std::thread([this, &bound] { serve(bound); });
    at_ = bound.get_future().get();
  }
  ~FakeNode() override {
    loop_->post_from_any_thread([this] { loop_->stop(); });
    thread_.join();
  }

  std::string at() const { return io::to_string(at_); }
  io::Endpoint endpoint() const { return at_; }

  int status = 200;
  std::string body = "{}";
  std::map<std::string, std::string, std::less<>> bodies;  // by target, before body
  bool break_off = false;
  // What came: method, target, then fields, one a line. Written before the answer, read after it.
  std::string seen;

  io::Task<> answer(http::server::Exchange& exchange) override {
    const http::RequestView& request = exchange.request().view;
    seen = std::string(request.method) + " " + std::string(request.target) + "\n";
    for (const http::Field& field : request.fields)
      seen += http::to_lower(field.name) + ": " + std::string(field.value) + "\n";
    const http::Fields fields{{"Content-Type", "application/json"}, {"Cache-Status", "ghmesh; hit; detail=memory"}};
    if (break_off) {
      if (!exchange.begin(status, fields.view(), body.size() + 1)) co_return;
      static_cast<void>(co_await exchange.send(body));
      co_return;
    }
    const auto own = bodies.find(request.target);
    static_cast<void>(co_await exchange.respond(status, fields.view(), own == bodies.end() ? body : own->second));
  }

 private:
  void serve(std::promise<io::Endpoint>& bound) {
    io::EpollLoop loop;
    loop_ = &loop;
    io::WorkPool pool(1, "resolve");
    io::SocketNetwork network(loop, pool);
    auto listener = network.listen({io::IpAddress::loopback(), 0}).value();
    const io::Endpoint endpoint = *listener->local_endpoint();
    http::server::Server server(loop, *this);
    server.listen(std::move(listener));
    bound.set_value(endpoint);
    loop.run();
  }

  io::EpollLoop* loop_ = nullptr;
  io::Endpoint at_;
  std::thread thread_;
};

struct Outcome {
  int status = 0;
  std::string out, err;
};

Outcome ghmesh(std::vector<std::string> words, std::map<std::string, std::string, std::less<>> variables = {}) {
  std::ostringstream out, err;
  Context context{node::config::Variables(std::move(variables)), out, err};
  Outcome outcome;
  outcome.status = run(words, context);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

TEST(Ask, GetPrintsTheBodyAsItIs) {
  FakeNode node;
  node.body = std::string("{\"a\":1}\n\0x", 10);
  const Outcome outcome = ghmesh({"get", "--listen", node.at(), "/repos/cli/cli?x=1"});
  EXPECT_EQ(outcome.status, kDone) << outcome.err;
  EXPECT_EQ(outcome.out, node.body);
  EXPECT_THAT(node.seen, StartsWith("GET /repos/cli/cli?x=1\n"));
  EXPECT_THAT(node.seen, HasSubstr("host: api.github.com\n"));
  EXPECT_THAT(node.seen, Not(HasSubstr("authorization")));
}

TEST(Ask, GetTakesPathsAndUrls) {
  FakeNode node;
  ghmesh({"get", "--listen", node.at(), "user"}, {{"GH_TOKEN", "gho_1"}, {"GITHUB_TOKEN", "ghs_2"}});
  EXPECT_THAT(node.seen, StartsWith("GET /user\n"));
  EXPECT_THAT(node.seen, HasSubstr("authorization: token gho_1\n"));
  ghmesh({"get", "--listen", node.at(), "https://api.github.com/user"}, {{"GITHUB_TOKEN", "ghs_2"}});
  EXPECT_THAT(node.seen, StartsWith("GET /user\n"));
  EXPECT_THAT(node.seen, HasSubstr("authorization: token ghs_2\n"));
  // Another host gets the whole URL, and no token.
  ghmesh({"get", "--listen", node.at(), "https://codeload.github.com/x"}, {{"GH_TOKEN", "gho_1"}});
  EXPECT_THAT(node.seen, StartsWith("GET https://codeload.github.com/x\n"));
  EXPECT_THAT(node.seen, HasSubstr("host: codeload.github.com\n"));
  EXPECT_THAT(node.seen, Not(HasSubstr("authorization")));
  ghmesh({"get", "-H", "authorization: Bearer x", "-H", "Accept: text/plain", "--listen", node.at(), "/user"},
         {{"GH_TOKEN", "gho_1"}});
  EXPECT_THAT(node.seen, testing::AllOf(HasSubstr("authorization: Bearer x\n"), HasSubstr("accept: text/plain\n"),
                                        Not(HasSubstr("gho_1"))));
}

TEST(Ask, GetSaysWhenItFailed) {
  FakeNode node;
  node.status = 404;
  node.body = R"({"message":"Not Found"})";
  const Outcome missing = ghmesh({"get", "-i", "--listen", node.at(), "/x"});
  EXPECT_EQ(missing.status, kFailed);
  EXPECT_THAT(missing.out, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(missing.out, HasSubstr("Cache-Status: ghmesh; hit; detail=memory\r\n"));
  EXPECT_THAT(missing.out, HasSubstr(node.body));
  EXPECT_EQ(missing.err, "ghmesh: get: 404 Not Found\n");
  node.status = 200;
  node.break_off = true;
  const Outcome broken = ghmesh({"get", "--listen", node.at(), "/x"});
  EXPECT_EQ(broken.status, kFailed);
  EXPECT_THAT(broken.err, HasSubstr("broke off"));
}

TEST(Ask, ReportsAskTheAdminListener) {
  FakeNode node;
  node.body = R"({"requests":3})";
  EXPECT_EQ(ghmesh({"stats", "--admin", node.at()}).out, "requests  3\n");
  EXPECT_THAT(node.seen, StartsWith("GET /api/stats\n"));
  EXPECT_EQ(ghmesh({"stats", "--json", "--admin", node.at()}).out, "{\"requests\":3}\n");
  ghmesh({"explain", "--admin", node.at(), "/repos/a/b?c=d e"});
  ghmesh({"explain", "--admin", node.at(), "--accept", "application/json; x=1", "/r"});
  EXPECT_THAT(node.seen, StartsWith("GET /api/explain?target=/r&accept=application/json%3B%20x%3D1\n"));
  ghmesh({"explain", "--admin", node.at(), "/repos/a/b?c=d%20e"}, {{"GH_TOKEN", "gho_1"}});
  EXPECT_THAT(node.seen, StartsWith("GET /api/explain?target=/repos/a/b%3Fc%3Dd%2520e\n"));
  EXPECT_THAT(node.seen, HasSubstr("authorization: token gho_1\n"));
  EXPECT_EQ(ghmesh({"purge", "--admin", node.at(), "/repos/a/*"}).status, kDone);
  EXPECT_THAT(node.seen, StartsWith("POST /api/purge?pattern=/repos/a/%2A\n"));
  node.body = R"({"quota":[]})";
  EXPECT_EQ(ghmesh({"quota"}, {{"GHMESH_ADMIN", node.at()}}).out, "no quota seen yet\n");
  node.status = 403;
  node.body = R"({"message":"not from there"})";
  const Outcome refused = ghmesh({"stats", "--admin", node.at()});
  EXPECT_EQ(refused.status, kFailed);
  EXPECT_EQ(refused.err, "ghmesh: stats: the node says 403: not from there\n");
}

TEST(Ask, TheReadyFileNamesTheNode) {
  FakeNode node;
  node.body = R"({"a":1})";
  const std::string path = testing::TempDir() + "/ask-ready-" + std::to_string(::getpid());
  node::config::Ready ready;
  ready.listen = ready.admin = node.endpoint();
  ASSERT_TRUE(node::config::write_ready_file(path, ready));
  EXPECT_EQ(ghmesh({"get", "--ready-file", path, "/x"}).out, node.body);
  EXPECT_EQ(ghmesh({"get", "/x"}, {{"GHMESH_NODE", path}}).out, node.body);
  EXPECT_EQ(ghmesh({"stats"}, {{"GHMESH_NODE", path}}).out, "a  1\n");
  ready.admin.reset();
  ASSERT_TRUE(node::config::write_ready_file(path, ready));
  EXPECT_EQ(ghmesh({"stats", "--ready-file", path}).status, kNoNode);
  std::filesystem::remove(path);
}

TEST(Ask, PeersAreATableAndThoseWhoAreNoneAreNamed) {
  FakeNode node;
  node.body = R"({"mesh":true,"why_none":null,"peer_id":"12D3a","addresses":[],"partitions":32,"peers":[
    {"peer_id":"12D3b","address":"/ip4/10.0.0.2/tcp/9100","direction":"out","rtt_ms":0.4567,"age_seconds":7.0,
     "state":"alive","role":"owner","partitions":32,"bytes_in":10,"bytes_out":20,"score":1.0}],
    "contacts":[{"address":"/ip4/10.0.0.3/tcp/9100","source":"registry","failures":2,"error":"refused"}]})";
  const Outcome outcome = ghmesh({"peers", "--admin", node.at()});
  EXPECT_EQ(outcome.status, kDone) << outcome.err;
  EXPECT_THAT(node.seen, StartsWith("GET /api/peers\n"));
  EXPECT_THAT(outcome.out, HasSubstr("12D3b    /ip4/10.0.0.2/tcp/9100  0.46    7.00         alive  owner  32"));
  EXPECT_THAT(outcome.out, HasSubstr("/ip4/10.0.0.3/tcp/9100  registry  2         refused"));
  EXPECT_EQ(ghmesh({"peers", "--json", "--admin", node.at()}).out, node.body + "\n");
  node.body = R"({"mesh":false,"why_none":"no mesh secret","peers":[],"contacts":[]})";
  EXPECT_EQ(ghmesh({"peers", "--admin", node.at()}).out, "no mesh: no mesh secret\n");
}

TEST(Ask, VerifyIsZeroOnlyIfEverythingHolds) {
  FakeNode node;
  node.bodies["/rate_limit"] = R"({"resources":{"core":{"limit":5000,"remaining":4987}}})";
  node.bodies["/api/verify"] = R"({"ok":true,"checks":[{"name":"peers","ok":true,"detail":"2 connected"}]})";
  const std::vector<std::string> words{"verify", "--listen", node.at(), "--admin", node.at()};
  const Outcome good = ghmesh(words, {{"GH_TOKEN", "gho_1"}});
  EXPECT_EQ(good.status, kDone) << good.out << good.err;
  EXPECT_THAT(good.out, HasSubstr("ok  quota     core: 4987 of 5000 left"));
  EXPECT_THAT(good.out, HasSubstr("ok  peers     2 connected"));
  EXPECT_THAT(ghmesh(words).out, HasSubstr("anonymous"));

  node.bodies["/api/verify"] = R"({"ok":false,"checks":[{"name":"peers","ok":false,"detail":"nobody"}]})";
  const Outcome alone = ghmesh(words);
  EXPECT_EQ(alone.status, kFailed);
  EXPECT_THAT(alone.out, HasSubstr("FAILED  peers     nobody"));

  node.bodies["/api/verify"] = R"({"ok":true,"checks":[]})";
  node.bodies["/rate_limit"] = R"({"message":"Not Found"})";
  EXPECT_EQ(ghmesh(words).status, kFailed) << "no quota to be seen";
  EXPECT_EQ(ghmesh({"verify", "--listen", "127.0.0.1:1", "--admin", node.at()}).status, kFailed);
  EXPECT_EQ(ghmesh({"verify", "--listen", node.at(), "--admin", "127.0.0.1:1"}).status, kNoNode);
}

}  // namespace
}  // namespace ghmesh::cli
