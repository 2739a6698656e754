// SPDX-License-Identifier: Apache-2.0
#include "proxy/authority.hpp"

#include <algorithm>

#include "http/message/fields.hpp"

namespace ghmesh::proxy {
namespace {

bool is_loopback_name(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = io::IpAddress::parse(host);
  return address && address->is_loopback();
}

}  // namespace

std::vector<std::string> AuthorityRules::github_hosts() {
  return {"github.com",
          "uploads.github.com",
          "codeload.github.com",
          "*.githubusercontent.com",
          "ghcr.io",
          "*.pkg.github.com",
          "*.actions.githubusercontent.com",
          "*.blob.core.windows.net"};  // where logs, artifacts and caches of Actions lie, behind signed URLs
}

github::HostKind layout_of(const http::Url& upstream) {
  if (upstream.target.starts_with("/api/v3")) return github::HostKind::EnterpriseServer;
  if (is_loopback_name(http::to_lower(upstream.host))) return github::HostKind::Cloud;
  return github::host_kind(upstream.authority());
}

AuthorityRules::AuthorityRules(const http::Url& upstream, std::vector<std::string> allowed_hosts)
    : allowed_(allowed_hosts.empty() ? github_hosts() : std::move(allowed_hosts)) {
  const std::string host = http::to_lower(upstream.host);
  if (host != "api.github.com" && !is_loopback_name(host) && !io::IpAddress::parse(host)) {
    tenant_ = host.starts_with("api.") && host.ends_with(".ghe.com") ? host.substr(4) : host;
    allowed_.push_back(tenant_);
    allowed_.push_back("*." + tenant_);
  }
  for (std::string name : {http::to_lower(upstream.authority()), host + ":" + std::to_string(upstream.port)}) {
    if (layout_of(upstream) == github::HostKind::EnterpriseServer) shared_names_.insert(name);
    upstream_names_.insert(std::move(name));
  }
  for (const char* name : {"api.github.com", "api.github.com:443"}) upstream_names_.insert(name);
}

void AuthorityRules::add_own(const io::Endpoint& endpoint) {
  own_ports_.insert(endpoint.port);
  own_addresses_.push_back(to_string(endpoint));
}

bool AuthorityRules::is_upstream(std::string_view authority) const {
  if (authority.empty() || upstream_names_.contains(authority)) return true;
  const std::string lower = http::to_lower(authority);
  if (upstream_names_.contains(lower)) return true;
  return is_own(lower);
}

bool AuthorityRules::is_own(std::string_view authority) const {
  const std::string lower = http::to_lower(authority);
  if (std::find(own_addresses_.begin(), own_addresses_.end(), lower) != own_addresses_.end()) return true;
  const auto parsed = http::parse_authority(lower);
  return parsed && own_ports_.contains(parsed->port.value_or(80)) && is_loopback_name(parsed->host);
}

bool AuthorityRules::is_allowed(std::string_view host) const {
  const std::string lower = http::to_lower(host);
  return std::any_of(allowed_.begin(), allowed_.end(), [&](const std::string& rule) {
    if (!rule.starts_with("*.")) return lower == rule;
    const std::string_view suffix = std::string_view(rule).substr(1);
    return lower.size() > suffix.size() && lower.ends_with(suffix);
  });
}

bool AuthorityRules::is_of_tenant(std::string_view host) const {
  const std::string lower = http::to_lower(host);
  return !tenant_.empty() && (lower == tenant_ || lower.ends_with("." + tenant_));
}

Destination AuthorityRules::decide(std::string_view authority, std::string_view target) const {
  if (is_upstream(authority)) {
    if (shared_names_.empty() || github::has_api_prefix(target.substr(0, target.find('?'))))
      return Destination::Upstream;
    return shared_names_.contains(http::to_lower(authority)) ? Destination::Beside : Destination::Upstream;
  }
  const auto parsed = http::parse_authority(authority);
  if (!parsed || parsed->port.value_or(443) != 443) return Destination::Refused;
  return is_allowed(parsed->host) ? Destination::Allowed : Destination::Refused;
}

Destination AuthorityRules::decide_tunnel(std::string_view authority) const {
  const auto parsed = http::parse_authority(authority);
  if (!parsed || !parsed->port) return Destination::Refused;
  if (is_upstream(authority)) return Destination::Upstream;
  return *parsed->port == 443 && is_allowed(parsed->host) ? Destination::Allowed : Destination::Refused;
}

}  // namespace ghmesh::proxy
