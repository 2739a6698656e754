// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "cli/command.hpp"
#include "node/config/options.hpp"

namespace ghmesh::cli {
namespace {

std::string output_of(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char piece[4096];
  while (const std::size_t count = std::fread(piece, 1, sizeof piece, pipe)) out.append(piece, count);
  ::pclose(pipe);
  return out;
}

TEST(ManualPage, NamesEveryCommandFlagAndSetting) {
  std::string page = manual_page();
  for (std::size_t at; (at = page.find("\\-")) != std::string::npos;) page.erase(at, 1);
  for (const Command& command : commands()) {
    EXPECT_EQ(page.find(".SS \"ghmesh " + std::string(command.name)) == std::string::npos, command.hidden)
        << command.name;
    if (command.hidden) continue;
    for (const FlagSpec& flag : command.rules.flags)
      EXPECT_NE(page.find("--" + std::string(flag.name)), std::string::npos) << flag.name;
  }
  for (const auto& option : node::config::options()) {
    EXPECT_NE(page.find("\\fB--" + std::string(option.flag)), std::string::npos) << option.flag;
    EXPECT_NE(page.find(node::config::variable_of(option)), std::string::npos) << option.flag;
  }
}

TEST(ManualPage, HasNoControlLinesButMacros) {
  const std::string page = manual_page();
  for (std::size_t begin = 0; begin < page.size(); begin = page.find('\n', begin) + 1) {
    const std::string line = page.substr(begin, page.find('\n', begin) - begin);
    EXPECT_FALSE(line.starts_with('\'')) << line;
    EXPECT_FALSE(line.empty()) << "an empty line at " << begin;
    if (line.starts_with('.')) EXPECT_THAT(line, testing::MatchesRegex("\\.(TH|SH|SS|PP|TP|nf|fi|br|B|I|BR|IR|RI).*"));
  }
}

TEST(ManualPage, IsCleanToGroff) {
  if (std::system("command -v groff >/dev/null") != 0) GTEST_SKIP() << "no groff here (tools/deps.sh installs it)";
  const std::string path = testing::TempDir() + "ghmesh.1";
  std::ofstream(path) << manual_page();
  EXPECT_EQ(output_of("groff -man -Tutf8 -ww -rLL=78n '" + path + "' 2>&1 >/dev/null"), "");
  const std::string text = output_of("groff -man -Tascii -P-cbou -rLL=78n '" + path + "'");
  for (const char* part : {"GHMESH(1)", "NAME", "a cache for the GitHub API", "ghmesh serve [flags]", "--p2p-listen",
                           "CACHE_LISTEN_PORT", "EXIT STATUS", "zsh:  source <(ghmesh completion zsh)"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  std::remove(path.c_str());
}

}  // namespace
}  // namespace ghmesh::cli
