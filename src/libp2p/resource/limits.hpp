// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace ghmesh::libp2p::resource {

// What one host may spend on peers, each number with its reason. Scopes nest: a stream counts for its protocol, its
// connection, its peer and the system; memory for the connection, the peer and the system.
struct Limits {
  // A mesh is tens of nodes with one connection each; go-libp2p's base is 64 in and 128 out.
  std::uint32_t connections_in = 64;
  std::uint32_t connections_out = 64;
  // Connections without a proven peer: a flood of half-open ones stops here and leaves the proven alone.
  std::uint32_t transient_connections = 16;
  // Two, because both sides may dial at once; the tie leaves one.
  std::uint32_t connections_per_peer = 2;
  // By address, so that one host cannot take all places: an IPv4 address, an IPv6 /56 (a customer) and /48 (a site).
  std::uint32_t connections_per_ip = 8;
  std::uint32_t connections_per_v6_site = 64;
  // Loopback is one machine with possibly many nodes of one fleet, but not exempt: a job may be the attacker.
  std::uint32_t connections_per_loopback = 64;
  // New inbound connections of an address: refill and burst. A handshake costs 0.3 ms of a core.
  double accepts_per_second = 0.2;
  double accept_burst = 16;
  double loopback_accepts_per_second = 50;
  double loopback_accept_burst = 128;
  // Addresses whose rate is remembered; beyond it strangers share one bucket.
  std::size_t tracked_addresses = 4096;

  // Each stream promises 256 KiB, so 32 are a connection's 8 MiB and 256 the system's 64 MiB.
  std::uint32_t streams_per_connection = 32;
  std::uint32_t streams_per_peer = 64;
  std::uint32_t streams = 256;
  // Streams whose protocol is not agreed yet, of all peers.
  std::uint32_t transient_streams = 128;
  // Of one protocol and peer, either way.
  std::uint32_t streams_per_protocol_and_peer = 32;
  // What a protocol sets for itself: streams that the other side of one connection may have open. Ours are our own
  // doing.
  std::map<std::string, std::uint32_t, std::less<>> protocol_streams;

  std::size_t memory = std::size_t{64} << 20;
  std::size_t memory_per_peer = std::size_t{16} << 20;
  std::size_t memory_per_connection = std::size_t{8} << 20;
};

// The hard maxima that configuration may ask for.
struct Maxima {
  static constexpr std::uint32_t kConnections = 256;
  static constexpr std::uint32_t kTransientConnections = 64;
  static constexpr std::uint32_t kStreamsPerConnection = 256;
  static constexpr std::uint32_t kStreamsPerPeer = 256;
  static constexpr std::uint32_t kStreams = 4096;
  static constexpr std::size_t kMemory = std::size_t{1} << 30;
};

// Why a set of limits makes no sense: an inner scope larger than its outer one, a promise that memory cannot hold, or a
// number over its maximum. Empty if it does make sense.
std::string complaint(const Limits& limits);

}  // namespace ghmesh::libp2p::resource
