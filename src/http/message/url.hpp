// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

// The parts of an http(s) URI that a proxy decides on (RFC 3986 §3.2, RFC 9110 §4.2), read strictly: no user
// information, no percent-encoding in the host, no fragment, no white space. Whatever two programs could read in two
// ways is refused here rather than guessed.

namespace ghmesh::http {

// host[":" port]. host keeps its spelling; an IPv6 literal keeps its brackets.
struct Authority {
  std::string_view host;
  std::optional<std::uint16_t> port;
};

// Nothing for an empty host, an empty or zero or too large port, and any octet outside [A-Za-z0-9._-] (or a bracketed
// IPv6 address).
std::optional<Authority> parse_authority(std::string_view text);

// An absolute URI as a borrowed view. target is path and query as written: empty when the URI ends with its authority,
// and without its "/" when the query follows the authority at once.
struct UrlView {
  bool secure = false;  // https
  Authority authority;
  std::string_view authority_text;
  std::string_view target;

  std::uint16_t port() const { return authority.port.value_or(secure ? 443 : 80); }
};
std::optional<UrlView> parse_url_view(std::string_view text);

// The same, owned, with the scheme and host in lower case and a target that begins with "/".
struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;
  std::uint16_t port = 0;  // never 0 after parse_url
  std::string target;

  bool secure() const { return scheme == "https"; }
  bool has_default_port() const { return port == (secure() ? 443 : 80); }
  // host, and the port unless it is the scheme's own: what Host carries.
  std::string authority() const;
  // The whole, as it would be written.
  std::string text() const;
};
// Malformed (Fault::Local) names what is wrong.
Result<Url> parse_url(std::string_view text);

}  // namespace ghmesh::http
