// SPDX-License-Identifier: Apache-2.0
// init and stop with the real program, as a job's steps call them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.hpp"
#include "io/sockets.hpp"
#include "node/config/config.hpp"
#include "node/config/ready_file.hpp"
#include "node_client.hpp"
#include "process.hpp"
#include "session.hpp"

namespace ghmesh::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using Map = std::map<std::string, std::string, std::less<>>;

class InitTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(testing::TempDir()).parent_path().string() + "/init-XXXXXX";
    ASSERT_NE(::mkdtemp(root_.data()), nullptr);
    std::filesystem::create_directories(root_ + "/temp");
    std::filesystem::create_directories(root_ + "/gh");
    std::ofstream(root_ + "/gh/config.yml") << "editor: vim\n";
    variables_ = {{"PATH", "/usr/bin:/bin"},
                  {"HOME", root_},
                  {"CI", "true"},
                  {"GITHUB_ENV", root_ + "/env"},
                  {"GITHUB_OUTPUT", root_ + "/output"},
                  {"GITHUB_STEP_SUMMARY", root_ + "/summary"},
                  {"RUNNER_TEMP", root_ + "/temp"},
                  {"GH_CONFIG_DIR", root_ + "/gh"},
                  {"GHMESH_UPSTREAM", "http://127.0.0.1:1"}};
  }
  void TearDown() override {
    const auto session = this->session();
    stop({});
    EXPECT_TRUE(std::filesystem::is_empty(root_ + "/temp")) << "something was left behind";
    if (session) {
      EXPECT_FALSE(session->keeper.alive());
      EXPECT_FALSE(session->node.alive());
    }
    std::filesystem::remove_all(root_);
  }

  int ghmesh(std::vector<std::string> words) {
    std::ostringstream out, err;
    Context context{node::config::Variables(variables_), out, err, GHMESH_PROGRAM};
    const int status = run(words, context);
    out_ = out.str();
    err_ = err.str();
    return status;
  }
  // A loaded machine is slow, not wrong.
  int init(std::vector<std::string> more) {
    more.insert(more.begin(), {"init", "--wait", "30"});
    return ghmesh(std::move(more));
  }
  int stop(std::vector<std::string> more) {
    more.insert(more.begin(), "stop");
    return ghmesh(std::move(more));
  }
  // What the runner does between two steps: the last value of each name.
  Map of_file(const std::string& name) const {
    Map out;
    std::ifstream file(root_ + "/" + name);
    for (std::string line; std::getline(file, line);) {
      const std::size_t mark = line.find("<<");
      std::string value, next;
      while (std::getline(file, next) && next != line.substr(mark + 2)) value += (value.empty() ? "" : "\n") + next;
      out[line.substr(0, mark)] = value;
    }
    return out;
  }
  void next_step() {
    for (const auto& [name, value] : of_file("env")) variables_[name] = value;
    std::ofstream(root_ + "/env", std::ios::trunc);
  }
  std::string state(const std::string& name) const { return root_ + "/temp/ghmesh/" + name; }
  std::optional<Session> session() const {
    const auto text = node::config::read_small_file(state("session.json"));
    if (!text) return std::nullopt;
    auto session = parse_session(*text);
    return session ? std::optional(std::move(*session)) : std::nullopt;
  }
  node::config::Ready ready() const {
    return node::config::parse_ready(node::config::read_small_file(state("ready.json")).value()).value();
  }
  static int status_of(const io::Endpoint& at, const std::string& target) {
    const auto reply = ask(at, {.target = target, .fields = {}, .body = {}, .patience = std::chrono::seconds(30)});
    return reply ? reply->status : 0;
  }

  std::string root_, out_, err_;
  Map variables_;
};

