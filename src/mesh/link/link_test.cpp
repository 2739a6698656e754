// SPDX-License-Identifier: Apache-2.0
#include "mesh/link/link.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "io/manual_loop.hpp"
#include "io/memory_network.hpp"

namespace ghmesh::mesh {
namespace {

using multiformats::Multiaddr;

Keyring ring(std::uint8_t secret, std::optional<std::uint8_t> also = std::nullopt) {
  Keyring keys{.current = MeshKeys::derive(Bytes(32, secret)), .also_accept = std::nullopt};
  if (also) keys.also_accept = MeshKeys::derive(Bytes(32, *also));
  return keys;
}

ItemPtr item(std::uint8_t key, std::string_view body) {
  auto made = std::make_shared<Item>();
  made->key.fill(key);
  made->groups = {key};
  made->metadata = to_bytes("200");
  made->body = to_bytes(body);
  made->version = version_of(made->metadata, made->body);
  return made;
}

Freshness fresh(std::uint8_t token = 1) {
  Freshness f{.tag = {}, .fetched_at_ms = 1, .fresh_ms = 60000, .left_ms = 60000, .seal = {}};
  f.tag.fill(token);
  return f;
}

// Nodes of one process on a memory network, with real handshakes and real encryption, in virtual time.
struct World {
  struct Node {
    crypto::SecureRandom random;
    std::unique_ptr<io::Network> network;
    std::unique_ptr<libp2p::Host> host;
    std::unique_ptr<Link> link;
  };

  Node& add(Keyring keys, std::optional<std::size_t> contact = std::nullopt) {
    const auto n = static_cast<std::uint8_t>(nodes.size() + 1);
    Node& node = *nodes.emplace_back(std::make_unique<Node>());
    node.network = net.host(io::IpAddress::v4(10, 0, 0, n));
    libp2p::HostOptions host{.key = libp2p::PrivateKey::generate(node.random)};
    host.mux.output_limit = LinkLimits::kMuxOutput;
    node.host = std::make_unique<libp2p::Host>(*node.network, node.random, std::move(host));
    EXPECT_TRUE(node.host->swarm().listen(*Multiaddr::parse("/ip4/10.0.0." + std::to_string(n) + "/tcp/4001")));
    LinkOptions options{.keys = std::move(keys)};
    if (contact) options.contacts = {nodes[*contact]->host->addresses()[0]};
    node.link = std::make_unique<Link>(*node.host, node.random, std::move(options));
    node.link->start();
    return node;
  }
  template <typename T>
  T run(io::Task<T> task) {
    std::optional<T> out;
    tasks.spawn([](io::Task<T> t, std::optional<T>& o) -> io::Task<void> { o.emplace(co_await std::move(t)); }(
                                                           std::move(task), out));
    EXPECT_TRUE(loop.run_until([&] { return out.has_value(); }, 60s));
    return std::move(*out);
  }
  Link& link(std::size_t i) { return *nodes[i]->link; }

