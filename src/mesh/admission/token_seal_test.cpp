// SPDX-License-Identifier: Apache-2.0
#include "mesh/admission/token_seal.hpp"

#include <gtest/gtest.h>

namespace ghmesh::mesh {
namespace {

const crypto::SecretKey32 kMesh(std::array<std::uint8_t, 32>{1}), kOtherMesh(std::array<std::uint8_t, 32>{2});

TEST(TokenSeal, OneTokenOneTagPerMesh) {
  const TokenSealer a(kMesh, as_bytes("token a")), again(kMesh, as_bytes("token a"));
  EXPECT_EQ(a.tag(), again.tag());
  EXPECT_NE(a.tag(), TokenSealer(kMesh, as_bytes("token b")).tag());
  EXPECT_NE(a.tag(), TokenSealer(kOtherMesh, as_bytes("token a")).tag()) << "two meshes could be linked";
  EXPECT_EQ(TokenSealer(kMesh, {}).tag(), TokenTag{});
}

TEST(TokenSeal, OneRepositoryOneTagPerMeshAndOrigin) {
  const TokenTag tag = repository_tag(kMesh, "api.github.com", "octo-org/repo");
  EXPECT_EQ(tag, repository_tag(kMesh, "API.github.com", "Octo-Org/Repo"));
  EXPECT_NE(tag, repository_tag(kMesh, "api.github.com", "octo-org/repo-2"));
  EXPECT_NE(tag, repository_tag(kMesh, "ghes.example", "octo-org/repo"));
  EXPECT_NE(tag, repository_tag(kOtherMesh, "api.github.com", "octo-org/repo")) << "two meshes could be linked";
  EXPECT_NE(tag, TokenSealer(kMesh, as_bytes("api.github.com/octo-org/repo")).tag()) << "a token by that name";
}

TEST(TokenSeal, OnlyHoldersOfTheTokenMakeIt) {
  const TokenSealer a(kMesh, as_bytes("token a")), b(kMesh, as_bytes("token b"));
  const LookupKey key{1};
  const Version version = version_of(as_bytes("head"), as_bytes("body"));
  const AnswerSeal seal = a.seal(key, version, 1000, 60000);
  EXPECT_TRUE(a.verify(key, version, 1000, 60000, seal));
  EXPECT_FALSE(b.verify(key, version, 1000, 60000, seal));
  EXPECT_FALSE(a.verify(LookupKey{2}, version, 1000, 60000, seal));
  EXPECT_FALSE(a.verify(key, version_of(as_bytes("head"), as_bytes("bodY")), 1000, 60000, seal));
  EXPECT_FALSE(a.verify(key, version, 1001, 60000, seal)) << "an old answer made young";
  EXPECT_FALSE(a.verify(key, version, 1000, 60001, seal)) << "a longer life";
}

TEST(TokenSeal, TheBorderOfMetadataAndBodyIsPartOfTheVersion) {
  EXPECT_NE(version_of(as_bytes("ab"), as_bytes("c")), version_of(as_bytes("a"), as_bytes("bc")));
}

}  // namespace
}  // namespace ghmesh::mesh
