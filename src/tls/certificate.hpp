// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

// Making certificates (RFC 5280): a short-lived authority that can only sign for the names it was made for, and leaves
// with keys of their own. For the local CA of the forward proxy and for the stand-in's HTTPS. Any thread.

namespace ghmesh::tls {

struct Identity {
  std::string certificate_pem;
  crypto::SecretText private_key_pem;  // P-256, PKCS #8
};

struct AuthorityOptions {
  std::string common_name = "ghmesh local CA";
  std::vector<std::string> permitted_dns;  // critical name constraints: these names and those below them
  std::vector<std::string> permitted_ip;   // single addresses
  Duration lifetime = std::chrono::hours(24);
};

// P-256, path length 0, keyCertSign only. Valid from one hour before now (clocks of a fleet differ).
Result<Identity> make_authority(const AuthorityOptions& options, WallTime now);

// A server leaf for names (DNS names or IP literals) with a fresh key, valid as long as its authority at most.
Result<Identity> make_leaf(const Identity& authority, const std::vector<std::string>& names, Duration lifetime,
                           WallTime now);

}  // namespace ghmesh::tls
