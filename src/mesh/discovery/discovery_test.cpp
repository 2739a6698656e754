// SPDX-License-Identifier: Apache-2.0
#include "mesh/discovery/discovery.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "crypto/random.hpp"
#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"
#include "io/sockets.hpp"
#include "libp2p/mdns/discovery.hpp"

namespace ghmesh::mesh {
namespace {

using libp2p::PeerId;
using multiformats::Multiaddr;
namespace fs = std::filesystem;

// In virtual time: names and static contacts. Everybody who is connected counts as a member.
struct Virtual {
  struct Node {
    crypto::SecureRandom random;
    std::unique_ptr<io::Network> network;
    std::unique_ptr<libp2p::Host> host;
    std::unique_ptr<Discovery> discovery;
    bool connected_to(const Node& other) const { return host->swarm().connection(other.host->id()) != nullptr; }
  };
  Node& add(std::uint8_t n, std::vector<std::string> bootstrap, libp2p::PrivateKey* key = nullptr) {
    Node& node = *nodes.emplace_back(std::make_unique<Node>());
    node.network = net.host(io::IpAddress::v4(10, 0, 0, n));
    node.host = std::make_unique<libp2p::Host>(
        *node.network, node.random,
        libp2p::HostOptions{.key = key != nullptr ? key->clone() : libp2p::PrivateKey::generate(node.random)});
    EXPECT_TRUE(node.host->swarm().listen(*Multiaddr::parse("/ip4/10.0.0." + std::to_string(n) + "/tcp/9100")));
    DiscoveryOptions options;
    for (const std::string& each : bootstrap) options.bootstrap.push_back(*Multiaddr::parse(each));
    options.is_member = [&node](const PeerId& peer) { return node.host->swarm().connection(peer) != nullptr; };
    node.discovery = std::make_unique<Discovery>(*node.host, node.random, *node.network, pool, std::move(options));
    node.discovery->start();
    return node;
  }
  io::ManualLoop loop;
  io::WorkPool pool{1, "test"};
  io::MemoryNetwork net{loop};
  std::vector<std::unique_ptr<Node>> nodes;
};

TEST(Discovery, AStaticContactThatComesLaterIsFound) {
  Virtual world;
  auto& first = world.add(1, {"/ip4/10.0.0.2/tcp/9100"});
  world.loop.advance(10s);
  EXPECT_GT(first.discovery->stats().failed_dials, 1u);
  ASSERT_EQ(first.discovery->contacts().size(), 1u);
  EXPECT_FALSE(first.discovery->contacts()[0].error.empty());
  auto& second = world.add(2, {});
  world.loop.advance(31s);
  EXPECT_TRUE(first.connected_to(second));
}

TEST(Discovery, ItIsSettledOnceWhoWasHeardOfIsMetOrCannotBeHad) {
  Virtual world;
  world.net.set_latency([](const auto&, const auto&) { return 5ms; });
  auto& nobody = world.add(1, {});
  auto& hopeful = world.add(2, {"/ip4/10.0.0.9/tcp/9100"});
  auto& lucky = world.add(3, {"/ip4/10.0.0.1/tcp/9100"});
  EXPECT_FALSE(hopeful.discovery->settled());
  EXPECT_FALSE(lucky.discovery->settled());
  world.loop.advance(1ms);
  EXPECT_TRUE(nobody.discovery->settled()) << "nothing to wait for";
  EXPECT_FALSE(lucky.discovery->settled());
  ASSERT_TRUE(world.loop.run_until([&] { return lucky.discovery->settled(); }, 1s));
  EXPECT_TRUE(lucky.connected_to(nobody));
  ASSERT_TRUE(world.loop.run_until([&] { return hopeful.discovery->settled(); }, 10s));
  EXPECT_GT(hopeful.discovery->stats().failed_dials, 0u);
}

TEST(Discovery, APeerThatComesBackIsFoundAgain) {
  Virtual world;
  crypto::SecureRandom random;
  libp2p::PrivateKey key = libp2p::PrivateKey::generate(random);
  auto& first = world.add(1, {"/ip4/10.0.0.2/tcp/9100"});
  world.add(2, {}, &key);
  world.loop.advance(2s);
  EXPECT_TRUE(first.connected_to(*world.nodes[1]));
  world.net.kill(io::IpAddress::v4(10, 0, 0, 2));
  world.nodes.pop_back();
  world.loop.advance(60s);
  world.add(2, {}, &key);
  world.loop.advance(31s);
  EXPECT_TRUE(first.connected_to(*world.nodes[1]));
}

TEST(Discovery, AHeadlessServiceIsFoundWhateverItsPodsAreNow) {
  Virtual world;
  const auto pods = [&](std::vector<std::uint8_t> hosts) {
    std::vector<io::IpAddress> addresses;
    for (const std::uint8_t host : hosts) addresses.push_back(io::IpAddress::v4(10, 0, 0, host));
    world.net.set_name("ghmesh.ci.svc", addresses);
  };
  pods({1});  // itself only, as for the first pod of a service
  auto& first = world.add(1, {"/dns4/ghmesh.ci.svc/tcp/9100"});
  world.loop.advance(5s);
  EXPECT_EQ(first.discovery->stats().dials, 0u) << "it does not dial itself";
  auto& second = world.add(2, {});
  auto& third = world.add(3, {});
  pods({1, 2, 3});
  world.loop.advance(16s);
  EXPECT_TRUE(first.connected_to(second));
  EXPECT_TRUE(first.connected_to(third));
}

TEST(Discovery, ALiarAtAnAddressIsNotBelieved) {
  Virtual world;
  crypto::SecureRandom random;
  const PeerId absent = PeerId::from_key(libp2p::PrivateKey::generate(random).public_key());
  auto& first = world.add(1, {"/ip4/10.0.0.2/tcp/9100/p2p/" + absent.text()});
  auto& second = world.add(2, {});
  world.loop.advance(20s);
  EXPECT_FALSE(first.connected_to(second)) << "it is not the peer that was named";
  EXPECT_GT(first.discovery->contacts()[0].failures, 2u);
}

// On the machine's sockets: directory and multicast need them.
struct Real : testing::Test {
  struct Node {
    crypto::SecureRandom random;
    std::unique_ptr<libp2p::Host> host;
    std::unique_ptr<Discovery> discovery;
    bool connected_to(const Node& other) const { return host->swarm().connection(other.host->id()) != nullptr; }
  };
  void SetUp() override {
    std::string pattern = testing::TempDir() + "ghmesh_discovery_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override {
    nodes.clear();
    fs::remove_all(directory);
  }
  std::shared_ptr<const Registry> registry(std::uint8_t secret = 1, RegistryLimits limits = {}) {
    auto opened = Registry::open(directory + "/peers", MeshKeys::derive(Bytes(32, secret)), limits);
    EXPECT_TRUE(opened);
    return std::make_shared<const Registry>(std::move(*opened));
  }
  Node& add(DiscoveryOptions options) {
    Node& node = *nodes.emplace_back(std::make_unique<Node>());
    node.host = std::make_unique<libp2p::Host>(network, node.random,
                                               libp2p::HostOptions{.key = libp2p::PrivateKey::generate(node.random)});
    EXPECT_TRUE(node.host->swarm().listen(*Multiaddr::parse("/ip4/127.0.0.1/tcp/0")));
    options.is_member = [&node](const PeerId& peer) { return node.host->swarm().connection(peer) != nullptr; };
    options.runner_name = "runner-1";
    node.discovery = std::make_unique<Discovery>(*node.host, node.random, network, pool, std::move(options));
    node.discovery->start();
    return node;
  }
  std::string file_of(const Node& node) const { return directory + "/peers/" + Registry::file_name(node.host->id()); }
  bool wait(const std::function<bool()>& done) { return loop.run_until(done, 30s); }

