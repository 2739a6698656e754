// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "multiformats/multiaddr.hpp"

// The message of identify (libp2p/specs identify/README.md, with field 8 signedPeerRecord as go and js send it). Pure.

namespace ghmesh::libp2p::identify {

// Bounds, each with its reason.
struct Limits {
  // go accepts 8 KiB and sends parts of at most 4 KiB; rust takes 4,096 octets in all.
  std::size_t message = 8 * 1024;
  std::size_t parts = 4;
  std::size_t protocols = 32;
  std::size_t addresses = 16;
  std::size_t protocol_name = 128;
  std::size_t version = 128;
  // Pushes of one peer that are read: refill and burst. js sends one about a second after each change.
  double pushes_per_second = 0.2;
  double push_burst = 8;
  Duration deadline = std::chrono::seconds(5);
  // How long our own changes are collected before they are pushed.
  Duration push_delay = std::chrono::seconds(1);
  // Peers that have to see us at an address before we believe it.
  std::size_t observers = 2;
  std::size_t observed_addresses = 16;
  // How long addresses learned here are kept.
  Duration address_ttl = std::chrono::hours(1);
};

// Absent means unchanged in a push; an identify answer has all.
struct Message {
  std::optional<Bytes> public_key;
  std::vector<multiformats::Multiaddr> listen_addresses;
  std::vector<std::string> protocols;
  std::optional<multiformats::Multiaddr> observed_address;
  std::optional<std::string> protocol_version;
  std::optional<std::string> agent_version;
  std::optional<Bytes> signed_peer_record;
};

Bytes encode(const Message& message);

// Merges one part into message: repeated fields add up, others replace. Broken addresses and what is over a limit is
// left out; only bytes that are no protobuf are Malformed. A trailing /p2p/… of the observed address is cut off.
Result<> decode_into(Message& message, ByteView part, const Limits& limits);

}  // namespace ghmesh::libp2p::identify
