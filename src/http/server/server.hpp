// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "base/log.hpp"
#include "http/server/exchange.hpp"
#include "http/server/limits.hpp"
#include "http/wire/buffers.hpp"
#include "io/network.hpp"
#include "io/task_group.hpp"

// An HTTP/1.1 server (RFC 9110, RFC 9112) over any listener: one coroutine per connection, requests one after the
// other, pipelined ones answered in order and their answers written together. One loop.

namespace ghmesh::http::server {

class Connection;

// What happened so far; all but connections only grow.
struct Counts {
  std::size_t connections = 0;  // open now
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;  // over the bound of connections
  std::uint64_t requests = 0;
  std::uint64_t hot = 0;      // of those, answered by try_answer
  std::uint64_t refused = 0;  // heads and bodies that were answered with an error here
  std::uint64_t timeouts = 0;
};

class Server {
 public:
  // handler must outlive the server.
  Server(io::Loop& loop, Handler& handler, const Limits& limits = {}, log::Logger logger = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // Accepts from now on. Several listeners may feed one server.
  void listen(std::unique_ptr<io::Listener> listener);
  // A connection that came otherwise: the inside of a tunnel, one end of a pipe.
  void adopt(std::unique_ptr<io::Stream> stream);

  // The same, served within the caller's task: for a handler that took over a connection (Exchange::tunnel) and found
  // another one inside. Not counted against the bound of connections, as the outer one is; drain() tells it to end, and
  // whoever runs it decides how long that may take.
  io::Task<> serve_inside(std::unique_ptr<io::Stream> stream);

  // Stops accepting, closes idle connections, lets every request in flight have its answer, and breaks what is left
  // when limits.drain has passed, or at `until`. Afterwards there are no connections. Not for a handler to call.
  io::Task<> drain();
  io::Task<> drain_until(TimePoint until);

  const Counts& counts() const { return counts_; }
  const Limits& limits() const { return limits_; }
  io::Loop& loop() const { return loop_; }

 private:
  friend class Connection;
  friend class Http1Exchange;
  io::Task<> accept_from(io::Listener& listener);
  io::Task<> serve(std::unique_ptr<io::Stream> stream);
  io::Task<> reject(std::unique_ptr<io::Stream> stream);

  io::Loop& loop_;
  Handler& handler_;
  const Limits limits_;
  log::Logger logger_;
  Counts counts_;
  bool draining_ = false;
  wire::BufferPool inputs_;
  wire::OutputPool outputs_;
  std::vector<Field> scratch_;  // fields of the head that is being read
  IntrusiveList<Connection> open_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
  io::TaskGroup accepting_;
  io::TaskGroup serving_;
};

}  // namespace ghmesh::http::server
