// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/authority.hpp"

// What becomes of a CONNECT. A client that was given this node as its HTTPS proxy sends every host here, so by default
// whatever is public must pass; what is not public (this machine, private networks, metadata services) passes only
// where the operator named it. Pure.

namespace ghmesh::proxy {

enum class TunnelPolicy : std::uint8_t {
  Public,  // tunnels to any public host
  GitHub,  // to GitHub's own hosts, port 443
  None,    // no CONNECT at all
};

enum class TunnelTo : std::uint8_t {
  Here,      // answered in this process, in the API's name
  Upstream,  // the configured upstream, wherever it is
  Named,     // a host that the operator named, wherever it is
  Public,    // any address of that host that is not internal
  Refused,
};

struct TunnelOptions {
  TunnelPolicy policy = TunnelPolicy::GitHub;
  std::vector<std::string> here;   // authorities with port, lower case, that are answered here
  std::vector<std::string> named;  // "name" or "*.name", lower case
};

class TunnelRules {
 public:
  // authorities must outlive the rules.
  TunnelRules(const AuthorityRules& authorities, TunnelOptions options)
      : authorities_(authorities), options_(std::move(options)) {}

  // authority as CONNECT carried it: its port must be said.
  TunnelTo decide(std::string_view authority) const;

 private:
  const AuthorityRules& authorities_;
  const TunnelOptions options_;
};

// Whether host is rule's name, or below it for "*.name". Both in lower case.
bool matches_host(std::string_view rule, std::string_view host);

}  // namespace ghmesh::proxy