  io::EpollLoop loop;
  io::WorkPool pool{2, "test"};
  io::SocketNetwork network{loop, pool};
  std::string directory;
  std::vector<std::unique_ptr<Node>> nodes;
};

TEST_F(Real, TwoProcessesThatShareADirectoryMeet) {
  auto& first = add({.registry = registry()});
  auto& second = add({.registry = registry()});
  EXPECT_TRUE(wait([&] { return first.connected_to(second) && second.connected_to(first); }));
  EXPECT_TRUE(wait([&] { return first.discovery->stats().registered && second.discovery->stats().registered; }));
  EXPECT_TRUE(fs::exists(file_of(first)) && fs::exists(file_of(second))) << "one runner name, two files";
}

TEST_F(Real, LeavingTakesTheRecordAlong) {
  auto& node = add({.registry = registry()});
  ASSERT_TRUE(wait([&] { return node.discovery->stats().registered; }));
  bool left = false;
  io::TaskGroup tasks(loop);
  tasks.spawn([](Discovery& discovery, bool& done) -> io::Task<void> {
    co_await discovery.leave();
    done = true;
  }(*node.discovery, left));
  EXPECT_TRUE(wait([&] { return left; }));
  EXPECT_FALSE(fs::exists(file_of(node)));
}

TEST_F(Real, HeartbeatsRenewTheRecordAndTheDeadAreCleanedAway) {
  const RegistryLimits quick{.ttl = 1500ms, .clock_skew = 100ms};
  auto& node = add({.registry = registry(1, quick)});
  ASSERT_TRUE(wait([&] { return node.discovery->stats().registered; }));
  const auto written = fs::last_write_time(file_of(node));
  // A record of somebody who was killed.
  const std::string dead = directory + "/peers/peer_dead.json";
  std::ofstream(dead) << "{}";
  fs::last_write_time(dead, fs::file_time_type::clock::now() - 1h);
  EXPECT_TRUE(wait([&] { return fs::last_write_time(file_of(node)) > written && !fs::exists(dead); }));
  EXPECT_TRUE(wait([&] { return node.discovery->stats().registry_cleaned == 1; }));
}

TEST_F(Real, AnotherMeshsRecordsAreNotContacts) {
  auto& ours = add({.registry = registry(1)});
  auto& theirs = add({.registry = registry(2)});
  EXPECT_TRUE(wait([&] {
    return ours.discovery->stats().registry_foreign == 1 && theirs.discovery->stats().registry_foreign == 1;
  }));
  EXPECT_EQ(ours.discovery->stats().heard, 0u);
  EXPECT_FALSE(ours.connected_to(theirs));
}

TEST_F(Real, ARotationIsReadUnderBothSecretsAndPublishedUnderTheNewOne) {
  auto& rotated = add({.registry = registry(1), .also_read = registry(2)});
  auto& already = add({.registry = registry(2)});
  EXPECT_TRUE(wait([&] { return rotated.connected_to(already); }));
  EXPECT_EQ(rotated.discovery->stats().registry_foreign, 0u);
  rotated.discovery->set_registry(registry(2), registry(1));
  EXPECT_TRUE(wait([&] {
    const auto found = registry(2)->discover(already.host->id(), loop.wall_now());
    return found && found->records.size() == 1;
  }));
}

TEST_F(Real, ADirectoryThatCannotBeWrittenIsSaidAndStillRead) {
  if (::geteuid() == 0) {
    // Root writes anywhere; a file in the place of the directory is what stops it.
    auto opened = Registry::open("/proc/self", MeshKeys::derive(Bytes(32, 1)));
    ASSERT_TRUE(opened);
    auto& node = add({.registry = std::make_shared<const Registry>(std::move(*opened))});
    EXPECT_TRUE(wait([&] { return node.discovery->stats().registry_error.has_value(); }));
    EXPECT_FALSE(node.discovery->stats().registered);
    return;
  }
  auto& other = add({.registry = registry()});
  ASSERT_TRUE(wait([&] { return other.discovery->stats().registered; }));
  ::chmod((directory + "/peers").c_str(), 0500);
  auto& node = add({.registry = registry()});
  EXPECT_TRUE(wait([&] { return node.connected_to(other) && node.discovery->stats().registry_error.has_value(); }));
  ::chmod((directory + "/peers").c_str(), 0700);
}

TEST_F(Real, NeighboursOnTheNetworkAreHeardByMulticast) {
  // A port of this test's own: whoever else is on the machine's mDNS port is none of its business.
  const auto port = static_cast<std::uint16_t>(20000 + ::getpid() % 20000);
  auto& first = add({.multicast = &loop, .multicast_on = {io::IpAddress::loopback()}, .multicast_port = port});
  auto& second = add({.multicast = &loop, .multicast_on = {io::IpAddress::loopback()}, .multicast_port = port});
  if (first.discovery->stats().multicast_interfaces == 0) GTEST_SKIP() << "loopback takes no multicast here";
  EXPECT_TRUE(wait([&] { return first.connected_to(second); }));
  EXPECT_GE(first.discovery->stats().heard + second.discovery->stats().heard, 1u);
}

}  // namespace
}  // namespace ghmesh::mesh
