// SPDX-License-Identifier: Apache-2.0
// The bash script is loaded and asked by a real bash.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/command.hpp"
#include "node/config/options.hpp"

namespace ghmesh::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class BashCompletion : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/ghmesh-completion-" + std::to_string(::getpid()) + ".bash";
    std::ofstream(path_) << completion_script("bash").value();
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // What bash offers when the last of words is being completed.
  std::vector<std::string> offered(const std::vector<std::string>& words) {
    std::string array;
    for (const std::string& word : words) array += " '" + word + "'";
    const std::string command = "bash --norc --noprofile -c \"set -eu; source " + path_ + "; COMP_WORDS=(" + array +
                                "); COMP_CWORD=$(( \\${#COMP_WORDS[@]} - 1 )); _ghmesh; " +
                                "printf '%s\\n' \\\"\\${COMPREPLY[@]}\\\"\" 2>&1";
    std::string fixed = command;
    const std::string wrong = "$(( \\${#";
    if (const std::size_t at = fixed.find(wrong); at != std::string::npos)
      fixed.replace(at, wrong.size(), "\\$(( \\${#");
    std::vector<std::string> out;
    std::FILE* pipe = ::popen(fixed.c_str(), "r");
    std::string text;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) text += static_cast<char>(c);
    EXPECT_EQ(::pclose(pipe), 0) << text;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) out.push_back(line);
    }
    return out;
  }

  std::string path_;
};

TEST_F(BashCompletion, OffersCommandsFirst) {
  const std::vector<std::string> all = offered({"ghmesh", ""});
  EXPECT_THAT(all, testing::IsSupersetOf({"get", "stats", "secret", "completion", "--help"}));
  EXPECT_THAT(offered({"ghmesh", "quo"}), UnorderedElementsAre("quota"));
  EXPECT_THAT(offered({"ghmesh", "secret", ""}), UnorderedElementsAre("new"));
  EXPECT_THAT(offered({"ghmesh", "completion", ""}), testing::IsSupersetOf({"bash", "zsh", "fish"}));
}

TEST_F(BashCompletion, OffersTheFlagsOfEachCommand) {
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    std::vector<std::string> words{"ghmesh"};
    std::istringstream split{std::string(command.name)};
    for (std::string word; split >> word;) words.push_back(word);
    words.emplace_back("--");
    const std::vector<std::string> all = offered(words);
    EXPECT_THAT(all, Contains("--help")) << command.name;
    for (const FlagSpec& flag : command.rules.flags) EXPECT_THAT(all, Contains("--" + std::string(flag.name)));
    if (!command.rules.node_settings) continue;
    for (const auto& option : node::config::options()) EXPECT_THAT(all, Contains("--" + std::string(option.flag)));
  }
}

TEST(Completion, OtherShellsNameEveryFlagToo) {
  const std::string fish = completion_script("fish").value();
  const std::string zsh = completion_script("zsh").value();
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    for (const FlagSpec& flag : command.rules.flags) {
      EXPECT_THAT(fish, HasSubstr(" -l " + std::string(flag.name)));
      EXPECT_THAT(zsh, HasSubstr("--" + std::string(flag.name)));
    }
  }
  EXPECT_FALSE(completion_script("tcsh"));
}

}  // namespace
}  // namespace ghmesh::cli
