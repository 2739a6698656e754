// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ghmesh::libp2p {

// Bounds of the data formats that every libp2p room shares.
struct Limits {
  // The largest key accepted at all, RSA with 8,192 bits, has 1,062 bytes and some framing.
  static constexpr std::size_t kPublicKeyBytes = 1200;
  // Keys up to this size are their own peer id (peer-ids.md).
  static constexpr std::size_t kInlineKeyBytes = 42;
  // A signed record rides in an identify message, which go-libp2p and we cap at 8 KiB.
  static constexpr std::size_t kEnvelopeBytes = 8 * 1024;
  // Addresses kept of one record; the peer store keeps 16 at most.
  static constexpr std::size_t kRecordAddresses = 32;
};

}  // namespace ghmesh::libp2p
