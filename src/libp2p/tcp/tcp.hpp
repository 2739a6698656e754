// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "io/network.hpp"
#include "multiformats/multiaddr.hpp"

// TCP as a libp2p transport (libp2p/specs addressing/README.md): which multiaddrs it can dial, and how they translate.
// Sockets, keep-alive and resolver caching are io's.

namespace ghmesh::libp2p::tcp {

// What to connect to: an address, or a name with the family it may resolve to.
struct Target {
  std::variant<io::IpAddress, std::string> host;
  std::optional<bool> v6_only;  // dns4: false, dns6: true
  std::uint16_t port = 0;
};

// Nothing for an address that is not plain TCP, with or without a /p2p behind it: other transports, relays, port 0 to
// dial, an IPv6 zone nobody has.
std::optional<Target> target_of(const multiformats::Multiaddr& address);

// /ip4/…/tcp/… or /ip6/…/tcp/….
multiformats::Multiaddr to_multiaddr(const io::Endpoint& endpoint);

// The addresses of a target in the order to try; a name is looked up. Errors of Network::resolve.
io::Task<Result<std::vector<io::Endpoint>>> resolve(io::Network& network, Target target);

// Listens where the address says; only literal addresses. Unsupported for anything that is not TCP.
Result<std::unique_ptr<io::Listener>> listen(io::Network& network, const multiformats::Multiaddr& address);

// What to tell others about a listener: itself, or for an unspecified address one per interface.
std::vector<multiformats::Multiaddr> announced(io::Network& network, const io::Endpoint& bound);

}  // namespace ghmesh::libp2p::tcp
