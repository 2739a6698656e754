// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "crypto/random.hpp"
#include "libp2p/core/keys.hpp"
#include "libp2p/core/peer_id.hpp"

namespace ghmesh::cli {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

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

TEST(Commands, AreWellFormed) {
  std::set<std::string_view> names;
  for (const Command& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    EXPECT_NE(command.run, nullptr);
    EXPECT_FALSE(command.summary.ends_with('.')) << command.name;
    EXPECT_TRUE(command.details.ends_with('\n')) << command.name;
    EXPECT_LE(command.summary.size(), 70u) << command.name;
  }
}

TEST(Commands, HelpIsOnStandardOutput) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"}, {"-h"}, {"help"}}) {
    const Outcome help = ghmesh(words);
    EXPECT_EQ(help.status, kDone);
    EXPECT_EQ(help.err, "");
    for (const Command& command : commands())
      EXPECT_EQ(help.out.find("\n  " + std::string(command.name) + " ") == std::string::npos, command.hidden);
  }
  for (const Command& command : commands()) {
    std::vector<std::string> words;
    std::istringstream split{std::string(command.name)};
    for (std::string word; split >> word;) words.push_back(word);
    words.emplace_back("--help");
    const Outcome help = ghmesh(words);
    EXPECT_EQ(help.status, kDone) << help.err;
    EXPECT_THAT(help.out, StartsWith("Usage: ghmesh " + std::string(command.name)));
    words.pop_back();
    words.insert(words.begin(), "help");
    EXPECT_EQ(ghmesh(words).out, help.out);
    std::istringstream lines(help.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 114u) << line;
  }
}

TEST(Commands, WrongUsageIsTwoWithOneLine) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{{"bananas"},
                                                                                     {"get"},
                                                                                     {"get", "--nope", "/x"},
                                                                                     {"stats", "x"},
                                                                                     {"secret"},
                                                                                     {"completion", "tcsh"},
                                                                                     {"get", "/a b"},
                                                                                     {"get", "-H", "nocolon", "/x"},
                                                                                     {"get", "ftp://x/y"}}) {
    const Outcome outcome = ghmesh(words);
    EXPECT_EQ(outcome.status, kUsage) << words[0];
    EXPECT_THAT(outcome.err, MatchesRegex("ghmesh: [^\n]+\n")) << words[0];
    EXPECT_EQ(outcome.out, "");
  }
  EXPECT_EQ(ghmesh({}).status, kUsage);
  EXPECT_THAT(ghmesh({"stat"}).err, HasSubstr("did you mean ghmesh stats?"));
  EXPECT_THAT(ghmesh({"secret"}).err, HasSubstr("did you mean ghmesh secret new?"));
}

TEST(Commands, VersionIsOneLine) { EXPECT_THAT(ghmesh({"--version"}).out, MatchesRegex("ghmesh [0-9.]+\n")); }

TEST(Commands, NoNodeIsThree) {
  // Port 1 of the loopback: nobody listens there.
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"get", "--listen", "127.0.0.1:1", "/x"},
                                             {"explain", "--admin", "127.0.0.1:1", "/x"},
                                             {"stats", "--admin", "127.0.0.1:1"},
                                             {"quota", "--admin", "127.0.0.1:1"},
                                             {"purge", "--admin", "127.0.0.1:1", "*"}}) {
    const Outcome outcome = ghmesh(words);
    EXPECT_EQ(outcome.status, kNoNode) << words[0];
    EXPECT_THAT(outcome.err, MatchesRegex("ghmesh: " + words[0] + ": no node answers at 127.0.0.1:1 [^\n]+\n"));
  }
  EXPECT_EQ(ghmesh({"stats"}, {{"GHMESH_ADMIN", "off"}}).status, kNoNode);
  EXPECT_EQ(ghmesh({"stats", "--ready-file", "/nowhere/x"}).status, kFailed);
}

TEST(Commands, SecretsAreFreshAndLongEnough) {
  const Outcome one = ghmesh({"secret", "new"});
  EXPECT_THAT(one.out, MatchesRegex("[0-9a-f]+\n"));
  EXPECT_EQ(one.out.size(), 65u);
  EXPECT_NE(one.out, ghmesh({"secret", "new"}).out);
}

TEST(Commands, IdReadsAnIdentityFile) {
  const std::string path = testing::TempDir() + "/identity-" + std::to_string(::getpid());
  crypto::SecureRandom random;
  const libp2p::PrivateKey key = libp2p::PrivateKey::generate(random);
  const crypto::SecretBytes encoded = key.encode();
  std::ofstream(path, std::ios::binary) << as_text(encoded.expose());
  const std::string peer_id = libp2p::PeerId::from_key(key.public_key()).text();
  EXPECT_EQ(ghmesh({"id", "--identity", path}).out, peer_id + "\n");
  EXPECT_EQ(ghmesh({"id"}, {{"GHMESH_IDENTITY", path}}).out, peer_id + "\n");
  EXPECT_EQ(ghmesh({"id", "--json", "--identity", path}).out, "{\"peer_id\":\"" + peer_id + "\"}\n");
  std::ofstream(path, std::ios::binary) << "something else";
  EXPECT_THAT(ghmesh({"id", "--identity", path}).err, HasSubstr("is not an identity file"));
  std::filesystem::remove(path);
  EXPECT_EQ(ghmesh({"id", "--identity", path}).status, kFailed);
}

}  // namespace
}  // namespace ghmesh::cli
