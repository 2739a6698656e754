// SPDX-License-Identifier: Apache-2.0
// The table of what one host may spend: the numbers themselves, that no default is over its maximum, that inner scopes
// fit into outer ones, and that the sum of the worst cases fits a runner. A number that changes has to change here,
// too.
#include "libp2p/multistream/limits.hpp"

#include <gtest/gtest.h>

#include "libp2p/host/host.hpp"
#include "libp2p/noise/limits.hpp"

namespace ghmesh::libp2p {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
using Max = resource::Maxima;

TEST(LimitsTable, Connections) {
  const resource::Limits l;
  EXPECT_EQ(l.connections_in, 64u);
  EXPECT_EQ(l.connections_out, 64u);
  EXPECT_EQ(l.transient_connections, 16u);
  EXPECT_LE(l.connections_in, Max::kConnections);
  EXPECT_LE(l.transient_connections, Max::kTransientConnections);
  EXPECT_EQ(l.connections_per_peer, 2u);
  EXPECT_EQ(l.connections_per_ip, 8u);
  EXPECT_EQ(l.connections_per_v6_site, 64u);
  EXPECT_LE(l.connections_per_loopback, l.connections_in) << "loopback is not exempt";
  EXPECT_EQ(l.accepts_per_second, 0.2);
  EXPECT_EQ(l.accept_burst, 16);
  EXPECT_EQ(UpgraderLimits{}.deadline, 5s);
}

TEST(LimitsTable, StreamsAndTheirMemory) {
  const resource::Limits l;
  const yamux::Limits y;
  EXPECT_EQ(l.streams_per_connection, 32u);
  EXPECT_EQ(l.streams_per_peer, 64u);
  EXPECT_EQ(l.streams, 256u);
  EXPECT_EQ(y.max_unacknowledged, 32u);
  EXPECT_EQ(y.initial_window, 256 * kKiB);
  EXPECT_EQ(y.max_window, kMiB);
  EXPECT_EQ(y.max_frame, 64 * kKiB);
  EXPECT_EQ(y.max_queued_pongs, 8u);
  EXPECT_EQ(y.keep_alive, 30s);
  EXPECT_EQ(y.write_timeout, 10s);
  EXPECT_EQ(l.memory, 64 * kMiB);
  EXPECT_EQ(l.memory_per_peer, 16 * kMiB);
  EXPECT_EQ(l.memory_per_connection, 8 * kMiB);
  // Every scope holds the windows of all streams that it allows, and no more than the scope around it.
  EXPECT_EQ(resource::complaint(l), "");
  EXPECT_EQ(l.memory_per_connection, l.streams_per_connection * std::size_t{y.initial_window});
  EXPECT_EQ(l.memory_per_peer, l.streams_per_peer * std::size_t{y.initial_window});
  EXPECT_EQ(l.memory, l.streams * std::size_t{y.initial_window});
  EXPECT_GE(l.memory_per_connection, y.max_window);
}

TEST(LimitsTable, ProtocolsOfTheHost) {
  const multistream::Limits m;
  EXPECT_EQ(m.max_line, kKiB);
  EXPECT_EQ(m.max_tries, 8u);
  EXPECT_EQ(m.deadline, 5s);
  EXPECT_EQ(noise::Limits::kPayloadBytes, 3 * kKiB) << "two hold no RSA identity of 8,192 bits";
  const AcceptKeys keys;
  EXPECT_TRUE(keys.ed25519);
  EXPECT_FALSE(keys.secp256k1 || keys.ecdsa || keys.rsa);
  const identify::Limits i;
  EXPECT_EQ(i.message, 8 * kKiB);
  EXPECT_EQ(i.parts, 4u);
  EXPECT_EQ(i.protocols, 32u);
  EXPECT_EQ(i.addresses, 16u);
  EXPECT_EQ(i.pushes_per_second, 0.2);
  const Peerstore::Limits p;
  EXPECT_EQ(p.peers, 256u);
  EXPECT_EQ(p.addresses_per_peer, 8u);
}

// All connections with all windows full, all output queued and one Noise frame in each direction: a quarter of a GiB is
// what a runner gives to a node under attack.
TEST(LimitsTable, TheWorstCaseOfAllAtOnceFitsARunner) {
  const resource::Limits l;
  const yamux::Limits y;
  constexpr std::size_t kNoiseFrames = 2 * 65535;
  constexpr std::size_t kReadBlock = 64 * kKiB;
  const std::size_t connections = l.connections_in + l.connections_out;
  const std::size_t each = y.output_limit + y.output_control_slack + kNoiseFrames + kReadBlock;
  const std::size_t identities = Peerstore::Limits{}.peers * identify::Limits{}.message;
  EXPECT_LE(l.memory + connections * each + identities, 128 * kMiB);
}

}  // namespace
}  // namespace ghmesh::libp2p