  io::ManualLoop loop;
  io::MemoryNetwork net{loop};
  std::vector<std::unique_ptr<Node>> nodes;
  io::TaskGroup tasks{loop};
};

TEST(Link, FiveNodesMeetThroughOneContactAndFetchOnce) {
  World world;
  world.net.set_latency([](const auto&, const auto&) { return 500us; });
  world.add(ring(1));
  for (int i = 1; i < 5; ++i) world.add(ring(1), 0);
  world.loop.advance(12s);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(world.link(i).mesh().stats().members, 4u) << i;
  std::size_t partitions = 0;
  for (std::size_t i = 0; i < 5; ++i) partitions += world.link(i).mesh().stats().partitions;
  EXPECT_EQ(partitions, 64u);

  for (std::uint8_t k = 1; k <= 20; ++k) {
    const ItemPtr made = item(k, "{\"number\":" + std::to_string(k) + "}");
    auto first = world.run(world.link(k % 5).find(made->key, fresh().tag, {}));
    ASSERT_EQ(first.kind, FindResult::Kind::Lease) << int{k};
    world.link(k % 5).put(first.find, made, fresh());
    world.loop.advance(5ms);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto found = world.run(world.link(i).find(made->key, fresh().tag, {}));
      ASSERT_EQ(found.kind, FindResult::Kind::Fresh) << int{k} << " at " << i;
      EXPECT_EQ(found.item->body, made->body);
    }
  }
  // Another token gets the same bytes, as a candidate only.
  const auto other = world.run(world.link(3).find(item(1, "")->key, fresh(2).tag, {}));
  EXPECT_EQ(other.kind, FindResult::Kind::Candidate);
  EXPECT_EQ(to_text(other.item->body), "{\"number\":1}");
  world.link(3).renew(other.find, other.item->version, fresh(2));
  world.loop.advance(5ms);
  EXPECT_EQ(world.run(world.link(2).find(item(1, "")->key, fresh(2).tag, {})).kind, FindResult::Kind::Fresh);
}

// A body of a mebibyte takes a second on this line. A question waits no longer for it than for what nothing overtakes:
// the pipe's bytes, what the secure channel has sealed, the muxer's output, and one part.
TEST(Link, ALargeBodyHoldsUpNobody) {
  constexpr std::size_t kLine = 1u << 20, kOnTheWay = 16u << 10;
  World world;
  world.net.set_line(kLine, kOnTheWay);
  world.add(ring(1));
  world.add(ring(1), 0);
  world.loop.advance(12s);
  std::uint8_t key = 1;
  while (world.link(0).mesh().ranks_of(item(key, "")->key).front() != world.nodes[1]->host->id()) ++key;
  const auto found = world.run(world.link(0).find(item(key, "")->key, fresh().tag, {}));
  auto large = std::make_shared<Item>(*item(key, ""));
  large->body.resize(1u << 20);
  world.nodes[0]->random.fill(large->body);
  large->version = version_of(large->metadata, large->body);
  world.link(0).put(found.find, large, fresh());
  world.loop.advance(50ms);
  ASSERT_FALSE(world.link(1).mesh().holds(large->key)) << "the body is still on its way";
  const TimePoint began = world.loop.now();
  const auto probed = world.run(world.link(0).probe(world.nodes[1]->host->id()));
  EXPECT_TRUE(probed.returned);
  constexpr std::size_t kAhead = kOnTheWay + 2 * (LinkLimits::kMuxOutput + 4096) + LinkLimits{}.part_bytes;
  EXPECT_LT(world.loop.now() - began, std::chrono::milliseconds(1000 * kAhead / kLine) + 10ms);
  EXPECT_FALSE(world.link(1).mesh().holds(large->key)) << "it overtook the body";
  world.loop.advance(2s);
  ASSERT_TRUE(world.link(1).mesh().holds(large->key));
  EXPECT_EQ(world.link(1).mesh().held(large->key, large->version)->body, large->body);
  EXPECT_EQ(world.link(0).mesh().stats().members, 1u);
}

TEST(Link, AProbeComesBackWholeFromEveryPeer) {
  World world;
  world.net.set_latency([](const auto&, const auto&) { return 500us; });
  world.add(ring(1));
  for (int i = 1; i < 3; ++i) world.add(ring(1), 0);
  world.loop.advance(12s);
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 1; i < 3; ++i) {
      const auto done = world.run(world.link(0).probe(world.nodes[i]->host->id()));
      EXPECT_TRUE(done.returned);
      EXPECT_GE(done.took, 1ms) << "there and back";
    }
  EXPECT_LE(world.link(1).mesh().stats().shelf_entries, 2u) << "one probe of a member at most, whatever it asks";
  // One that is gone gives nothing back.
  const auto gone = world.nodes[2]->host->id();
  world.net.kill(io::IpAddress::v4(10, 0, 0, 3));
  const auto done = world.run(world.link(0).probe(gone));
  EXPECT_FALSE(done.returned);
  EXPECT_GE(done.took, 2s);
}

// The swarm closes one of the two connections; whichever it is, each still has a way to the other.
TEST(Link, TwoThatDialEachOtherAtOnceKeepASession) {
  for (int i = 0; i < 24; ++i) {
    World world;
    world.add(ring(1));
    world.add(ring(1));
    const auto dial = [&](std::size_t from, std::size_t to) -> io::Task<void> {
      co_await world.loop.sleep_for(from * i * 250us);
      static_cast<void>(co_await world.nodes[from]->host->swarm().dial(world.nodes[to]->host->addresses()[0]));
    };
    world.tasks.spawn(dial(0, 1));
    world.tasks.spawn(dial(1, 0));
    world.loop.advance(60s);
    for (const std::size_t n : {0u, 1u}) {
      EXPECT_EQ(world.link(n).stats().sessions, 1u);
      EXPECT_EQ(world.link(n).mesh().stats().connected, 1u);
      EXPECT_TRUE(world.run(world.link(n).probe(world.nodes[1 - n]->host->id())).returned) << i;
    }
  }
}

