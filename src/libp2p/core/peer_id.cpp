// SPDX-License-Identifier: Apache-2.0
#include "libp2p/core/peer_id.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "crypto/hash.hpp"
#include "multiformats/cid.hpp"
#include "multiformats/multibase.hpp"
#include "multiformats/multihash.hpp"

namespace ghmesh::libp2p {

using multiformats::Base;
using multiformats::Cid;
using multiformats::Multiaddr;
using multiformats::Multicodec;
using multiformats::Multihash;
using multiformats::Protocol;

PeerId::PeerId(ByteView multihash) : size_(static_cast<std::uint8_t>(multihash.size())) {
  GHMESH_CHECK(multihash.size() <= kMaxSize);
  std::ranges::copy(multihash, bytes_.begin());
}

PeerId PeerId::from_key(const PublicKey& key) {
  const Bytes encoded = key.encode();
  if (encoded.size() <= Limits::kInlineKeyBytes)
    return PeerId(Multihash::make(Multicodec::Identity, encoded).value().encode());
  return PeerId(Multihash::make(Multicodec::Sha2_256, crypto::sha256(encoded)).value().encode());
}

Result<PeerId> PeerId::decode(ByteView in) {
  const auto hash = Multihash::decode(in);
  if (!hash) return std::unexpected(hash.error());
  const std::size_t size = hash->digest().size();
  const bool is_key = hash->code() == Multicodec::Identity && size >= 1 && size <= Limits::kInlineKeyBytes;
  const bool is_hash = hash->code() == Multicodec::Sha2_256 && size == 32;
  if (!is_key && !is_hash) return fail(ErrorCode::Malformed, "peer id: neither a short key nor a SHA-256", Fault::Peer);
  return PeerId(in);
}

Result<PeerId> PeerId::parse(std::string_view text) {
  if (text.starts_with("Qm") || text.starts_with('1')) {
    const auto bytes = multiformats::parse_base(Base::Base58Btc, text);
    if (!bytes) return std::unexpected(bytes.error());
    return decode(*bytes);
  }
  const auto cid = Cid::parse(text);
  if (!cid) return std::unexpected(cid.error());
  if (cid->codec() != Multicodec::Libp2pKey) return fail(ErrorCode::Malformed, "peer id: a CID of something else");
  return decode(cid->hash().encode());
}

std::string PeerId::text() const { return multiformats::format_base(Base::Base58Btc, bytes()); }

std::string PeerId::cid_text() const {
  return Cid::v1(Multicodec::Libp2pKey, Multihash::decode(bytes()).value()).text(Base::Base32);
}

Result<PublicKey> PeerId::public_key(const AcceptKeys& accept) const {
  const Multihash hash = Multihash::decode(bytes()).value();
  if (hash.code() != Multicodec::Identity)
    return fail(ErrorCode::NotFound, "peer id: a hash does not carry its key", Fault::Peer);
  return PublicKey::decode(hash.digest(), accept);
}

std::optional<PeerId> peer_of(const Multiaddr& address) {
  std::optional<PeerId> last;
  for (const auto& component : address.components()) {
    if (component.protocol != Protocol::P2p) continue;
    auto decoded = PeerId::decode(component.value);
    last = decoded ? std::optional(*decoded) : std::nullopt;
  }
  return last;
}

Result<Multiaddr> with_peer(const Multiaddr& address, const PeerId& peer) {
  const auto parts = address.components();
  if (!parts.empty() && parts.back().protocol == Protocol::P2p && equal(parts.back().value, peer.bytes()))
    return address;
  const auto suffix = Multiaddr::make(Protocol::P2p, peer.bytes());
  if (!suffix) return suffix;
  return address.encapsulate(*suffix);
}

}  // namespace ghmesh::libp2p
