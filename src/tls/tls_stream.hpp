// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/stream.hpp"
#include "io/task.hpp"
#include "tls/context.hpp"

struct ssl_st;  // OpenSSL's SSL

// TLS 1.3 (RFC 8446) as a byte stream over any byte stream, by OpenSSL. The handshake ends before a stream exists, so
// nothing can be sent to, or believed of, an unverified peer. One loop; the TLS stream owns the stream below it.

namespace ghmesh::tls {

struct Connection {
  std::unique_ptr<io::Stream> stream;
  std::string alpn;  // what was agreed on, "" if nothing
  // The peer's certificate in DER; empty if it showed none.
  Bytes peer_certificate;
};

// As a client: host is sent as SNI and must match the certificate (an IP literal is matched as such and not sent). The
// caller bounds the time, for instance with io::StreamDeadline on the lower stream or io::with_deadline.
io::Task<Result<Connection>> connect(std::unique_ptr<io::Stream> lower, std::shared_ptr<const ClientContext> context,
                                     std::string host);
// As a server.
io::Task<Result<Connection>> accept(std::unique_ptr<io::Stream> lower, std::shared_ptr<const ServerContext> context);

// For those who bring an SSL object of their own, with its role, keys and checks set (libp2p's mutual authentication):
// the handshake, then the stream. Takes ssl; context is kept as long as the stream. With names the peer in errors.
io::Task<Result<Connection>> handshake(std::unique_ptr<io::Stream> lower, ssl_st* ssl,
                                       std::shared_ptr<const void> context, std::string with);

}  // namespace ghmesh::tls
