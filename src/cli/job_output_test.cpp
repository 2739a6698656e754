// SPDX-License-Identifier: Apache-2.0
#include "job_output.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <sstream>

#include "node/config/config.hpp"

namespace ghmesh::cli {
namespace {

using Map = std::map<std::string, std::string, std::less<>>;

TEST(Heredoc, HostileValuesStayValues) {
  EXPECT_EQ(heredoc("A", "x\nB=1", "d").value(), "A<<d\nx\nB=1\nd\n");
  EXPECT_FALSE(heredoc("A", "x\nd\nB<<e", "d")) << "ends the value early";
  for (const char* name : {"", "A B", "A=1", "A\nB", "1A", "A<<B"}) EXPECT_FALSE(heredoc(name, "v", "d")) << name;
}

TEST(ShellQuoted, ReadsBackAsItWas) {
  EXPECT_EQ(shell_quoted("plain"), "'plain'");
  EXPECT_EQ(shell_quoted("$(rm) `x` \"y\" 'z'\n"), "'$(rm) `x` \"y\" '\\''z'\\''\n'");
}

TEST(CommandText, IsOneLine) { EXPECT_EQ(command_text("50%\r\n::stop"), "50%25%0D%0A::stop"); }

class JobOutputTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = testing::TempDir() + "/job-output-XXXXXX";
    ASSERT_NE(::mkdtemp(root_.data()), nullptr);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  JobOutput make(Map variables) { return {node::config::Variables(std::move(variables)), out_, err_, random_}; }
  JobOutput in_actions() {
    return make({{"GITHUB_ENV", root_ + "/env"},
                 {"GITHUB_OUTPUT", root_ + "/output"},
                 {"GITHUB_STEP_SUMMARY", root_ + "/summary"}});
  }
  std::string file(const std::string& name) const {
    return node::config::read_small_file(root_ + "/" + name).value_or("");
  }
  std::string root_;
  std::ostringstream out_, err_;
  SeededRandom random_{1};
};

TEST_F(JobOutputTest, InActionsFilesAndCommands) {
  JobOutput output = in_actions();
  ASSERT_TRUE(output.set_variables({{"A", "1"}, {"B", "two\nlines"}}));
  ASSERT_TRUE(output.unset_variables({"C"}));
  ASSERT_TRUE(output.set_outputs({{"url", "u"}}));
  ASSERT_TRUE(output.append_summary("# s\n"));
  const std::string env = file("env");
  EXPECT_EQ(env.substr(0, 10), "A<<ghmesh_");
  EXPECT_NE(env.find("\ntwo\nlines\nghmesh_"), std::string::npos);
  EXPECT_NE(env.find("C<<ghmesh_"), std::string::npos);
  EXPECT_NE(file("output").find("\nu\n"), std::string::npos);
  EXPECT_EQ(file("summary"), "# s\n");
  // Each value under a delimiter of its own.
  EXPECT_NE(env.substr(3, 39), env.substr(env.find("B<<") + 3, 39));
  output.mask("hush");
  output.warn("a\nb");
  output.mask("");
  EXPECT_EQ(out_.str(), "::add-mask::hush\n::warning title=ghmesh::a%0Ab\n");
  EXPECT_EQ(err_.str(), "");
}

TEST_F(JobOutputTest, OutsideLinesForAShell) {
  JobOutput output = make({});
  ASSERT_TRUE(output.set_variables({{"A", "it's"}}));
  ASSERT_TRUE(output.unset_variables({"B"}));
  ASSERT_TRUE(output.set_outputs({{"url", "u"}}));
  ASSERT_TRUE(output.append_summary("x"));
  output.mask("hush");
  output.warn("a\nb");
  EXPECT_EQ(out_.str(), "export A='it'\\''s'\nunset B\n");
  EXPECT_EQ(err_.str(), "ghmesh: a b\n");
}

TEST_F(JobOutputTest, AFileThatCannotBeWrittenIsAnError) {
  JobOutput output = make({{"GITHUB_ENV", root_ + "/absent/env"}});
  const auto done = output.set_variables({{"A", "1"}});
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("absent/env"), std::string::npos);
}

}  // namespace
}  // namespace ghmesh::cli
