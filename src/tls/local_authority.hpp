// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "tls/context.hpp"

// The authority of one node, for answering TLS in the name of the API's hosts to clients of this machine. It can sign
// for these names only (critical name constraints, RFC 5280 §4.2.1.10), lives for a day, and signs one leaf in its
// life: its key is wiped before make() returns, so there is none that could be stolen later. A node that runs for
// longer gets a successor in time:
//
//   0 h ───────────── half its life ─────────────────── an hour before its end ─── its end
//   shown, trusted    the successor is trusted, too     the successor is shown
//
// A client that read the certificates in the ten hours before a change goes on unharmed. One thread.

namespace ghmesh::tls {

struct LocalAuthorityOptions {
  std::vector<std::string> names;  // DNS names and IP literals; at least one
  std::vector<std::string> alpn;   // in order of preference
  Duration lifetime = std::chrono::hours(24);
};

class LocalAuthority {
 public:
  static Result<std::unique_ptr<LocalAuthority>> make(const LocalAuthorityOptions& options, WallTime now);

  // What to show to connections that begin now.
  std::shared_ptr<const ServerContext> context() const { return current_.context; }
  // The certificates that clients are to trust (PEM): the one shown, and its successor once there is one.
  std::string trusted_pem() const;
  // Does what is due at now. True if trusted_pem() has changed.
  Result<bool> renew(WallTime now);

 private:
  struct Generation {
    std::string certificate_pem;  // of the authority
    std::shared_ptr<const ServerContext> context;
    WallTime made{};
  };

  explicit LocalAuthority(const LocalAuthorityOptions& options) : options_(options) {}
  Result<Generation> generate(WallTime now) const;

  const LocalAuthorityOptions options_;
  Generation current_;
  std::optional<Generation> next_;
};

}  // namespace ghmesh::tls
