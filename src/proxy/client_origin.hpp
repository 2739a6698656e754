// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "http/client/pool.hpp"
#include "http/message/url.hpp"
#include "io/network.hpp"
#include "proxy/origin.hpp"
#include "proxy/way_out.hpp"
#include "tls/context.hpp"

// Origins reached over the network: an http/client pool behind the Origin interface, with TLS where the URL says so.

namespace ghmesh::proxy {

// A host that is not looked up: where a test has put it.
struct KnownHost {
  std::string host;  // lower case
  std::uint16_t port = 0;
  io::Endpoint at;
};

struct DialRules {
  // Addresses of this machine and of private networks are refused, as for every host that a client may name.
  bool public_only = false;
  const std::vector<KnownHost>* known = nullptr;  // outlives who dials
  WayOut* way_out = nullptr;                      // the same; null: hosts are reached directly
};

// Resolves and connects (each address in turn), or asks the way out for it, and, with tls, shakes hands. Borrowed
// things must outlive the result.
http::client::Connector make_connector(io::Network& network, std::string host, std::uint16_t port,
                                       std::shared_ptr<const tls::ClientContext> tls, DialRules rules);

// The same as a bare connection without TLS: the far end of a tunnel. Refused (Fault::Client) for an internal address.
io::Task<Result<std::unique_ptr<io::Stream>>> dial_host(io::Network& network, std::string host, std::uint16_t port,
                                                        DialRules rules);

class ClientOrigin final : public Origin {
 public:
  ClientOrigin(io::Loop& loop, http::client::Origin origin, const http::client::Limits& limits = {})
      : pool_(loop, std::move(origin), limits) {}

  io::Task<Result<std::unique_ptr<OriginAnswer>>> call(http::Request request, std::optional<RequestBody> body,
                                                       OnInterim on_interim) override;
  const http::client::Counts& counts() const { return pool_.counts(); }

 private:
  http::client::Pool pool_;
};

}  // namespace ghmesh::proxy