TEST_F(InitTest, LaterStepsFindTheNode) {
  ASSERT_EQ(init({}), kDone) << out_ << err_;
  const Map env = of_file("env");
  EXPECT_EQ(env.at("GHMESH_URL"), "http://" + io::to_string(*ready().listen));
  EXPECT_EQ(env.at("GHMESH_NODE"), state("ready.json"));
  EXPECT_EQ(node::config::read_small_file(env.at("GH_CONFIG_DIR") + "/config.yml").value(),
            "http_unix_socket: '" + state("gh.sock") + "'\neditor: vim\n");
  EXPECT_EQ(env.at("CACHE_ENABLE_P2P"), "false");
  const Map outputs = of_file("output");
  EXPECT_EQ(outputs.at("url"), env.at("GHMESH_URL"));
  EXPECT_EQ(outputs.at("socket"), state("gh.sock"));
  for (const char* name : {"peer_id", "multiaddr", "bootstrap_peers"}) EXPECT_TRUE(outputs.contains(name)) << name;
  EXPECT_EQ(status_of(*ready().listen, "/meta"), 502) << "the node's own answer: nobody is behind it";
  EXPECT_THAT(out_, HasSubstr("local cache only"));
  next_step();
  EXPECT_EQ(ghmesh({"stats", "--json"}), kDone) << err_;
  EXPECT_EQ(stop({}), kDone);
  EXPECT_THAT(node::config::read_small_file(root_ + "/summary").value_or(""),
              HasSubstr("| requests of this job | 1 |"));
  const Map after = of_file("env");
  EXPECT_EQ(after.at("GH_CONFIG_DIR"), root_ + "/gh") << "what was there before";
  EXPECT_EQ(after.at("GHMESH_URL"), "");
}

TEST_F(InitTest, AnotherInitFindsTheSameNode) {
  ASSERT_EQ(init({}), kDone);
  const auto first = ready();
  next_step();
  ASSERT_EQ(init({}), kDone);
  EXPECT_EQ(ready().pid, first.pid);
  EXPECT_THAT(out_, HasSubstr("node found"));
  EXPECT_EQ(of_file("env").at("GH_CONFIG_DIR"), state("gh"));
  // What it was before any of them.
  EXPECT_EQ(session()->variables.at("GH_CONFIG_DIR").before, root_ + "/gh");
  EXPECT_EQ(session()->variables.at("GHMESH_URL").before, std::nullopt);
  init({"--memory-max", "1MiB"});
  EXPECT_THAT(out_, HasSubstr("::warning title=ghmesh::the node runs with the settings of the first init"));
}

// Whether somebody else could take the port, and so the tokens of clients that know the address.
bool may_bind(const io::Endpoint& where) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(where.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const bool taken = bound && ::listen(fd, 1) == 0;
  ::close(fd);
  return taken;
}

TEST_F(InitTest, A24_ANodeThatDiesIsReplacedBehindTheSameAddress) {
  ASSERT_EQ(init({}), kDone);
  const auto first = ready();
  ASSERT_EQ(::kill(static_cast<pid_t>(first.pid), SIGKILL), 0);
  // From its death to its successor's first word, nobody else gets the port.
  int tries = 0;
  while (ready().pid == first.pid) {
    ASSERT_FALSE(may_bind(*first.listen)) << "try " << tries;
    ++tries;
  }
  EXPECT_GT(tries, 0);
  // No refused connection at any instant: who comes now is answered by the next one.
  EXPECT_EQ(status_of(*first.listen, "/meta"), 502);
  EXPECT_EQ(status_of(*first.admin, "/healthz"), 200);
  EXPECT_NE(ready().pid, first.pid);
}

TEST_F(InitTest, TheNextInitHealsWhatLostItsKeeper) {
  ASSERT_EQ(init({}), kDone);
  const auto first = ready();
  ::kill(session()->keeper.pid, SIGKILL);
  ::kill(static_cast<pid_t>(first.pid), SIGKILL);
  while (session()->keeper.alive() || session()->node.alive()) ::usleep(1000);
  next_step();
  ASSERT_EQ(init({}), kDone);
  ASSERT_TRUE(session()) << out_ << err_;
  EXPECT_EQ(io::to_string(*ready().listen), io::to_string(*first.listen)) << "earlier steps' variables stay true";
  EXPECT_EQ(status_of(*first.listen, "/meta"), 502);
  EXPECT_THAT(out_, HasSubstr("replaced"));
}

