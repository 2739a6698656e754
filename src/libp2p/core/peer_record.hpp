// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "libp2p/core/peer_id.hpp"
#include "multiformats/multiaddr.hpp"

// Peer records (libp2p/specs:RFC/0003-routing-records.md): the addresses of a peer, signed by that peer. The envelope's
// domain and payload type are those that go-libp2p and js-libp2p use, "libp2p-peer-record" and 0x0301; the RFC's own
// are refused by both.

namespace ghmesh::libp2p {

struct PeerRecord {
  PeerId peer;
  // Rises with every record of a peer, over restarts too: take milliseconds of unix time. Compared with the last one
  // seen of the same peer only, never with a clock.
  std::uint64_t sequence = 0;
  std::vector<multiformats::Multiaddr> addresses;
};

// The signed envelope. The record is about the owner of the key, whatever record.peer says.
Bytes sign_peer_record(const PrivateKey& key, std::uint64_t sequence,
                       const std::vector<multiformats::Multiaddr>& addresses);

// A record that its own peer signed. A broken address is left out, and what is above Limits::kRecordAddresses; anything
// else that is wrong fails the whole: errors of open_envelope, Malformed, Authentic if someone else signed.
Result<PeerRecord> open_peer_record(ByteView envelope, const AcceptKeys& accept = {});

}  // namespace ghmesh::libp2p
