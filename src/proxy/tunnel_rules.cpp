// SPDX-License-Identifier: Apache-2.0
#include "proxy/tunnel_rules.hpp"

#include <algorithm>

#include "http/message/fields.hpp"

namespace ghmesh::proxy {
namespace {

// Mail servers: what an open proxy is abused for, and no HTTPS client asks for.
bool is_mail_port(std::uint16_t port) { return port == 25 || port == 465 || port == 587; }

}  // namespace

bool matches_host(std::string_view rule, std::string_view host) {
  if (!rule.starts_with("*.")) return host == rule;
  const std::string_view suffix = rule.substr(1);
  return host.size() > suffix.size() && host.ends_with(suffix);
}

TunnelTo TunnelRules::decide(std::string_view authority) const {
  const auto parsed = http::parse_authority(authority);
  if (!parsed || !parsed->port || options_.policy == TunnelPolicy::None) return TunnelTo::Refused;
  const std::string lower = http::to_lower(authority);
  if (std::find(options_.here.begin(), options_.here.end(), lower) != options_.here.end()) return TunnelTo::Here;
  switch (authorities_.decide_tunnel(lower)) {
    case Destination::Upstream:
    case Destination::Beside: return TunnelTo::Upstream;
    case Destination::Allowed: return TunnelTo::Public;
    case Destination::Refused: break;
  }
  const std::string host = http::to_lower(parsed->host);
  if (std::any_of(options_.named.begin(), options_.named.end(),
                  [&](const std::string& rule) { return matches_host(rule, host); }))
    return TunnelTo::Named;
  if (options_.policy == TunnelPolicy::Public && !is_mail_port(*parsed->port)) return TunnelTo::Public;
  return TunnelTo::Refused;
}

}  // namespace ghmesh::proxy
