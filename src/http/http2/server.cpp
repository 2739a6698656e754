// SPDX-License-Identifier: Apache-2.0
#include "http/http2/server.hpp"

#include "connection.hpp"

namespace ghmesh::http::http2 {

Server::Server(io::Loop& loop, server::Handler& handler, const Limits& limits, log::Logger logger)
    : loop_(loop), handler_(handler), limits_(limits), logger_(std::move(logger)) {}

Server::~Server() = default;

io::Task<> Server::serve(std::unique_ptr<io::Stream> stream) {
  // Leaves the count also when the task is destroyed.
  struct Open {
    explicit Open(Counts& c) : counts(c) { ++counts.connections; }
    ~Open() { --counts.connections; }
    Counts& counts;
  } open{counts_};
  Connection connection(*this, std::move(stream));
  open_.push_back(connection);
  if (draining_) connection.on_drain();
  co_await connection.run();
}

void Server::drain() {
  draining_ = true;
  open_.for_each([](Connection& connection) { connection.on_drain(); });
}

}  // namespace ghmesh::http::http2
