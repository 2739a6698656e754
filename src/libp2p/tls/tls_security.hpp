// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libp2p/security/secure_transport.hpp"

// `/tls/1.0.0` (libp2p/specs:tls/tls.md) as the secure transport of a host: TLS 1.3 with both sides authenticated by
// the libp2p certificate extension; muxers are agreed by ALPN (connections/inlined-muxer-negotiation.md). One loop.

namespace ghmesh::libp2p::tls {

class TlsSecurity final : public SecureTransport {
 public:
  // One certificate for the life of the object. Without muxers only "libp2p" is offered.
  static Result<std::unique_ptr<TlsSecurity>> make(const PrivateKey& key, std::vector<std::string> muxers,
                                                   const Clock& clock, AcceptKeys accept_keys = {}) {
    return make(voucher_of(key), std::move(muxers), clock, accept_keys);
  }
  static Result<std::unique_ptr<TlsSecurity>> make(const Voucher& identity, std::vector<std::string> muxers,
                                                   const Clock& clock, AcceptKeys accept_keys = {});
  ~TlsSecurity() override;

  std::string_view protocol() const override { return "/tls/1.0.0"; }
  io::Task<Result<SecuredStream>> secure(std::unique_ptr<io::Stream> lower, Direction direction,
                                         std::optional<PeerId> expected) override;

 private:
  struct Context;
  TlsSecurity(std::shared_ptr<const Context> context, const Clock& clock, AcceptKeys accept_keys)
      : context_(std::move(context)), clock_(clock), accept_keys_(accept_keys) {}

  std::shared_ptr<const Context> context_;
  const Clock& clock_;
  const AcceptKeys accept_keys_;
};

}  // namespace ghmesh::libp2p::tls
