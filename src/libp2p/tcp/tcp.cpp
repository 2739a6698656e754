// SPDX-License-Identifier: Apache-2.0
#include "libp2p/tcp/tcp.hpp"

#include <algorithm>

namespace ghmesh::libp2p::tcp {

using multiformats::Component;
using multiformats::Multiaddr;
using multiformats::Protocol;

std::optional<Target> target_of(const Multiaddr& address) {
  const std::vector<Component> parts = address.components();
  std::size_t i = 0;
  std::string zone;
  if (i < parts.size() && parts[i].protocol == Protocol::Ip6Zone) zone = parts[i++].text();
  if (parts.size() < i + 2) return std::nullopt;
  Target target;
  switch (parts[i].protocol) {
    case Protocol::Ip4:
    case Protocol::Ip6: {
      const auto ip = io::IpAddress::parse(zone.empty() ? parts[i].text() : parts[i].text() + "%" + zone);
      if (!ip) return std::nullopt;
      target.host = *ip;
      break;
    }
    case Protocol::Dns: target.host = parts[i].text(); break;
    case Protocol::Dns4:
      target.host = parts[i].text();
      target.v6_only = false;
      break;
    case Protocol::Dns6:
      target.host = parts[i].text();
      target.v6_only = true;
      break;
    default: return std::nullopt;
  }
  if (parts[i + 1].protocol != Protocol::Tcp || parts[i + 1].value.size() != 2) return std::nullopt;
  target.port = load_be<std::uint16_t>(parts[i + 1].value.data());
  i += 2;
  if (i < parts.size() && parts[i].protocol == Protocol::P2p) ++i;
  return i == parts.size() ? std::optional(target) : std::nullopt;
}

Multiaddr to_multiaddr(const io::Endpoint& endpoint) {
  const auto& octets = endpoint.address.octets;
  Multiaddr host;
  if (endpoint.address.v6) {
    host = Multiaddr::ip6(octets);
  } else {
    std::array<std::uint8_t, 4> four;
    std::copy_n(octets.begin(), 4, four.begin());
    host = Multiaddr::ip4(four);
  }
  return *host.encapsulate(Multiaddr::tcp(endpoint.port));
}

io::Task<Result<std::vector<io::Endpoint>>> resolve(io::Network& network, Target target) {
  std::vector<io::Endpoint> out;
  if (const auto* ip = std::get_if<io::IpAddress>(&target.host)) {
    out.push_back({*ip, target.port});
    co_return out;
  }
  const auto found = co_await network.resolve(std::get<std::string>(target.host));
  if (!found) co_return std::unexpected(found.error());
  for (const io::IpAddress& ip : *found)
    if (!target.v6_only || *target.v6_only == ip.v6) out.push_back({ip, target.port});
  if (out.empty())
    co_return fail(ErrorCode::NotFound, "no address for " + std::get<std::string>(target.host), Fault::Peer,
                   Retry::Later);
  co_return out;
}

Result<std::unique_ptr<io::Listener>> listen(io::Network& network, const Multiaddr& address) {
  const auto target = target_of(address);
  if (!target || !std::holds_alternative<io::IpAddress>(target->host))
    return fail(ErrorCode::Unsupported, "cannot listen on " + address.text());
  return network.listen({std::get<io::IpAddress>(target->host), target->port});
}

std::vector<Multiaddr> announced(io::Network& network, const io::Endpoint& bound) {
  if (!bound.address.is_unspecified()) return {to_multiaddr(bound)};
  std::vector<Multiaddr> out;
  for (const io::IpAddress& ip : network.interface_addresses()) {
    // A socket bound to :: takes IPv4 too, one bound to 0.0.0.0 does not take IPv6.
    const bool link_local = ip.v6 && ip.octets[0] == 0xfe && (ip.octets[1] & 0xc0) == 0x80;
    if ((!ip.v6 || bound.address.v6) && !link_local) out.push_back(to_multiaddr({ip, bound.port}));
  }
  return out;
}

}  // namespace ghmesh::libp2p::tcp
