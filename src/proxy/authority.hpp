// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "github/target.hpp"
#include "http/message/url.hpp"
#include "io/endpoint.hpp"

// Whom a request may be for: the upstream (under any of its names), one of GitHub's own hosts that are streamed
// untouched, or nobody. Pure.

namespace ghmesh::proxy {

enum class Destination {
  Upstream,  // goes through the cache
  Beside,    // the upstream's host, but not its API: streamed there untouched, credentials and all
  Allowed,   // streamed to the host named, over TLS on port 443
  Refused,
};

// Where the upstream keeps its API: a URL that ends in /api/v3 says so; otherwise the host tells, and an origin on this
// machine (a stand-in, a tunnel to the cloud) serves it at the root.
github::HostKind layout_of(const http::Url& upstream);

class AuthorityRules {
 public:
  // allowed_hosts: exact names, or "*.name" for everything below a name. Empty takes GitHub's own (github_hosts()).
  AuthorityRules(const http::Url& upstream, std::vector<std::string> allowed_hosts = {});

  // The node's own listeners: a client that was given http://127.0.0.1:8418 means the upstream.
  void add_own(const io::Endpoint& endpoint);

  // Plain RFC 9111: all of the upstream's host goes through the cache.
  void cache_all_of_the_host() { shared_names_.clear(); }

  // Whether a client addresses this node by its own name, as the base URL it was given.
  bool is_own(std::string_view authority) const;

  // authority as the request carried it ("" from HTTP/1.0 without Host means the upstream), and the origin-form of its
  // target: an Enterprise Server has its web pages and git on the host of its API, which is below /api/v3, /api/graphql
  // and /api/uploads. Who calls it by its own name means it so; a client that has this node as its base URL, or
  // believes it talks to api.github.com, means the API whatever the path.
  Destination decide(std::string_view authority, std::string_view target) const;
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
  std::set<std::string, std::less<>> shared_names_;    // of these, those under which more than an API is served
  std::set<std::uint16_t> own_ports_;                  // of listeners; any loopback name with such a port is ours
  std::vector<std::string> own_addresses_;
  std::vector<std::string> allowed_;
  std::string tenant_;  // lower case; empty for github.com and for origins on this machine
};

}  // namespace ghmesh::proxy
