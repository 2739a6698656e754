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
    static_cast<void>(co_await exchange.respond(status, fields.view(), body));
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

}  // namespace
}  // namespace ghmesh::cli
