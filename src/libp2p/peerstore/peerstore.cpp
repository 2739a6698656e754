// SPDX-License-Identifier: Apache-2.0
#include "libp2p/peerstore/peerstore.hpp"

#include <algorithm>

namespace ghmesh::libp2p {

using multiformats::Multiaddr;
using multiformats::Protocol;

namespace {

TimePoint expiry(Duration ttl, TimePoint now) { return ttl >= TimePoint::max() - now ? TimePoint::max() : now + ttl; }

}  // namespace

Peerstore::Peer& Peerstore::touch(const PeerId& peer) {
  const auto it = peers_.find(peer);
  if (it != peers_.end()) {
    order_.splice(order_.begin(), order_, it->second.used);
    return it->second;
  }
  if (peers_.size() >= limits_.peers) {
    peers_.erase(order_.back());
    order_.pop_back();
  }
  order_.push_front(peer);
  Peer& entry = peers_[peer];
  entry.used = order_.begin();
  return entry;
}

void Peerstore::put(Peer& peer, Entry entry, TimePoint now) {
  const auto same = std::ranges::find(peer.entries, entry.address, &Entry::address);
  if (same != peer.entries.end()) {
    same->expires = std::max(same->expires, entry.expires);
    same->certified = same->certified || entry.certified;
    return;
  }
  std::erase_if(peer.entries, [&](const Entry& e) { return e.expires <= now; });
  if (peer.entries.size() >= limits_.addresses_per_peer) {
    // Hearsay makes room for what is signed, never the other way; among equals the one that ends first goes.
    const auto worst = std::ranges::min_element(peer.entries, [](const Entry& a, const Entry& b) {
      return std::pair(a.certified, a.expires) < std::pair(b.certified, b.expires);
    });
    if (worst->certified && !entry.certified) return;
    peer.entries.erase(worst);
  }
  peer.entries.push_back(std::move(entry));
}

void Peerstore::add(const PeerId& peer, const std::vector<Multiaddr>& addresses, Duration ttl, TimePoint now) {
  if (addresses.empty()) return;
  Peer& entry = touch(peer);
  for (const Multiaddr& address : addresses)
    put(entry, {address.decapsulate(Protocol::P2p), expiry(ttl, now), false}, now);
}

bool Peerstore::add_certified(const PeerRecord& record, Duration ttl, TimePoint now) {
  Peer& entry = touch(record.peer);
  if (entry.sequence && record.sequence <= *entry.sequence) return false;
  entry.sequence = record.sequence;
  std::erase_if(entry.entries, [](const Entry& e) { return e.certified && e.expires != TimePoint::max(); });
  for (const Multiaddr& address : record.addresses)
    put(entry, {address.decapsulate(Protocol::P2p), expiry(ttl, now), true}, now);
  return true;
}

std::vector<Multiaddr> Peerstore::addresses(const PeerId& peer, TimePoint now) {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return {};
  std::erase_if(it->second.entries, [&](const Entry& e) { return e.expires <= now; });
  std::vector<Multiaddr> out;
  for (const bool certified : {true, false})
    for (const Entry& e : it->second.entries)
      if (e.certified == certified) out.push_back(e.address);
  return out;
}

std::vector<PeerId> Peerstore::peers() const { return {order_.begin(), order_.end()}; }

void Peerstore::remove(const PeerId& peer) {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return;
  order_.erase(it->second.used);
  peers_.erase(it);
}

}  // namespace ghmesh::libp2p
