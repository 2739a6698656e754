// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "crypto/hash.hpp"
#include "crypto/secret.hpp"
#include "crypto/x25519.hpp"
#include "libp2p/noise/symmetric_state.hpp"
#include "libp2p/noise/transport.hpp"

// The handshake Noise_XX_25519_ChaChaPoly_SHA256 (noiseprotocol.org/noise.html §5, §7.5), nothing of libp2p in it:
//   -> e
//   <- e, ee, s, es
//   -> s, se
// Pure: messages in, messages out, no framing. One thread.

namespace ghmesh::libp2p::noise {

enum class Role { Initiator, Responder };

class Handshake {
 public:
  // The ephemeral key is this handshake's alone; it comes in so that published vectors can be run.
  Handshake(Role role, crypto::X25519KeyPair static_key, crypto::X25519KeyPair ephemeral, ByteView prologue = {});

  bool finished() const { return step_ == kMessages; }
  bool my_turn() const { return !finished() && !failed_ && (step_ % 2 == 0) == (role_ == Role::Initiator); }

  // Appends my next message to out; only when it is my turn. Authentic if the peer's key was of low order. What is
  // above Limits::kMessageBytes is a broken assumption.
  Result<void> write(ByteView payload, Bytes& out);
  // Takes the peer's next message, only when it is not my turn, and gives its payload. After a failure the handshake is
  // over; nothing may be sent.
  Result<Bytes> read(ByteView message);

  // The peer's static key, from the message that carries it on. Who owns it is for the payload to say.
  const crypto::X25519PublicKey& remote_static() const { return remote_static_; }

  // Once, when finished.
  Transport split() &&;

 private:
  static constexpr int kMessages = 3;

  Result<void> mix_dh(const crypto::SecretKey32& secret, const crypto::X25519PublicKey& public_key);
  Result<void> read_keys(ByteView& rest);
  std::unexpected<Error> fail_with(std::unexpected<Error> error);

  Role role_;
  crypto::X25519KeyPair static_;
  crypto::X25519KeyPair ephemeral_;
  crypto::X25519PublicKey remote_static_{};
  crypto::X25519PublicKey remote_ephemeral_{};
  SymmetricState symmetric_;
  int step_ = 0;
  bool failed_ = false;
};

}  // namespace ghmesh::libp2p::noise
