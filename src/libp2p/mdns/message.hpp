// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "multiformats/multiaddr.hpp"

// The DNS messages of mDNS peer discovery (libp2p/specs:discovery/mdns.md, RFC 1035 §4, RFC 6762). Pure.

namespace ghmesh::libp2p::mdns {

struct Limits {
  std::size_t packet = 9000;        // RFC 6762 §17
  std::size_t answer = 1400;        // ours fit one Ethernet frame
  std::size_t records = 64;         // looked at per packet
  std::size_t addresses = 32;       // taken per packet
  std::size_t name_jumps = 16;      // compression pointers followed per name
  double answers_per_second = 5;    // sent, whatever is asked
  double packets_per_second = 100;  // looked at
};

struct Message {
  bool asks_for_peers = false;
  std::vector<multiformats::Multiaddr> addresses;  // each ends with /p2p/<id>; only of answers
};

Bytes encode_query();
// name is this host's random label. Addresses that do not fit are left out.
Bytes encode_answer(std::string_view name, const std::vector<multiformats::Multiaddr>& addresses, const Limits& limits);
// Malformed if it is no DNS message; what is of no interest in it is passed over.
Result<Message> decode(ByteView packet, const Limits& limits);

}  // namespace ghmesh::libp2p::mdns