TEST(Link, AStrangerGetsNothing) {
  World world;
  world.add(ring(1));
  world.add(ring(1), 0);
  world.add(ring(2), 0);
  world.loop.advance(10s);
  EXPECT_EQ(world.link(0).mesh().stats().members, 1u);
  EXPECT_EQ(world.link(2).mesh().stats().members, 0u);
  EXPECT_GE(world.link(0).stats().refused, 1u);
  EXPECT_EQ(world.link(2).stats().sessions, 0u);
  // Alone it answers at once.
  const auto result = world.run(world.link(2).find(item(1, "")->key, fresh().tag, {}));
  EXPECT_EQ(result.kind, FindResult::Kind::Lease) << "its own owner";
}

TEST(Link, ARotationKeepsTheMeshTogether) {
  World world;
  world.add(ring(1));
  world.add(ring(1, 2), 0);
  world.add(ring(2, 1), 0);
  world.loop.advance(8s);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(world.link(i).mesh().stats().members, 2u) << i;
  world.link(0).set_keys(ring(2, 1));
  world.add(ring(2), 0);
  world.loop.advance(5s);
  EXPECT_EQ(world.link(0).mesh().stats().members, 3u);
}

TEST(Link, AWriteIsConfirmedByAll) {
  World world;
  world.net.set_latency([](const auto&, const auto&) { return 1ms; });
  world.add(ring(1));
  for (int i = 1; i < 4; ++i) world.add(ring(1), 0);
  world.loop.advance(10s);
  int heard = 0;
  for (std::size_t i = 1; i < 4; ++i)
    world.link(i).on_invalidated([&](const auto& stale) { heard += stale.groups == std::vector<GroupId>{7} ? 1 : 0; });
  const TimePoint began = world.loop.now();
  const auto done = world.run(world.link(0).invalidate({7}));
  EXPECT_EQ(done.told, 3u);
  EXPECT_EQ(done.confirmed, 3u);
  EXPECT_EQ(heard, 3);
  EXPECT_LE(world.loop.now() - began, 100ms);
}

TEST(Link, WhatNobodyWaitsForAnyLongerIsNotKept) {
  World world;
  world.net.set_latency([](const auto&, const auto&) { return 1ms; });
  world.add(ring(1));
  for (int i = 1; i < 3; ++i) world.add(ring(1), 0);
  world.loop.advance(10s);
  LookupKey key{};
  {
    // Clients that leave before their answer.
    io::TaskGroup left(world.loop);
    left.spawn([](Link& link, LookupKey wanted) -> io::Task<> {
      static_cast<void>(co_await link.invalidate({7}));
      static_cast<void>(co_await link.find(wanted, {}, {}));
    }(world.link(0), key));
    left.spawn([](Link& link, LookupKey wanted) -> io::Task<> {
      static_cast<void>(co_await link.find(wanted, {}, {}));
    }(world.link(0), key));
    left.spawn([](Link& link, PeerId peer) -> io::Task<> { static_cast<void>(co_await link.probe(peer)); }(
                                               world.link(0), world.link(1).mesh().self().peer));
    world.loop.advance(100us);
  }
  world.loop.advance(1s);
  EXPECT_EQ(world.link(0).stats().untaken, 0u);
}

TEST(Link, WhoComesAndGoesIsToldTheMomentItIsKnown) {
  World world;
  world.net.set_latency([](const auto&, const auto&) { return 500us; });
  using What = MemberChange::What;
  std::vector<std::pair<PeerId, What>> told;
  std::vector<TimePoint> when;
  world.add(ring(1));
  world.link(0).on_member([&](const MemberChange& change) {
    told.emplace_back(change.peer, change.what);
    when.push_back(world.loop.now());
    // Whoever is told and looks sees the same.
    const Member* member = world.link(0).mesh().member(change.peer);
    EXPECT_EQ(member != nullptr && member->in_mesh(), change.what == What::Joined);
  });
  world.add(ring(1), 0);
  world.add(ring(1), 0);
  ASSERT_TRUE(world.loop.run_until([&] { return told.size() == 2; }, 1s));
  const PeerId second = world.nodes[1]->host->id(), third = world.nodes[2]->host->id();
  EXPECT_THAT(told, testing::UnorderedElementsAre(std::pair(second, What::Joined), std::pair(third, What::Joined)));
  world.loop.advance(10s);
  EXPECT_EQ(told.size(), 2u) << "coming of age is no coming";

  const TimePoint leaves = world.loop.now();
  world.tasks.spawn(world.link(2).leave(1s));
  ASSERT_TRUE(world.loop.run_until([&] { return told.size() == 3; }, 1s));
  EXPECT_EQ(told[2], std::pair(third, What::Left));
  EXPECT_LE(when[2] - leaves, 10ms) << "a message's way";
  world.nodes[1]->link.reset();
  world.nodes[1]->host.reset();
  ASSERT_TRUE(world.loop.run_until([&] { return told.size() == 4; }, 60s));
  EXPECT_EQ(told[3], std::pair(second, What::Died));
}

