// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"
#include "libp2p/core/peer_id.hpp"

// What a secure channel is to the rest (libp2p/specs connections/README.md "Encryption"): it turns a byte stream into
// one whose other end is a proven peer. noise and tls are the two kinds. One loop.

namespace ghmesh::libp2p {

enum class Direction { Inbound, Outbound };

struct SecuredStream {
  std::unique_ptr<io::Stream> stream;
  PublicKey remote_key;
  PeerId remote_peer;
  // Agreed inside the handshake (early muxer negotiation); nothing means multistream-select decides.
  std::optional<std::string> muxer;
  // The same 32 octets on both sides and on no other connection, for binding what runs above to this channel.
  Bytes channel_binding;
};

class SecureTransport {
 public:
  virtual ~SecureTransport() = default;
  // Its name for multistream-select.
  virtual std::string_view protocol() const = 0;
  // Secures lower, whose protocol has been agreed. With expected, any other peer is Refused before it learns anything
  // about us that it did not know. The caller bounds the time. The transport outlives the task.
  virtual io::Task<Result<SecuredStream>> secure(std::unique_ptr<io::Stream> lower, Direction direction,
                                                 std::optional<PeerId> expected) = 0;
};

}  // namespace ghmesh::libp2p
