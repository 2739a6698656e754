// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// The codes of multiformats/multicodec:table.csv that occur in libp2p: hash functions, content types and key types.
// A code that is not listed is still carried as a number; only its name is unknown.

namespace ghmesh::multiformats {

enum class Multicodec : std::uint64_t {
  Identity = 0x00,
  CidV1 = 0x01,
  Sha1 = 0x11,
  Sha2_256 = 0x12,
  Sha2_512 = 0x13,
  Sha3_512 = 0x14,
  Sha3_256 = 0x16,
  Raw = 0x55,
  DagPb = 0x70,
  DagCbor = 0x71,
  Libp2pKey = 0x72,
  Md5 = 0xd5,
  Secp256k1Pub = 0xe7,
  Ed25519Pub = 0xed,
  DagJson = 0x0129,
  Libp2pPeerRecord = 0x0301,
  Libp2pRelayReservation = 0x0302,
  Blake2b256 = 0xb220,
};

std::optional<std::string_view> multicodec_name(Multicodec code);
std::optional<Multicodec> parse_multicodec(std::string_view name);

}  // namespace ghmesh::multiformats
