// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "io/stream.hpp"
#include "io/task.hpp"
#include "libp2p/multistream/limits.hpp"
#include "libp2p/resource/manager.hpp"
#include "libp2p/security/secure_transport.hpp"

// From a raw byte stream to a proven, multiplexed connection (libp2p/specs connections/README.md "Upgrading"):
// multistream-select for the security protocol, the handshake, and the muxer, early or by multistream-select. One
// deadline for the whole; a gate and the resource manager are asked before each step that costs something. One loop.

namespace ghmesh::libp2p {

// Who may connect. Every question is asked before the work that a yes would cause.
class ConnectionGate {
 public:
  virtual ~ConnectionGate() = default;
  // Before a dial.
  virtual bool allows_dial(const PeerId&) const { return true; }
  // Before anything is read from an accepted connection.
  virtual bool allows_accept(const std::optional<io::Endpoint>&) const { return true; }
  // After the handshake, before any stream.
  virtual bool allows_peer(const PeerId&, Direction) const { return true; }
};

struct UpgraderLimits {
  // accept + handshake + muxer; go-libp2p allows 15 s for the accept alone.
  Duration deadline = std::chrono::seconds(5);
  multistream::Limits multistream;
};

struct UpgradedConnection {
  SecuredStream secured;
  std::string security;  // "/noise"
  resource::ConnectionPermit permit;
  Duration took{0};
};

class Upgrader {
 public:
  // Transports in order of preference; all outlive the upgrader.
  Upgrader(std::vector<SecureTransport*> transports, const ConnectionGate& gate, UpgraderLimits limits = {})
      : transports_(std::move(transports)), gate_(gate), limits_(limits) {}

  // permit is the connection's place, still transient; it comes back admitted to the peer's scope.
  io::Task<Result<UpgradedConnection>> upgrade(std::unique_ptr<io::Stream> raw, resource::ConnectionPermit permit,
                                               Direction direction, std::optional<PeerId> expected) const;

 private:
  SecureTransport* find(std::string_view protocol) const;

  const std::vector<SecureTransport*> transports_;
  const ConnectionGate& gate_;
  const UpgraderLimits limits_;
};

}  // namespace ghmesh::libp2p
