// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/command.hpp"
#include "crypto/random.hpp"
#include "libp2p/core/keys.hpp"
#include "libp2p/core/peer_id.hpp"

namespace ghmesh::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

struct Outcome {
  int status = 0;
  std::string out, err;
};

// Two machines that share a directory.
struct RegistryCommands : testing::Test {
  void SetUp() override {
    std::string pattern = testing::TempDir() + "ghmesh_register_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override { fs::remove_all(directory); }
  std::string peer(const std::string& machine) {
    fs::create_directories(directory + "/" + machine);
    const auto key = libp2p::PrivateKey::generate(random);
    std::ofstream(directory + "/" + machine + "/identity.key") << as_text(key.encode().expose());
    return libp2p::PeerId::from_key(key.public_key()).text();
  }
  Outcome on(const std::string& machine, std::vector<std::string> words, std::string secret = std::string(64, 'a')) {
    for (std::size_t i = 4; i < 64 && secret.size() == 64; i += 4) secret[i] = static_cast<char>('0' + i / 4 % 10);
    std::map<std::string, std::string, std::less<>> variables{{"CACHE_DIR", directory + "/" + machine},
                                                              {"GHMESH_REGISTRY", directory + "/shared"},
                                                              {"RUNNER_NAME", "runner of " + machine}};
    if (!secret.empty()) variables.emplace("GHMESH_SECRET", secret);
    std::ostringstream out, err;
    Context context{node::config::Variables(std::move(variables)), out, err};
    const int status = run(words, context);
    return {status, out.str(), err.str()};
  }
  crypto::SecureRandom random;
  std::string directory;
};

TEST_F(RegistryCommands, WhatOneMachineRegistersTheOtherDiscovers) {
  const std::string a = peer("a"), b = peer("b");
  const Outcome registered = on("a", {"register", a, "9100", "192.0.2.7"});
  ASSERT_EQ(registered.status, kDone) << registered.err;
  EXPECT_EQ(registered.out, directory + "/shared/peer_" + a + ".json\n");
  EXPECT_EQ(on("b", {"discover"}).out, "/ip4/192.0.2.7/tcp/9100/p2p/" + a + "\n");
  EXPECT_EQ(on("a", {"discover"}).out, "") << "a machine does not discover itself";

  ASSERT_EQ(on("b", {"register", b, "9000", "node.example"}).status, kDone);
  EXPECT_EQ(on("a", {"discover"}).out, "/dns/node.example/tcp/9000/p2p/" + b + "\n");
  const auto records = nlohmann::json::parse(on("b", {"discover", "--json", "1"}).out);
  ASSERT_EQ(records.size(), 1u);
  for (const char* field : {"peer_id", "runner_name", "public_ip", "listen_port", "multiaddr", "last_seen", "metadata"})
    EXPECT_TRUE(records[0].contains(field)) << field;
  EXPECT_EQ(records[0]["runner_name"], "runner of a");
  EXPECT_EQ(records[0]["listen_port"], 9100);
}

TEST_F(RegistryCommands, NobodyThereIsAnEmptyAnswer) {
  EXPECT_EQ(on("a", {"discover"}).status, kDone);
  EXPECT_EQ(on("a", {"discover", "--json"}).out, "[]\n");
}

TEST_F(RegistryCommands, AForgedRecordIsPassedOverAndSaid) {
  const std::string a = peer("a");
  ASSERT_EQ(on("a", {"register", a, "9100", "192.0.2.7"}).status, kDone);
  const std::string file = directory + "/shared/peer_" + a + ".json";
  std::ifstream in(file);
  nlohmann::json record = nlohmann::json::parse(in);
  std::string envelope = record["signature"];
  envelope[envelope.size() / 2] ^= 1;
  record["signature"] = envelope;
  std::ofstream(file) << record;
  const Outcome found = on("b", {"discover"});
  EXPECT_EQ(found.status, kDone);
  EXPECT_EQ(found.out, "");
  EXPECT_THAT(found.err, HasSubstr("1 broken or forged"));
}

TEST_F(RegistryCommands, MistakesAreNamed) {
  const std::string a = peer("a"), b = peer("b");
  EXPECT_THAT(on("a", {"register", "nobody", "1", "192.0.2.7"}).err, HasSubstr("PEER_ID"));
  EXPECT_THAT(on("a", {"register", a, "0", "192.0.2.7"}).err, HasSubstr("PORT"));
  EXPECT_THAT(on("a", {"register", a, "9100", "a/b"}).err, HasSubstr("IP"));
  EXPECT_THAT(on("a", {"register", b, "9100", "192.0.2.7"}).err, HasSubstr("only a peer signs its own record"));
  EXPECT_THAT(on("a", {"discover", "0"}).err, HasSubstr("MAX"));
  EXPECT_THAT(on("a", {"discover"}, "").err, HasSubstr("GHMESH_SECRET"));
  EXPECT_EQ(on("a", {"discover"}, "").status, kFailed);
  EXPECT_EQ(on("a", {"discover"}, "password").status, kFailed) << "a weak secret is refused, not used";
  fs::remove(directory + "/a/identity.key");
  EXPECT_THAT(on("a", {"register", a, "9100", "192.0.2.7"}).err, HasSubstr("identity.key"));
}

}  // namespace
}  // namespace ghmesh::cli
