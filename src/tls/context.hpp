// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "crypto/secret.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

// What a side of TLS brings: roots to trust, certificate to show, protocols to offer. Immutable once made; shared by
// all connections.

namespace ghmesh::tls {

struct ClientOptions {
  bool system_roots = true;
  std::string extra_roots_file;  // PEM; "" for none
  std::vector<std::string> alpn;
};

class ClientContext {
 public:
  // Fails if a file cannot be read or holds no certificate; the message names it.
  static Result<std::shared_ptr<const ClientContext>> make(const ClientOptions& options);
  ~ClientContext();
  ssl_ctx_st* native() const { return context_; }
  const std::vector<std::uint8_t>& alpn_wire() const { return alpn_wire_; }

 private:
  ClientContext() = default;
  ssl_ctx_st* context_ = nullptr;
  std::vector<std::uint8_t> alpn_wire_;
};

struct ServerOptions {
  std::string certificate_chain_pem;
  const crypto::SecretText* private_key_pem = nullptr;  // borrowed during make()
  std::vector<std::string> alpn;                        // in the server's order of preference
};

class ServerContext {
 public:
  static Result<std::shared_ptr<const ServerContext>> make(const ServerOptions& options);
  ~ServerContext();
  ssl_ctx_st* native() const { return context_; }
  const std::vector<std::uint8_t>& alpn_wire() const { return alpn_wire_; }

 private:
  ServerContext() = default;
  ssl_ctx_st* context_ = nullptr;
  std::vector<std::uint8_t> alpn_wire_;
};

}  // namespace ghmesh::tls
