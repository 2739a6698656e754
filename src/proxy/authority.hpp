// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "http/message/url.hpp"
#include "io/endpoint.hpp"

// Whom a request may be for: the upstream (under any of its names), one of GitHub's own hosts that are streamed
// untouched, or nobody. Pure.

namespace ghmesh::proxy {

enum class Destination {
  Upstream,  // goes through the cache
  Allowed,   // streamed to the host named, over TLS on port 443
  Refused,
};

class AuthorityRules {
 public:
  // allowed_hosts: exact names, or "*.name" for everything below a name. Empty takes GitHub's own (github_hosts()).
  AuthorityRules(const http::Url& upstream, std::vector<std::string> allowed_hosts = {});

  // The node's own listeners: a client that was given http://127.0.0.1:8418 means the upstream.
  void add_own(const io::Endpoint& endpoint);

  // Whether a client addresses this node by its own name, as the base URL it was given.
  bool is_own(std::string_view authority) const;

  // authority as the request carried it ("" from HTTP/1.0 without Host means the upstream).
  Destination decide(std::string_view authority) const;
  // Whether a host belongs to the GHE.com tenant or the Enterprise Server that the upstream is: these keep uploads,
  // archives and files on names of their own below the tenant's, and may lie in a private network as the upstream may.
  bool is_of_tenant(std::string_view host) const;
  // The same as decide() for CONNECT, where the port counts: 443 only, unless the authority is the upstream's own.
  Destination decide_tunnel(std::string_view authority) const;

  // GitHub's asset, storage, upload and web hosts that API answers redirect to.
  static std::vector<std::string> github_hosts();

 private:
  bool is_upstream(std::string_view authority) const;
  bool is_allowed(std::string_view host) const;

  std::set<std::string, std::less<>> upstream_names_;  // lower case, with port unless it is the scheme's own
  std::set<std::uint16_t> own_ports_;                  // of listeners; any loopback name with such a port is ours
  std::vector<std::string> own_addresses_;
  std::vector<std::string> allowed_;
  std::string tenant_;  // lower case; empty for github.com and for origins on this machine
};

}  // namespace ghmesh::proxy
