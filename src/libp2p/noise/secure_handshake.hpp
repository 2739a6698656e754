// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "libp2p/core/peer_id.hpp"
#include "libp2p/noise/handshake.hpp"
#include "libp2p/noise/identity.hpp"

// The whole of libp2p's /noise without the socket: framed bytes in, framed bytes out, at the end a verified peer and
// the ciphers. The initiator checks the responder before it says who it is itself; a responder that finds the initiator
// wanting answers nothing. Deadlines are the driver's. One thread.

namespace ghmesh::libp2p::noise {

struct SecureOptions {
  // A dial to a known peer: anybody else is refused before anything more is sent.
  std::optional<PeerId> expected_peer;
  AcceptKeys accept_keys;
};

struct SecureSession {
  PublicKey remote_key;
  PeerId remote_peer;
  // The muxer both agreed on inside the handshake; nothing if one side named none, and multistream-select decides.
  std::optional<std::string> muxer;
  Transport transport;
};

class SecureHandshake {
 public:
  // local outlives the handshake. An initiator has output at once.
  SecureHandshake(Role role, const LocalIdentity& local, Random& random, SecureOptions options = {});

  // What has to be sent now, frames included; empties it.
  Bytes take_output() { return std::exchange(output_, {}); }

  // Takes the complete handshake frames from the front of in and returns how many bytes they were. The caller keeps the
  // rest and calls again with more; once finished() the rest is transport frames, which may have come in the same
  // segment. On failure take_output() is empty and the connection is to be closed: Malformed, Authentic, Limit, Refused
  // (key type, other peer than expected), Unsupported (no muxer in common).
  Result<std::size_t> receive(ByteView in);

  bool finished() const { return handshake_.finished() && remote_.has_value(); }

  // Once, when finished.
  SecureSession finish() &&;

 private:
  Result<void> on_message(ByteView message);
  Result<void> write_message(ByteView payload);
  Result<void> check_remote(ByteView payload);

  Role role_;
  const LocalIdentity& local_;
  SecureOptions options_;
  Handshake handshake_;
  Bytes output_;
  std::optional<RemoteIdentity> remote_;
  std::optional<PeerId> remote_peer_;
  std::optional<std::string> muxer_;
  bool failed_ = false;
};

}  // namespace ghmesh::libp2p::noise
