// SPDX-License-Identifier: Apache-2.0
#include "multiformats/multicodec.hpp"

#include <utility>

namespace ghmesh::multiformats {
namespace {

constexpr std::pair<Multicodec, std::string_view> kNames[] = {
    {Multicodec::Identity, "identity"},
    {Multicodec::CidV1, "cidv1"},
    {Multicodec::Sha1, "sha1"},
    {Multicodec::Sha2_256, "sha2-256"},
    {Multicodec::Sha2_512, "sha2-512"},
    {Multicodec::Sha3_512, "sha3-512"},
    {Multicodec::Sha3_256, "sha3-256"},
    {Multicodec::Raw, "raw"},
    {Multicodec::DagPb, "dag-pb"},
    {Multicodec::DagCbor, "dag-cbor"},
    {Multicodec::Libp2pKey, "libp2p-key"},
    {Multicodec::Md5, "md5"},
    {Multicodec::Secp256k1Pub, "secp256k1-pub"},
    {Multicodec::Ed25519Pub, "ed25519-pub"},
    {Multicodec::DagJson, "dag-json"},
    {Multicodec::Libp2pPeerRecord, "libp2p-peer-record"},
    {Multicodec::Libp2pRelayReservation, "libp2p-relay-rsvp"},
    {Multicodec::Blake2b256, "blake2b-256"},
};

}  // namespace

std::optional<std::string_view> multicodec_name(Multicodec code) {
  for (const auto& [known, name] : kNames)
    if (known == code) return name;
  return std::nullopt;
}

std::optional<Multicodec> parse_multicodec(std::string_view name) {
  for (const auto& [code, known] : kNames)
    if (known == name) return code;
  return std::nullopt;
}

}  // namespace ghmesh::multiformats
