// SPDX-License-Identifier: Apache-2.0
#include "names.hpp"

#include <algorithm>
#include <deque>

namespace ghmesh::mesh {

using multiformats::Component;
using multiformats::Multiaddr;
using multiformats::Protocol;

namespace {

struct Parts {
  Protocol protocol;
  std::string name;
  Multiaddr rest;  // behind the name
};

std::optional<Parts> split(const Multiaddr& address) {
  const std::vector<Component> components = address.components();
  if (components.empty()) return std::nullopt;
  Parts parts{components[0].protocol, components[0].text(), {}};
  for (std::size_t i = 1; i < components.size(); ++i) {
    const auto one = Multiaddr::make(components[i].protocol, components[i].value);
    if (!one) return std::nullopt;
    if (parts.rest.empty()) {
      parts.rest = *one;
    } else if (auto joined = parts.rest.encapsulate(*one)) {
      parts.rest = std::move(*joined);
    } else {
      return std::nullopt;
    }
  }
  return parts;
}

std::optional<Multiaddr> with_host(const io::IpAddress& ip, const Parts& parts) {
  if ((parts.protocol == Protocol::Dns4 && ip.v6) || (parts.protocol == Protocol::Dns6 && !ip.v6)) return std::nullopt;
  const auto host = Multiaddr::make(ip.v6 ? Protocol::Ip6 : Protocol::Ip4, ip.bytes());
  if (!host) return std::nullopt;
  if (parts.rest.empty()) return *host;
  auto whole = host->encapsulate(parts.rest);
  return whole ? std::optional(std::move(*whole)) : std::nullopt;
}

constexpr std::string_view kTextPrefix = "dnsaddr=";

// Only what ends as the asked-for address does: /dnsaddr/name/p2p/ID wants that peer and nobody else.
std::optional<Multiaddr> from_text(std::string_view text, const Multiaddr& wanted_end) {
  if (!text.starts_with(kTextPrefix)) return std::nullopt;
  auto address = Multiaddr::parse(text.substr(kTextPrefix.size()));
  if (!address) return std::nullopt;
  if (!wanted_end.empty()) {
    const Multiaddr before = address->decapsulate(wanted_end);
    if (before == *address || before.bytes().size() + wanted_end.bytes().size() != address->bytes().size())
      return std::nullopt;
  }
  return std::move(*address);
}

}  // namespace

bool begins_with_name(const Multiaddr& address) {
  const std::vector<Component> components = address.components();
  if (components.empty()) return false;
  const Protocol first = components[0].protocol;
  return first == Protocol::Dns || first == Protocol::Dns4 || first == Protocol::Dns6 || first == Protocol::DnsAddr;
}

io::Task<Result<std::vector<Multiaddr>>> expand(io::Network& network, Multiaddr address, DiscoveryLimits limits) {
  struct Step {
    Multiaddr address;
    std::size_t depth;
  };
  std::deque<Step> steps{{std::move(address), 0}};
  std::vector<Multiaddr> out;
  std::optional<Error> last;
  for (std::size_t lookups = 0; !steps.empty() && out.size() < limits.name_results;) {
    const Step step = std::move(steps.front());
    steps.pop_front();
    const auto add = [&](Multiaddr found) {
      if (out.size() < limits.name_results && std::ranges::find(out, found) == out.end())
        out.push_back(std::move(found));
    };
    if (!begins_with_name(step.address)) {
      add(step.address);
      continue;
    }
    if (lookups++ >= limits.name_lookups) break;
    const auto parts = split(step.address);
    if (!parts) continue;
    if (parts->protocol == Protocol::DnsAddr) {
      const auto texts = co_await network.resolve_text("_dnsaddr." + parts->name);
      if (!texts) last = texts.error();
      if (!texts || step.depth >= limits.name_depth) continue;
      for (const std::string& text : *texts)
        if (auto found = from_text(text, parts->rest); found && steps.size() < limits.name_results)
          steps.push_back({std::move(*found), step.depth + 1});
    } else {
      const auto hosts = co_await network.resolve(parts->name);
      if (!hosts) last = hosts.error();
      if (!hosts) continue;
      for (const io::IpAddress& ip : *hosts)
        if (auto found = with_host(ip, *parts)) add(std::move(*found));
    }
  }
  if (out.empty() && last) co_return std::unexpected(std::move(*last));
  co_return out;
}

}  // namespace ghmesh::mesh
