// SPDX-License-Identifier: Apache-2.0
#include "mesh/registry/registry.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "libp2p/core/keys.hpp"

namespace ghmesh::mesh {
namespace {

namespace fs = std::filesystem;

const WallTime kNow = std::chrono::system_clock::now();

struct Peer {
  explicit Peer(std::uint64_t seed)
      : random(seed), key(libp2p::PrivateKey::generate(random)), id(libp2p::PeerId::from_key(key.public_key())) {}
  SeededRandom random;
  libp2p::PrivateKey key;
  libp2p::PeerId id;

  RegistryRecord record(std::string runner = "runner-1") const {
    return {.peer = id,
            .runner_name = std::move(runner),
            .addresses = {*multiformats::Multiaddr::parse("/ip4/10.0.0.5/tcp/9100"),
                          *multiformats::Multiaddr::parse("/dns4/node.example/tcp/9100")},
            .last_seen = {},
            .expires = {},
            .metadata = {{"version", "1"}}};
  }
};

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "ghmesh_registry_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern + "/p2p_peers";
  }
  void TearDown() override { fs::remove_all(fs::path(directory).parent_path()); }
  Registry open(std::uint8_t secret = 1, RegistryLimits limits = {}) {
    auto registry = Registry::open(directory, MeshKeys::derive(Bytes(32, secret)), limits);
    EXPECT_TRUE(registry) << (registry ? "" : registry.error().message);
    return std::move(*registry);
  }
  static void age(const std::string& path, Duration by) {
    fs::last_write_time(
        path, fs::file_time_type::clock::now() - std::chrono::duration_cast<fs::file_time_type::duration>(by));
  }
  std::string path_of(const Peer& peer) const { return directory + "/" + Registry::file_name(peer.id); }
  std::string directory;
};

// The old system's six subjects.
TEST_F(RegistryTest, Initialisation) {
  open();
  EXPECT_TRUE(fs::is_directory(directory));
  EXPECT_EQ(open().heartbeat(), 10min);
}

TEST_F(RegistryTest, RegistrationKeepsTheOldFields) {
  const Peer a(1);
  ASSERT_TRUE(open().publish(a.key, a.record(), kNow));
  std::ifstream in(path_of(a));
  std::stringstream text;
  text << in.rdbuf();
  for (const char* field :
       {"\"peer_id\"", "\"runner_name\"", "\"public_ip\": \"10.0.0.5\"", "\"listen_port\": 9100", "\"multiaddr\"",
        "\"last_seen\"", "+00:00", "\"metadata\"", "\"multiaddrs\"", "\"expires\"", "\"mesh_id\"", "\"signature\""})
    EXPECT_NE(text.str().find(field), std::string::npos) << field;
  EXPECT_EQ(std::distance(fs::directory_iterator(directory), {}), 1) << "no temporary file stays";
}

TEST_F(RegistryTest, DiscoveryFindsTheOthersAndNotItself) {
  const Peer a(1), b(2);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(a.key, a.record("a"), kNow));
  ASSERT_TRUE(registry.publish(b.key, b.record("b"), kNow));
  const auto found = registry.discover(a.id, kNow);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->records.size(), 1u);
  EXPECT_EQ(found->records[0].peer, b.id);
  EXPECT_EQ(found->records[0].runner_name, "b");
  EXPECT_EQ(found->records[0].metadata.at("version"), "1");
  ASSERT_TRUE(registry.withdraw(b.id));
  EXPECT_TRUE(registry.discover(a.id, kNow)->records.empty());
}

TEST_F(RegistryTest, AddressesComeBackAsTheyWent) {
  const Peer a(1), b(2);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(a.key, a.record(), kNow));
  EXPECT_EQ(registry.discover(b.id, kNow)->records[0].addresses, a.record().addresses);
}

TEST_F(RegistryTest, StaleRecordsAreNotFoundAndCleaned) {
  const Peer a(1), b(2);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(a.key, a.record(), kNow - std::chrono::hours(2)));
  EXPECT_EQ(registry.discover(b.id, kNow)->stale, 1u);
  EXPECT_EQ(registry.clean(kNow), 0u) << "the file is young, whatever it says";
  age(path_of(a), std::chrono::hours(2));
  EXPECT_EQ(registry.clean(kNow), 1u);
  EXPECT_FALSE(fs::exists(path_of(a)));
}

TEST_F(RegistryTest, AHeartbeatKeepsARecord) {
  const Peer a(1), b(2);
  const Registry registry = open();
  for (int i = 0; i < 10; ++i)
    ASSERT_TRUE(registry.publish(a.key, a.record(), kNow + i * registry.heartbeat() / 1ns * 1ns));
  EXPECT_EQ(registry.discover(b.id, kNow + 95min)->records.size(), 1u);
}

// And beyond.
TEST_F(RegistryTest, TwoProcessesOfOneRunnerNameAreTwoPeers) {
  const Peer a(1), b(2), c(3);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(a.key, a.record("same"), kNow));
  ASSERT_TRUE(registry.publish(b.key, b.record("same"), kNow));
  EXPECT_EQ(registry.discover(c.id, kNow)->records.size(), 2u);
}

TEST_F(RegistryTest, ARunnerNameNeverBecomesAPath) {
  const Peer a(1), b(2);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(a.key, a.record("../../etc/\x1b[31m\npasswd"), kNow));
  EXPECT_TRUE(fs::exists(path_of(a)));
  EXPECT_EQ(registry.discover(b.id, kNow)->records[0].runner_name, "../../etc/_[31m_passwd");
}

