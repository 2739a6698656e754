// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/random.hpp"
#include "base/result.hpp"
#include "envelope.hpp"
#include "libp2p/core/peer_id.hpp"
#include "secret.hpp"

// Admission (doc/formats/mesh.md, "Admission"): the first messages on a connection, in which both sides prove that they
// hold the mesh secret, bound to this connection and to both identities. A proof cannot be replayed, reflected or
// passed on to another connection. The dialer proves first; a listener that does not believe it says nothing at all. No
// IO: messages in and out. One thread.

namespace ghmesh::mesh {

inline constexpr std::uint8_t kAdmissionVersion = 1;

enum class Role : std::uint8_t { Dialer = 1, Listener = 2 };

// What the proof is bound to.
struct ConnectionIdentity {
  Role role = Role::Dialer;
  libp2p::PeerId self;
  libp2p::PeerId remote;
  Bytes handshake_hash;  // of the secure channel; empty where it is not known: then the nonces alone bind
};

class Admission {
 public:
  static constexpr std::size_t kHelloBytes = 1 + 32;
  static constexpr std::size_t kDialerProofBytes = 2 * 32;  // one per slot, so that a rotation cannot be seen
  static constexpr std::size_t kListenerProofBytes = 32;

  // keys outlives the object.
  Admission(const Keyring& keys, ConnectionIdentity connection, Random& random);

  // To be sent at once by both sides.
  const Bytes& hello() const { return hello_; }
  // How many bytes the next message of the other side has; 0: none, admission is over.
  std::size_t expects() const;
  // Takes that message; gives what to send in answer, which may be nothing. Any failure ends the connection: close it
  // and say nothing. Refused: the other side does not hold our secret. Unsupported: another version.
  Result<Bytes> receive(ByteView message);

  bool admitted() const { return step_ == Step::Done; }
  // The keys of this connection; once, after admitted().
  EnvelopePair take_envelopes();
  // Admitted by the slot also_accept: the other side has not yet, or already, rotated.
  bool by_old_slot() const { return matched_ != &keys_.current; }

 private:
  enum class Step : std::uint8_t { Hello, Proof, Done, Failed };

  std::array<std::uint8_t, 32> proof(const MeshKeys& keys, Role prover) const;
  Result<Bytes> on_hello(ByteView message);
  Result<Bytes> on_dialer_proof(ByteView message);
  Result<Bytes> on_listener_proof(ByteView message);

  const Keyring& keys_;
  ConnectionIdentity connection_;
  Bytes hello_;
  Bytes transcript_;
  std::array<std::uint8_t, 32> spare_proof_{};
  const MeshKeys* matched_ = nullptr;
  Step step_ = Step::Hello;
};

}  // namespace ghmesh::mesh
