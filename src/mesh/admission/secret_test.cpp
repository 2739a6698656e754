// SPDX-License-Identifier: Apache-2.0
#include "mesh/admission/secret.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "crypto/random.hpp"

namespace ghmesh::mesh {
namespace {

using Environment = std::map<std::string, std::string, std::less<>>;

Result<std::variant<SecretFound, NoMesh>> find(const Environment& variables, const std::string& file = {}) {
  return find_secret({.file = file, .environment = [&](std::string_view name) -> std::optional<std::string> {
                        const auto it = variables.find(name);
                        if (it == variables.end()) return std::nullopt;
                        return it->second;
                      }});
}

const std::string kHexA = "8f1d3c0b7a59e2646b0fd1943ce87a25b16e90d4c73f285a41ed96b70c8a3f52";
const std::string kHexB = "0c42b97e6f1a83d5502e9bc417a6d83f9de071346cb258fa1b75ce0394d82a6f";
const std::string kToken = "ghp_q3Zk81LxPvT0mYwR7uJcA2dEf5GhB9nSoi4K";

SecretFound found(Result<std::variant<SecretFound, NoMesh>> result) {
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
  EXPECT_TRUE(std::holds_alternative<SecretFound>(*result));
  return std::get<SecretFound>(std::move(*result));
}

TEST(Secret, HexAndBase64OfOneSecretAreOneMesh) {
  const auto a = MeshKeys::derive(parse_secret(kHexA)->expose());
  std::string upper = kHexA;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_EQ(a.id, MeshKeys::derive(parse_secret(upper)->expose()).id);
  EXPECT_EQ(a.id, MeshKeys::derive(parse_secret(to_base64(*from_hex(kHexA)))->expose()).id);
  EXPECT_EQ(a.id, MeshKeys::derive(parse_secret(to_base64url(*from_hex(kHexA)))->expose()).id);
  EXPECT_NE(a.id, MeshKeys::derive(parse_secret(kHexB)->expose()).id);
}

TEST(Secret, PurposesNeverShareAKey) {
  const auto keys = MeshKeys::derive(*from_hex(kHexA));
  const std::set<std::array<std::uint8_t, 32>> all{keys.lookup.expose(), keys.membership.expose(),
                                                   keys.envelope.expose(), keys.at_rest.expose(),
                                                   keys.registry.expose()};
  EXPECT_EQ(all.size(), 5u);
  for (const auto& key : all) EXPECT_FALSE(equal(ByteView(key).first(16), keys.id));
  EXPECT_EQ(keys.clone().lookup.expose(), keys.lookup.expose());
}

TEST(Secret, WhatCanBeGuessedIsRefusedWithTheFix) {
  for (const std::string text :
       {"hunter2", "correct horse battery staple", "CorrectHorseBatteryStaple2024", "correcthorsebatterystaplexx",
        "password12345678", "00000000000000000000000000000000", "deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
        "0123456789abcdef", "MySuperSecretPassword2024", "abc", "8f1d3c0b7a59e264"}) {
    const auto secret = parse_secret(text);
    ASSERT_FALSE(secret) << text;
    EXPECT_EQ(secret.error().code, ErrorCode::Refused) << text;
    EXPECT_NE(secret.error().message.find("ghmesh secret new"), std::string::npos);
    EXPECT_EQ(secret.error().message.find(text), std::string::npos) << "the secret itself is in the message";
  }
  EXPECT_EQ(parse_secret(std::string(300, 'a')).error().code, ErrorCode::Limit);
}

TEST(Secret, EverySecretThatIsMadeIsAccepted) {
  SeededRandom random(7);
  for (int i = 0; i < 2000; ++i) {
    const auto text = make_secret(random);
    EXPECT_EQ(text.expose().size(), 64u);
    const auto hex = parse_secret(text.expose());
    ASSERT_TRUE(hex) << hex.error().message;
    ASSERT_TRUE(parse_secret(to_base64(hex->expose()))) << to_base64(hex->expose());
  }
}

TEST(Secret, TheOrderOfSources) {
  Environment all{{"GHMESH_SECRET", kHexA}, {"CACHE_P2P_SHARED_SECRET", kHexB}, {"GH_TOKEN", kToken}};
  const std::string path = testing::TempDir() + "ghmesh_secret_test";
  std::ofstream(path) << kHexB << "\n" << kHexA << "\n";
  const auto from_file = found(find(all, path));
  EXPECT_EQ(from_file.source, SecretSource::File);
  EXPECT_EQ(from_file.keys.current.id, MeshKeys::derive(*from_hex(kHexB)).id);
  ASSERT_TRUE(from_file.keys.also_accept);
  EXPECT_EQ(from_file.keys.also_accept->id, MeshKeys::derive(*from_hex(kHexA)).id);
  std::remove(path.c_str());

  EXPECT_EQ(found(find(all)).source, SecretSource::Ghmesh);
  all["GHMESH_SECRET"] = "";  // how a CI system passes a secret that does not exist
  EXPECT_EQ(found(find(all)).source, SecretSource::CacheP2p);
  all.erase("CACHE_P2P_SHARED_SECRET");
  const auto from_token = found(find(all));
  EXPECT_EQ(from_token.source, SecretSource::Token);
  EXPECT_EQ(found(find({{"GITHUB_TOKEN", kToken}})).keys.current.id, from_token.keys.current.id);
}

TEST(Secret, A9_ATokenOfOneJobMakesNoMeshAndSaysWhy) {
  const auto result = find({{"GITHUB_TOKEN", "ghs_16C7e42F292c6912E7710c838347Ae178B4a"}});
  ASSERT_TRUE(result);
  ASSERT_TRUE(std::holds_alternative<NoMesh>(*result));
  const std::string& reason = std::get<NoMesh>(*result).reason;
  EXPECT_NE(reason.find("GHMESH_SECRET"), std::string::npos);
  EXPECT_NE(reason.find("local cache"), std::string::npos);
  EXPECT_EQ(reason.find("16C7e42F"), std::string::npos);
}

TEST(Secret, NothingSetIsNoMesh) {
  const auto result = find({});
  ASSERT_TRUE(result);
  EXPECT_TRUE(std::holds_alternative<NoMesh>(*result));
}

TEST(Secret, WhatIsAskedForButBrokenFails) {
  EXPECT_FALSE(find({{"GHMESH_SECRET", "hunter2"}, {"GH_TOKEN", kToken}}));
  EXPECT_FALSE(find({{"GHMESH_SECRET", kHexA + "," + kHexB + "," + kHexA}}));
  EXPECT_FALSE(find({{"GHMESH_SECRET", kHexA}}, "/nonexistent/secret"));
  EXPECT_FALSE(find({{"GH_TOKEN", "aaaa"}}));
  const std::string path = testing::TempDir() + "ghmesh_secret_big";
  std::ofstream(path) << std::string(5000, 'a');
  EXPECT_EQ(find({}, path).error().code, ErrorCode::Limit);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace ghmesh::mesh
