// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "libp2p/core/peer_id.hpp"
#include "libp2p/core/peer_record.hpp"
#include "multiformats/multiaddr.hpp"

// Addresses of peers: where they came from, how long they hold, and never more than the bounds. What a peer signed
// outranks what others say about it. One thread.

namespace ghmesh::libp2p {

class Peerstore {
 public:
  struct Limits {
    std::size_t peers = 256;             // a mesh is tens; least recently used go first
    std::size_t addresses_per_peer = 8;  // go-libp2p keeps 64 and has had to fight their growth
  };
  struct Entry {
    multiformats::Multiaddr address;  // without /p2p
    TimePoint expires;
    bool certified = false;
  };

  Peerstore() : Peerstore(Limits{}) {}
  explicit Peerstore(Limits limits) : limits_(limits) {}

  // Hearsay, valid for ttl; a later expiry wins. Pinned (ttl of Duration::max()) never expires.
  void add(const PeerId& peer, const std::vector<multiformats::Multiaddr>& addresses, Duration ttl, TimePoint now);
  // The addresses a peer signed replace those it signed before, if the sequence is higher than the last seen. False if
  // it is not.
  bool add_certified(const PeerRecord& record, Duration ttl, TimePoint now);
  // Certified ones first.
  std::vector<multiformats::Multiaddr> addresses(const PeerId& peer, TimePoint now);
  std::vector<PeerId> peers() const;
  void remove(const PeerId& peer);
  std::size_t size() const { return peers_.size(); }

 private:
  struct Peer {
    std::vector<Entry> entries;
    std::optional<std::uint64_t> sequence;
    std::list<PeerId>::iterator used;
  };
  Peer& touch(const PeerId& peer);
  void put(Peer& peer, Entry entry, TimePoint now);

  const Limits limits_;
  std::unordered_map<PeerId, Peer> peers_;
  std::list<PeerId> order_;  // most recently used first
};

}  // namespace ghmesh::libp2p