TEST_F(InitTest, TheNodeEndsWithTheJob) {
  Launch launch;
  launch.words = {"sleep", "1000"};
  launch.environment = variables_;
  ::sigemptyset(&launch.mask);
  Result<Process> job = Process::start(launch);
  ASSERT_TRUE(job);
  ASSERT_EQ(init({"--job-pid", std::to_string(job->pid())}), kDone);
  const auto running = *session();
  job->signal(SIGKILL);
  job->wait_for(std::chrono::seconds(30));
  const SystemClock clock;
  const TimePoint until = clock.now() + std::chrono::seconds(30);
  while (running.keeper.alive() && clock.now() < until) ::usleep(2000);
  EXPECT_FALSE(running.keeper.alive());
  EXPECT_FALSE(running.node.alive());
  EXPECT_FALSE(std::filesystem::exists(state("")));
}

TEST_F(InitTest, TheNodeEndsWhenNobodyAsks) {
  ASSERT_EQ(init({"--idle-limit", "1"}), kDone);
  const auto running = *session();
  const SystemClock clock;
  const TimePoint until = clock.now() + std::chrono::seconds(60);
  while (running.keeper.alive() && clock.now() < until) ::usleep(2000);
  EXPECT_FALSE(running.keeper.alive());
}

TEST_F(InitTest, WhatGoesWrongDoesNotFailTheJob) {
  const int fd = io::open_listening(io::Endpoint{io::IpAddress::loopback(), 0}).value();
  const auto port = [&] {
    io::EpollLoop loop;
    return io::make_socket_listener(loop, ::dup(fd))->local_endpoint()->port;
  }();
  const std::vector<std::vector<std::string>> wrong{{"--listen", "127.0.0.1:" + std::to_string(port)},
                                                    {"--memory-max", "much"},
                                                    {"--upstream-ca", root_ + "/absent.pem"},
                                                    {"--secret-file", root_ + "/absent"}};
  for (const auto& flags : wrong) {
    EXPECT_EQ(init(flags), kDone) << flags[0];
    EXPECT_THAT(out_, HasSubstr("::warning title=ghmesh::")) << flags[0];
    EXPECT_THAT(out_, HasSubstr(flags[0].substr(2))) << "names what is wrong: " << out_;
    EXPECT_TRUE(of_file("env").empty()) << "the job's tools are not pointed at nothing";
    EXPECT_FALSE(session());
    auto strict = flags;
    strict.push_back("--strict");
    EXPECT_EQ(init(strict), kFailed) << flags[0];
  }
  ::close(fd);
}

TEST_F(InitTest, A8_SecretsAreMaskedAndWrittenNowhere) {
  const std::string secret = "8f3a1c5e7b9d2f40618293a4b5c6d7e8f9010203a1b2c3d4e5f60718293a4b5c";
  variables_["GHMESH_SECRET"] = secret;
  ASSERT_EQ(init({"--p2p-listen", "/ip4/127.0.0.1/tcp/0"}), kDone);
  EXPECT_THAT(out_, HasSubstr("::add-mask::" + secret + "\n"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root_)) {
    if (!entry.is_regular_file()) continue;
    const auto text = node::config::read_small_file(entry.path());
    EXPECT_THAT(text.value_or(""), Not(HasSubstr(secret))) << entry.path();
  }
}

TEST_F(InitTest, OutsideOfActionsAShellIsTold) {
  for (const char* name : {"GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}) variables_.erase(name);
  ASSERT_EQ(init({}), kDone) << err_;
  EXPECT_THAT(out_, HasSubstr("export GHMESH_URL='http://127.0.0.1:"));
  EXPECT_THAT(err_, HasSubstr("ghmesh: node ready at"));
  for (const auto& [name, set] : session()->variables) variables_[name] = set.value;
  EXPECT_EQ(stop({}), kDone);
  EXPECT_THAT(out_, HasSubstr("unset GHMESH_URL\n"));
  EXPECT_THAT(out_, HasSubstr("export GH_CONFIG_DIR='" + root_ + "/gh'\n"));
  variables_.erase("CACHE_DIR");
  EXPECT_EQ(init({"--memory-max", "much"}), kFailed) << "nobody but CI wants failures hidden";
}

TEST_F(InitTest, NothingToStopIsNoFailure) {
  EXPECT_EQ(stop({"--strict"}), kDone);
  EXPECT_THAT(out_, HasSubstr("no node to stop"));
}

}  // namespace
}  // namespace ghmesh::cli
