// SPDX-License-Identifier: Apache-2.0
#include "node/config/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace ghmesh::node::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Options, NamesAreUniqueAndWellFormed) {
  std::set<std::string> names;
  for (const Option& option : options()) {
    EXPECT_TRUE(names.insert("--" + std::string(option.flag)).second) << option.flag;
    EXPECT_TRUE(names.insert(variable_of(option)).second) << option.flag;
    EXPECT_TRUE(names.insert("toml:" + std::string(option.toml)).second) << option.toml;
    EXPECT_FALSE(is_other_variable(variable_of(option)));
    EXPECT_FALSE(option.meaning.ends_with('.')) << option.flag;
    EXPECT_NE(option.apply, nullptr);
    EXPECT_EQ(option.compatible.variable.empty(), option.compatible.translate == nullptr) << option.flag;
    EXPECT_EQ(find_option(option.flag), &option);
  }
  EXPECT_EQ(find_option("nothing"), nullptr);
}

TEST(Options, VariablesAndChoicesFollowFromTheRow) {
  EXPECT_EQ(variable_of(*find_option("p2p-listen")), "GHMESH_P2P_LISTEN");
  EXPECT_THAT(choices_of(*find_option("proof")), ElementsAre("on", "off"));
  EXPECT_THAT(choices_of(*find_option("freshness")), ElementsAre("strict", "github", "relaxed", "http"));
  EXPECT_THAT(choices_of(*find_option("admin")), ElementsAre("off"));
  EXPECT_TRUE(choices_of(*find_option("listen")).empty());
}

TEST(Options, HelpNamesEveryRowInLinesOneCanRead) {
  const std::string help = describe_options();
  for (const Option& option : options()) EXPECT_THAT(help, HasSubstr("--" + std::string(option.flag) + " "));
  std::istringstream lines(help);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 104u) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

}  // namespace
}  // namespace ghmesh::node::config
