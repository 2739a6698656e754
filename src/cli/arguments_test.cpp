// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace ghmesh::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr std::array kFlags{FlagSpec{"include", 'i', "", "x"}, FlagSpec{"header", 'H', "NAME: VALUE", "x"}};
constexpr ArgumentRules kRules{.flags = kFlags, .operands_min = 1, .operands_max = 2, .operands = "URL"};

Arguments parsed(const ArgumentRules& rules, std::vector<std::string> words) {
  Result<Arguments> out = parse_arguments(rules, words);
  EXPECT_TRUE(out) << (out ? "" : out.error().message);
  return out ? *out : Arguments{};
}

std::string error(const ArgumentRules& rules, std::vector<std::string> words) {
  const Result<Arguments> out = parse_arguments(rules, words);
  return out ? "accepted" : out.error().message;
}

TEST(Arguments, FlagsHaveThreeSpellings) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--header", "a: b", "x"},
                                                {"--header=a: b", "x"},
                                                {"-H", "a: b", "x"},
                                                {"-Ha: b", "x"}}) {
    const Arguments out = parsed(kRules, words);
    EXPECT_EQ(out.get("header"), "a: b");
    EXPECT_THAT(out.operands, ElementsAre("x"));
    EXPECT_FALSE(out.has("include"));
  }
  EXPECT_TRUE(parsed(kRules, {"x", "-i"}).has("include"));
  EXPECT_EQ(parsed(kRules, {"x", "--header="}).get("header"), "");
}

TEST(Arguments, RepeatedFlagsAreAllThere) {
  const Arguments out = parsed(kRules, {"-H", "1", "x", "-H", "2"});
  EXPECT_THAT(out.all("header"), ElementsAre("1", "2"));
  EXPECT_EQ(out.get("header"), "2");
}

TEST(Arguments, TwoDashesEndTheFlags) {
  EXPECT_THAT(parsed(kRules, {"-i", "--", "-x", "--y"}).operands, ElementsAre("-x", "--y"));
  EXPECT_THAT(parsed(kRules, {"-"}).operands, ElementsAre("-"));
}

TEST(Arguments, WrongUsageIsNamed) {
  EXPECT_THAT(error(kRules, {"--includ", "x"}),
              testing::AllOf(HasSubstr("--includ"), HasSubstr("did you mean --include")));
  EXPECT_THAT(error(kRules, {"-z", "x"}), HasSubstr("-z: no such flag"));
  EXPECT_THAT(error(kRules, {"--listen", "x"}), HasSubstr("no such flag"));
  EXPECT_THAT(error(kRules, {"x", "--header"}), HasSubstr("needs a value"));
  EXPECT_THAT(error(kRules, {"--include=yes", "x"}), HasSubstr("takes no value"));
  EXPECT_THAT(error(kRules, {}), HasSubstr("needs URL"));
  EXPECT_THAT(error(kRules, {"a", "b", "c"}), HasSubstr("'c'"));
}

TEST(Arguments, HelpNeedsNothingElse) {
  EXPECT_TRUE(parsed(kRules, {"--help"}).help);
  EXPECT_TRUE(parsed(kRules, {"-h"}).help);
  EXPECT_FALSE(parsed(kRules, {"--", "--help"}).help);
}

TEST(Arguments, SettingsOfANodeAreFlagsWhereTheyAreTaken) {
  constexpr ArgumentRules kServe{.flags = {}, .node_settings = true};
  const Arguments out = parsed(kServe, {"--listen", "127.0.0.1:0", "--config=n.toml"});
  EXPECT_THAT(out.settings, ElementsAre(Pair("listen", "127.0.0.1:0"), Pair("config", "n.toml")));
  EXPECT_THAT(error(kServe, {"--lisen", "x"}), HasSubstr("did you mean --listen"));
}

TEST(Arguments, ACommandKeepsItsOwnFlags) {
  constexpr ArgumentRules kRun{
      .flags = {}, .node_settings = true, .runs_command = true, .operands_min = 1, .operands_max = 1000};
  EXPECT_THAT(parsed(kRun, {"--ttl", "5", "gh", "api", "--paginate"}).operands, ElementsAre("gh", "api", "--paginate"));
  EXPECT_THAT(parsed(kRun, {"--", "gh", "--", "x"}).operands, ElementsAre("gh", "--", "x"));
  EXPECT_FALSE(parsed(kRun, {"gh", "--help"}).help);
}

TEST(Closest, FindsSlipsAndNothingElse) {
  const std::vector<std::string> names{"stats", "quota", "get"};
  EXPECT_EQ(closest("stat", names), "stats");
  EXPECT_EQ(closest("qouta", names), std::nullopt);  // two letters of five are no slip
  EXPECT_EQ(closest("quot", names), "quota");
  EXPECT_EQ(closest("banana", names), std::nullopt);
}

}  // namespace
}  // namespace ghmesh::cli
