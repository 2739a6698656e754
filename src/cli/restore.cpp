// SPDX-License-Identifier: Apache-2.0
#include "restore.hpp"

#include <unistd.h>

#include <array>

namespace ghmesh::cli {

namespace {

constexpr std::array<const char*, 4> kSystemBundles{
    "/etc/ssl/certs/ca-certificates.crt",  // Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",    // Fedora, RHEL
    "/etc/ssl/cert.pem",                   // Alpine
    "/etc/ssl/ca-bundle.pem",              // SUSE
};

}  // namespace

std::string neutral_value(std::string_view name) {
  if (name != "SSL_CERT_FILE" && name != "GIT_SSL_CAINFO") return {};
  for (const char* bundle : kSystemBundles)
    if (::access(bundle, R_OK) == 0) return bundle;
  return {};
}

Result<> restore_variables(const Session& session, const node::config::Variables& now, JobOutput& output) {
  VariableMap again;
  std::vector<std::string> unset;
  for (const auto& [name, set] : session.variables) {
    const auto current = now.get(name);
    if (current && *current != set.value) continue;
    if (set.before) {
      again[name] = *set.before;
    } else if (output.in_actions() && !neutral_value(name).empty()) {
      again[name] = neutral_value(name);
    } else {
      unset.push_back(name);
    }
  }
  if (Result<> done = output.set_variables(again); !done) return done;
  return output.unset_variables(unset);
}

}  // namespace ghmesh::cli
