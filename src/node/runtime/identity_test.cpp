// SPDX-License-Identifier: Apache-2.0
#include "node/runtime/identity.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crypto/random.hpp"
#include "libp2p/core/peer_id.hpp"

namespace ghmesh::node {
namespace {

struct Identity : ::testing::Test {
  Identity() {
    std::string name = std::filesystem::temp_directory_path() / "ghmesh-identity-XXXXXX";
    directory = ::mkdtemp(name.data());
    path = directory + "/identity.key";
  }
  ~Identity() override { std::filesystem::remove_all(directory); }

  crypto::SecureRandom random;
  std::string directory;
  std::string path;
};

std::string id_of(const libp2p::PrivateKey& key) { return libp2p::PeerId::from_key(key.public_key()).text(); }

TEST_F(Identity, IsMadeOnceAndReadAgain) {
  const auto first = load_identity(path, random);
  ASSERT_TRUE(first) << first.error().message;
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto second = load_identity(path, random);
  ASSERT_TRUE(second);
  EXPECT_EQ(id_of(*first), id_of(*second));
  // Nothing else is left behind.
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
}

TEST_F(Identity, WithoutAFileLastsForTheRun) {
  const auto one = load_identity(std::nullopt, random);
  const auto two = load_identity(std::nullopt, random);
  ASSERT_TRUE(one && two);
  EXPECT_NE(id_of(*one), id_of(*two));
}

TEST_F(Identity, AFileThatOthersMayReadIsRefused) {
  ASSERT_TRUE(load_identity(path, random));
  ::chmod(path.c_str(), 0644);
  const auto read = load_identity(path, random);
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message.find("chmod 600"), std::string::npos) << read.error().message;
}

TEST_F(Identity, AnythingElseIsNotOverwritten) {
  std::ofstream(path) << "not a key";
  ::chmod(path.c_str(), 0600);
  EXPECT_FALSE(load_identity(path, random));
  EXPECT_EQ(std::filesystem::file_size(path), 9u);
  std::filesystem::remove(path);
  ASSERT_EQ(::symlink("/etc/hostname", path.c_str()), 0);
  EXPECT_FALSE(load_identity(path, random));
  EXPECT_FALSE(load_identity(directory + "/no/such/folder/identity.key", random));
}

}  // namespace
}  // namespace ghmesh::node
