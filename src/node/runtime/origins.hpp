// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>

#include "proxy/client_origin.hpp"

// The pools of connections by which a node reaches hosts: their bounds, and those made when a host is first asked for.
// One loop.

namespace ghmesh::node {

// A proof is a round trip: with c connections and a round trip of r a node makes c / r of them a second, and GitHub's
// pace lets each token have 60 in flight. Each of the server's 1,024 clients may wait for one.
inline http::client::Limits upstream_limits() {
  http::client::Limits out;
  out.connections = 64;
  out.waiting = 1024;
  return out;
}

// What an Enterprise Server has beside its API: git, uploads of artifacts, long polls. Nobody here knows how long an
// answer takes or how long a client compresses what it pushes, so silence is judged as in a tunnel.
inline constexpr Duration kBesideSilence = std::chrono::minutes(10);
inline constexpr Duration kBesideTotal = std::chrono::hours(6);  // of a job

inline http::client::Limits beside_limits() {
  http::client::Limits out;
  out.connections = 64;
  out.first_byte = out.between_bytes = out.send_stall = kBesideSilence;
  return out;
}

// Origins of the allow-list.
class OtherOrigins {
 public:
  OtherOrigins(io::Network& network, std::shared_ptr<const tls::ClientContext> tls, proxy::DialRules rules)
      : network_(network), tls_(std::move(tls)), rules_(rules) {}

  // internal_too: the host may have an address of a private network.
  std::shared_ptr<proxy::Origin> get(const std::string& host, bool internal_too) {
    if (const auto known = origins_.find(host); known != origins_.end()) return known->second;
    if (origins_.size() >= kMaxOrigins) origins_.clear();
    proxy::DialRules rules = rules_;
    rules.public_only = rules.public_only && !internal_too;
    auto origin = std::make_shared<proxy::ClientOrigin>(
        network_.loop(), http::client::Origin{host, true, proxy::make_connector(network_, host, 443, tls_, rules)});
    origins_.emplace(host, origin);
    return origin;
  }

 private:
  // Redirects lead to a handful.
  static constexpr std::size_t kMaxOrigins = 16;

  io::Network& network_;
  std::shared_ptr<const tls::ClientContext> tls_;
  const proxy::DialRules rules_;
  std::map<std::string, std::shared_ptr<proxy::Origin>> origins_;
};

}  // namespace ghmesh::node