TEST_F(RegistryTest, AnUnwritableDirectorySaysSoAndStillReads) {
  const Peer a(1), b(2);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(a.key, a.record(), kNow));
  fs::remove_all(directory + "_gone");
  if (::geteuid() != 0) {
    fs::permissions(directory, fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_FALSE(registry.publish(b.key, b.record(), kNow));
    EXPECT_EQ(registry.discover(b.id, kNow)->records.size(), 1u);
    fs::permissions(directory, fs::perms::owner_all);
  }
  // Also for root: the directory is gone, or is a file.
  fs::remove_all(directory);
  EXPECT_FALSE(registry.publish(b.key, b.record(), kNow));
  EXPECT_FALSE(registry.discover(b.id, kNow));
  std::ofstream(directory) << "a file";
  EXPECT_FALSE(Registry::open(directory, MeshKeys::derive(Bytes(32, 1))));
}

TEST_F(RegistryTest, ClocksTenMinutesApartFindEachOther) {
  const Peer ahead(1), behind(2), far(3), here(4);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(ahead.key, ahead.record(), kNow + 10min));
  ASSERT_TRUE(
      registry.publish(behind.key, behind.record(), kNow - 40min));  // ten minutes of clock behind its half hour
  ASSERT_TRUE(registry.publish(far.key, far.record(), kNow + 24h));
  const auto found = registry.discover(here.id, kNow);
  EXPECT_EQ(found->records.size(), 2u);
  EXPECT_EQ(found->stale, 1u) << "nobody lives in tomorrow";
}

TEST_F(RegistryTest, AThousandStaleFilesAreSkippedAndCleaned) {
  const Peer a(1), b(2);
  const Registry registry = open();
  for (int i = 0; i < 1000; ++i) {
    const std::string name = directory + "/peer_old" + std::to_string(i) + ".json";
    std::ofstream(name) << "{\"peer_id\": \"x\"}";
    age(name, std::chrono::hours(3));
  }
  ASSERT_TRUE(registry.publish(a.key, a.record(), kNow));
  const auto found = registry.discover(b.id, kNow);
  ASSERT_EQ(found->records.size(), 1u) << "the newest files come first";
  EXPECT_GT(found->foreign, 400u);
  EXPECT_EQ(registry.clean(kNow), 1000u);
  EXPECT_EQ(registry.discover(b.id, kNow)->foreign, 0u);
  EXPECT_EQ(registry.discover(b.id, kNow)->records.size(), 1u);
}

TEST_F(RegistryTest, HostileFilesAreCountedAndHarmless) {
  const Peer a(1), b(2), here(3);
  const Registry registry = open(), other_mesh = open(2);
  ASSERT_TRUE(registry.publish(a.key, a.record(), kNow));
  std::ifstream in(path_of(a));
  std::stringstream good;
  good << in.rdbuf();
  // A record under another peer's name, a changed one, a giant, a deep one, a link, a pipe, a directory.
  std::ofstream(directory + "/" + Registry::file_name(b.id)) << good.str();
  std::ofstream(directory + "/peer_giant.json") << std::string(1 << 20, ' ');
  std::ofstream(directory + "/peer_deep.json") << std::string(15000, '[');
  fs::create_symlink("/etc/passwd", directory + "/peer_link.json");
  ASSERT_EQ(::mkfifo((directory + "/peer_pipe.json").c_str(), 0644), 0);
  fs::create_directory(directory + "/peer_directory.json");
  ASSERT_TRUE(other_mesh.publish(here.key, here.record(), kNow));
  const Peer asking(9);
  const auto found = registry.discover(asking.id, kNow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->records.size(), 1u);
  EXPECT_EQ(found->hostile, 5u);
  EXPECT_EQ(found->foreign, 2u);
  // Signed by the right key and with the right public name of the mesh, but without the secret.
  std::string forged = good.str();
  forged.replace(forged.find("\"signature\": \"") + 40, 4, "AAAA");
  std::ofstream(path_of(a), std::ios::trunc) << forged;
  EXPECT_TRUE(registry.discover(asking.id, kNow)->records.empty());
}

TEST_F(RegistryTest, RenewingAndCleaningAtOnceLosesNoRecord) {
  const Peer a(1), here(2);
  const Registry registry = open();
  ASSERT_TRUE(registry.publish(a.key, a.record(), kNow));
  for (int i = 0; i < 100; ++i) {
    age(path_of(a), std::chrono::hours(5));
    std::thread cleaner([&] { static_cast<void>(registry.clean(std::chrono::system_clock::now())); });
    const auto renewed = registry.publish(a.key, a.record(), std::chrono::system_clock::now());
    cleaner.join();
    ASSERT_TRUE(renewed);
    ASSERT_EQ(registry.discover(here.id, std::chrono::system_clock::now())->records.size(), 1u) << i;
  }
}

TEST_F(RegistryTest, OneCleanerAtATime) {
  const Registry registry = open();
  std::ofstream(directory + "/.cleaning") << "";
  EXPECT_FALSE(registry.clean(kNow));
  age(directory + "/.cleaning", 5min);
  EXPECT_TRUE(registry.clean(std::chrono::system_clock::now())) << "a dead cleaner's lease is taken over";
}

}  // namespace
}  // namespace ghmesh::mesh
