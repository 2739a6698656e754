// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "libp2p/core/keys.hpp"
#include "libp2p/core/limits.hpp"
#include "multiformats/multiaddr.hpp"

// Peer ids (libp2p/specs:peer-ids/peer-ids.md): the multihash of the encoded public key, the key itself where it has at
// most 42 bytes, else its SHA-256. A plain value of 45 bytes without heap, ordered by its bytes.

namespace ghmesh::libp2p {

class PeerId {
 public:
  static PeerId from_key(const PublicKey& key);
  // The whole of in is one identity (1 to 42 bytes) or sha2-256 (32 bytes) multihash.
  static Result<PeerId> decode(ByteView in);
  // base58btc ("12D3Koo…", "Qm…") or a CIDv1 of a libp2p key in any multibase ("bafz…", "k51…").
  static Result<PeerId> parse(std::string_view text);

  ByteView bytes() const { return {bytes_.data(), size_}; }
  // base58btc, the form that every implementation prints.
  std::string text() const;
  // CIDv1 in base32.
  std::string cid_text() const;

  // The key that an identity id carries; NotFound if the id is only a hash, errors of PublicKey::decode otherwise.
  Result<PublicKey> public_key(const AcceptKeys& accept = {}) const;
  bool belongs_to(const PublicKey& key) const { return *this == from_key(key); }

  friend bool operator==(const PeerId&, const PeerId&) = default;
  friend auto operator<=>(const PeerId& a, const PeerId& b) { return as_text(a.bytes()) <=> as_text(b.bytes()); }

 private:
  static constexpr std::size_t kMaxSize = 2 + Limits::kInlineKeyBytes;

  explicit PeerId(ByteView multihash);

  std::array<std::uint8_t, kMaxSize> bytes_{};  // zero behind size_, so that comparing whole arrays is right
  std::uint8_t size_ = 0;
};

// The peer that an address ends at: the id in its last /p2p component; nothing if there is none or it is none of ours.
std::optional<PeerId> peer_of(const multiformats::Multiaddr& address);
// The address with /p2p/<peer> behind it; unchanged if it already ends so. Fails over the limits of an address.
Result<multiformats::Multiaddr> with_peer(const multiformats::Multiaddr& address, const PeerId& peer);

}  // namespace ghmesh::libp2p

template <>
struct std::hash<ghmesh::libp2p::PeerId> {
  std::size_t operator()(const ghmesh::libp2p::PeerId& peer) const noexcept {
    return std::hash<std::string_view>()(ghmesh::as_text(peer.bytes()));
  }
};
