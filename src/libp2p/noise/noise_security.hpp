// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "libp2p/noise/identity.hpp"
#include "libp2p/noise/secure_handshake.hpp"
#include "libp2p/security/secure_transport.hpp"

namespace ghmesh::libp2p::noise {

// `/noise` as the secure transport of a host. The identity and the random source outlive it.
class NoiseSecurity final : public SecureTransport {
 public:
  NoiseSecurity(const LocalIdentity& local, Random& random, AcceptKeys accept_keys = {})
      : local_(local), random_(random), accept_keys_(accept_keys) {}

  std::string_view protocol() const override { return "/noise"; }
  io::Task<Result<SecuredStream>> secure(std::unique_ptr<io::Stream> lower, Direction direction,
                                         std::optional<PeerId> expected) override;

 private:
  const LocalIdentity& local_;
  Random& random_;
  const AcceptKeys accept_keys_;
};

}  // namespace ghmesh::libp2p::noise
