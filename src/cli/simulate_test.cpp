// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/command.hpp"

namespace ghmesh::cli {
namespace {

using testing::HasSubstr;

struct Outcome {
  int status = 0;
  std::string out, err;
};

Outcome simulated(std::vector<std::string> words) {
  words.insert(words.begin(), "simulate");
  std::ostringstream out, err;
  Context context{node::config::Variables(), out, err};
  const int status = run(words, context);
  return {status, out.str(), err.str()};
}

TEST(Simulate, AFleetInVirtualTimeAsJson) {
  const Outcome one = simulated({"--nodes", "5", "--keys", "100", "--minutes", "5", "--seed", "7", "--json"});
  ASSERT_EQ(one.status, kDone) << one.err;
  const auto json = nlohmann::json::parse(one.out);
  EXPECT_EQ(json["nodes"], 5);
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["wrong_bytes"], 0);
  // Half a request a second each for two minutes, and a script a minute.
  EXPECT_GT(json["requests"], 200);
  EXPECT_GT(json["from_peers"], 0);
  EXPECT_GE(json["charged"], json["ideal"]);
  EXPECT_NEAR(json["charged_per_ideal"].get<double>(), json["charged"].get<double>() / json["ideal"].get<double>(),
              1e-9);
  // The same seed is the same run, another seed another one.
  EXPECT_EQ(simulated({"--nodes", "5", "--keys", "100", "--minutes", "5", "--seed", "7", "--json"}).out, one.out);
  EXPECT_NE(simulated({"--nodes", "5", "--keys", "100", "--minutes", "5", "--seed", "8", "--json"}).out, one.out);
}

TEST(Simulate, TextSaysWhatWasAskedFor) {
  const Outcome still = simulated({"--nodes=3", "--keys=50", "--minutes=4", "--no-churn"});
  EXPECT_EQ(still.status, kDone) << still.err;
  EXPECT_THAT(still.out, HasSubstr("3 members, 50 keys, 4 minutes of virtual time"));
  EXPECT_THAT(still.out, HasSubstr("without churn, seed 1"));
  for (const std::string_view name : {"charged", "messages a request", "KB/s", "p50", "p99", "wrong bytes         0"})
    EXPECT_THAT(still.out, HasSubstr(std::string(name)));
}

TEST(Simulate, TextSaysHowLongMembersLive) {
  const Outcome short_lived = simulated({"--nodes=3", "--keys=50", "--minutes=4", "--life=60"});
  EXPECT_THAT(short_lived.out, HasSubstr("lives of up to 60 s, seed 1"));
}

TEST(Simulate, BoundsAreSaid) {
  const auto refused = [](std::vector<std::string> words, std::string_view why) {
    const Outcome outcome = simulated(std::move(words));
    EXPECT_EQ(outcome.status, kUsage);
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(std::string(why)));
  };
  refused({"--nodes", "1001"}, "--nodes: '1001' is not a number from 2 to 1000");
  refused({"--nodes", "1"}, "from 2 to 1000");
  refused({"--keys", "0"}, "--keys: '0' is not a number from 1 to 100000");
  refused({"--minutes", "3"}, "from 4 to 240");
  refused({"--tokens", "x"}, "--tokens: 'x'");
  refused({"--life", "9"}, "--life: '9' is not a number from 10 to 86400");
  refused({"--seed", "-1"}, "--seed: '-1'");
}

}  // namespace
}  // namespace ghmesh::cli
