// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/endpoint.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// Where connections come from. SocketNetwork is the machine's (sockets.hpp); MemoryNetwork (memory_network.hpp) joins
// many nodes in one process on a manual clock.

namespace ghmesh::io {

class Listener {
 public:
  virtual ~Listener() = default;
  // The next connection. Fails once the listener is closed; a shortage of descriptors only delays.
  virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
  // The real port where 0 was asked for. Nothing for a unix socket.
  virtual std::optional<Endpoint> local_endpoint() const = 0;
  // No more connections: a waiting accept() fails with Closed.
  virtual void close() = 0;
};

class Network {
 public:
  virtual ~Network() = default;
  virtual Loop& loop() const = 0;
  virtual Task<Result<std::unique_ptr<Stream>>> dial(Endpoint to) = 0;
  virtual Result<std::unique_ptr<Listener>> listen(const Endpoint& at) = 0;
  // Addresses of a host name, in the order to try them, at most 16; an address literal gives itself.
  virtual Task<Result<std::vector<IpAddress>>> resolve(std::string host) = 0;
  // The texts of a name's TXT records, at most 32; each record's strings joined (RFC 1035 §3.3.14). Unsupported where
  // there is no name service.
  virtual Task<Result<std::vector<std::string>>> resolve_text(std::string name);
  // Addresses of this machine's interfaces that are up, loopback last.
  virtual std::vector<IpAddress> interface_addresses() const = 0;
};

}  // namespace ghmesh::io
