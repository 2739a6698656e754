// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "crypto/secret.hpp"
#include "io/network.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// How a node reaches other hosts from a network that lets nothing out but through a proxy of its own: every connection
// to the origin, to GitHub's other hosts and of a tunnel is one that this proxy was asked for by CONNECT. Peers are
// dialled directly. One loop.

namespace ghmesh::proxy {

// Whether an entry of a NO_PROXY list keeps host and port from the proxy. No document says what may stand there; this
// is what curl, Go and Python agree on: "*", a name, ".name" or "*.name" for all below it, ":port" behind either, an
// address, a network as "10.0.0.0/8"; commas or blanks between. host in lower case. bare_is_suffix: "github.com" means
// all below it, too; Node is the one that does not think so.
bool is_direct(std::string_view list, std::string_view host, std::uint16_t port, bool bare_is_suffix = true);

struct WayOutOptions {
  std::string host;  // of the proxy
  std::uint16_t port = 0;
  crypto::SecretText credentials;  // "user:password" for Basic (RFC 7617); empty: none
  std::string direct;              // a NO_PROXY list
  std::string pseudonym;           // who we say we are in Via; a CONNECT that carries it has come in a circle
};

class WayOut {
 public:
  struct Counts {
    std::uint64_t opened = 0;
    std::uint64_t failed = 0;
    std::string problem;  // why the last attempt failed; empty: it did not
  };

  explicit WayOut(WayOutOptions options);

  // False for this machine and for what the list names. host in lower case.
  bool leads_to(std::string_view host, std::uint16_t port) const;
  // A connection to host and port; the name is the proxy's to resolve. The caller bounds the time.
  io::Task<Result<std::unique_ptr<io::Stream>>> connect(io::Network& network, std::string host, std::uint16_t port);

  const Counts& counts() const { return counts_; }
  const std::string& pseudonym() const { return options_.pseudonym; }

 private:
  io::Task<Result<std::unique_ptr<io::Stream>>> ask(io::Network& network, std::string authority) const;

  const WayOutOptions options_;
  crypto::SecretText authorization_;  // "Basic …"
  Counts counts_;
};

// Whether a CONNECT's Via (RFC 9110 §7.6.3) names who has sent it on before.
bool names_in_via(std::string_view via, std::string_view pseudonym);

}  // namespace ghmesh::proxy
