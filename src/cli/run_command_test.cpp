// SPDX-License-Identifier: Apache-2.0
// run, with the real program as its node and a shell as its command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.hpp"
#include "node/config/config.hpp"
#include "process.hpp"

namespace ghmesh::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class RunTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/run-XXXXXX";
    ASSERT_NE(::mkdtemp(root_.data()), nullptr);
    std::filesystem::create_directories(root_ + "/tmp");
    std::filesystem::create_directories(root_ + "/gh");
    std::ofstream(root_ + "/gh/config.yml") << "editor: vim\n";
  }
  void TearDown() override {
    EXPECT_TRUE(std::filesystem::is_empty(root_ + "/tmp")) << "something was left behind";
    std::filesystem::remove_all(root_);
  }

  std::map<std::string, std::string, std::less<>> variables() const {
    return {{"PATH", "/usr/bin:/bin"},        {"HOME", root_},         {"TMPDIR", root_ + "/tmp"},
            {"GH_CONFIG_DIR", root_ + "/gh"}, {"OUT", root_ + "/out"}, {"GHMESH_UPSTREAM", "http://127.0.0.1:1"}};
  }
  int ghmesh(std::vector<std::string> words) {
    std::ostringstream out, err;
    Context context{node::config::Variables(variables()), out, err, GHMESH_PROGRAM};
    const int status = run(words, context);
    err_ = err.str();
    return status;
  }
  std::string written() const { return node::config::read_small_file(root_ + "/out").value_or("nothing"); }

  std::string root_, err_;
};

TEST_F(RunTest, TheCommandSeesTheNode) {
  EXPECT_EQ(ghmesh({"run", "--", "sh", "-c",
                    "echo \"$GHMESH_URL $GITHUB_API_URL\" >$OUT; cat $GH_CONFIG_DIR/config.yml "
                    ">>$OUT; test -S \"$(sed -n \"s/.*'\\(.*\\)'/\\1/p\" $OUT)\""}),
            0)
      << err_;
  EXPECT_THAT(written(), MatchesRegex("http://127.0.0.1:([0-9]+) http://127.0.0.1:[0-9]+\n"
                                      "http_unix_socket: '.*/gh.sock'\neditor: vim\n"));
}

TEST_F(RunTest, ItsExitStatusIsPassedOn) {
  EXPECT_EQ(ghmesh({"run", "sh", "-c", "exit 7"}), 7);
  EXPECT_EQ(ghmesh({"run", "--", "sh", "-c", "kill -KILL $$"}), 128 + SIGKILL);
  EXPECT_EQ(ghmesh({"run", "--", "no-such-program"}), 127);
  EXPECT_THAT(err_, HasSubstr("no-such-program"));
  EXPECT_EQ(ghmesh({"run", "--", root_ + "/gh/config.yml"}), 126);
}

TEST_F(RunTest, WrongUsageStartsNothing) {
  EXPECT_EQ(ghmesh({"run"}), kUsage);
  EXPECT_EQ(ghmesh({"run", "--memory-max", "much", "--", "true"}), kUsage);
  EXPECT_EQ(ghmesh({"run", "--upstream-ca", root_ + "/absent.pem", "--", "true"}), kFailed);
}

TEST_F(RunTest, ItAsksThroughItsOwnNode) {
  // The stand-in's place is empty: the node's own 502 shows that the request went through it.
  EXPECT_EQ(ghmesh({"run", "--", "sh", "-c", std::string(GHMESH_PROGRAM) + " get /meta >$OUT 2>&1; true"}), 0);
  EXPECT_THAT(written(), HasSubstr("502"));
}

TEST(Demo, SharesEveryAnswerAndSpendsOnce) {
  std::ostringstream out, err;
  // What the fleet pays does not depend on how quick this machine is.
  const node::config::Variables variables({{"PATH", "/usr/bin:/bin"}, {"GHMESH_MESH_PATIENCE", "2s"}});
  Context context{variables, out, err, GHMESH_PROGRAM};
  const std::vector<std::string> words{"demo", "--latency", "1", "--nodes", "3", "--keys", "8"};
  EXPECT_EQ(run(words, context), kDone) << err.str() << out.str();
  // Requests, charged, of them canaries, free 304s, from peers, wrong bytes.
  const auto row = [&](const std::string& name) {
    std::istringstream rest(out.str().substr(out.str().find(name) + name.size()));
    std::array<unsigned, 6> cells{};
    for (unsigned& cell : cells) rest >> cell;
    EXPECT_TRUE(rest) << name;
    return cells;
  };
  EXPECT_EQ(row("without ghmesh"), (std::array<unsigned, 6>{24, 24, 0, 0, 0, 0}));
  // Each question is paid for once by the fleet, whoever asks, and when.
  for (const char* name : {"with ghmesh", "same instant", "token per runner"}) {
    EXPECT_EQ(row(name)[0], 24u) << name;
    EXPECT_EQ(row(name)[1] - row(name)[2], 8u) << name << '\n' << out.str();
    EXPECT_EQ(row(name)[5], 0u) << name;
  }
  EXPECT_GT(row("with ghmesh")[4], 0u) << "answers came from peers";
  // The two that live ask all of their questions; how many the third has asked when half of all are asked is chance.
  EXPECT_GE(row("in the middle")[0], 16u);
  EXPECT_LT(row("in the middle")[0], 24u);
  EXPECT_LE(row("in the middle")[1] - row("in the middle")[2], 8u + 1u);
  EXPECT_EQ(row("in the middle")[5], 0u);
  EXPECT_THAT(out.str(), HasSubstr("byte for byte GitHub's own: yes"));
  // 200 jobs, a token each, on a budget of 1,000: directly most are refused.
  EXPECT_THAT(out.str(), testing::ContainsRegex("  charged +1000 +2[0-5] +0\n"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("clients' errors +3000 +0 +0\n"));
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"demo", "--latency", "far"}, {"demo", "--keys", "0"}, {"demo", "--nodes", "1"}})
    EXPECT_EQ(run(wrong, context), kUsage);
}

TEST_F(RunTest, SignalsReachTheCommand) {
  Launch launch;
  launch.words = {GHMESH_PROGRAM,
                  "run",
                  "--",
                  "sh",
                  "-c",
                  "trap 'echo term >>$OUT; exit 9' TERM; trap 'echo hup >>$OUT' HUP; echo up >>$OUT; "
                  "while :; do sleep 0.02; done"};
  launch.environment = variables();
  ::sigemptyset(&launch.mask);
  Result<Process> process = Process::start(launch);
  ASSERT_TRUE(process);
  const auto until_written = [&](const std::string& what) {
    while (written().find(what) == std::string::npos && !process->wait_for(std::chrono::milliseconds(2))) {
    }
  };
  until_written("up");
  process->signal(SIGHUP);
  until_written("hup");
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait_for(std::chrono::seconds(30)), 9);
  EXPECT_EQ(written(), "up\nhup\nterm\n");
}

}  // namespace
}  // namespace ghmesh::cli