// TCP tries again seconds after a cut has healed, and what is said meanwhile waits behind what was lost.
TEST(Link, WhoIsTakenForDeadIsHungUpOnAndMetAnew) {
  World world;
  world.net.set_latency([](const auto&, const auto&) { return 500us; });
  world.add(ring(1));
  for (int i = 1; i < 3; ++i) world.add(ring(1), 0);
  world.loop.advance(10s);
  const PeerId cut_off = world.nodes[2]->host->id();
  TimePoint died{};
  world.link(0).on_member([&](const MemberChange& change) {
    if (change.what == MemberChange::What::Died) died = world.loop.now();
  });
  const auto address = [](std::uint8_t n) { return io::IpAddress::v4(10, 0, 0, n); };
  const auto first = world.nodes[0]->host->swarm().connection(cut_off);
  ASSERT_NE(first, nullptr);
  for (std::uint8_t other : {1, 2}) world.net.lose(address(3), address(other));
  ASSERT_TRUE(world.loop.run_until([&] { return died != TimePoint{}; }, 60s));
  EXPECT_TRUE(world.loop.run_until([&] { return first->ended(); }, 1s)) << "not by a ping's time-out much later";
  for (std::uint8_t other : {1, 2}) world.net.set_cut(address(3), address(other), false);
  EXPECT_TRUE(world.loop.run_until(
      [&] {
        const auto second = world.nodes[0]->host->swarm().connection(cut_off);
        return second != nullptr && second != first && world.link(0).mesh().stats().members == 2;
      },
      60s));
}

// The first to reach it tells the others that it is back, and they reach it as soon, however often they failed before.
TEST(Link, WhoComesBackAfterALongCutIsMetByAll) {
  World world;
  world.net.set_latency([](const auto&, const auto&) { return 500us; });
  world.add(ring(1));
  for (int i = 1; i < 5; ++i) world.add(ring(1), 0);
  world.loop.advance(10s);
  const auto address = [](std::uint8_t n) { return io::IpAddress::v4(10, 0, 0, n); };
  for (std::uint8_t other = 1; other < 5; ++other) world.net.lose(address(5), address(other));
  world.loop.advance(2min);
  for (std::uint8_t other = 1; other < 5; ++other) world.net.set_cut(address(5), address(other), false);
  const auto all = [&](auto holds) {
    return std::ranges::all_of(world.nodes, [&](const auto& node) { return holds(*node->link); });
  };
  ASSERT_TRUE(
      world.loop.run_until([&] { return all([](Link& link) { return link.mesh().stats().members == 4; }); }, 5min));
  EXPECT_TRUE(
      world.loop.run_until([&] { return all([](Link& link) { return link.mesh().stats().connected == 4; }); }, 1s))
      << "of 500 ms until somebody looks, and a handshake";
}

TEST(Link, WhoLeavesInOrderIsGoneAtOnceAndItsBodiesStay) {
  World world;
  world.add(ring(1));
  for (int i = 1; i < 4; ++i) world.add(ring(1), 0);
  world.loop.advance(10s);
  for (std::uint8_t k = 1; k <= 30; ++k) {
    const auto found = world.run(world.link(0).find(item(k, "x")->key, fresh().tag, {}));
    world.link(0).put(found.find, item(k, "x"), fresh());
  }
  world.loop.advance(1s);
  world.tasks.spawn(world.link(0).leave(2s));
  world.loop.advance(2s);
  world.nodes[0]->link.reset();
  world.nodes[0]->host.reset();
  world.loop.advance(2s);
  for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(world.link(i).mesh().stats().members, 2u);
  for (std::uint8_t k = 1; k <= 30; ++k)
    EXPECT_EQ(world.run(world.link(1 + k % 3).find(item(k, "x")->key, fresh().tag, {})).kind, FindResult::Kind::Fresh)
        << int{k};
}

}  // namespace
}  // namespace ghmesh::mesh
