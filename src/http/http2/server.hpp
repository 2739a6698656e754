// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/intrusive_list.hpp"
#include "base/log.hpp"
#include "http/http2/limits.hpp"
#include "http/server/exchange.hpp"
#include "http/wire/buffers.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// The server's side of HTTP/2 (RFC 9113, HPACK: RFC 7541), by nghttp2, for the same handlers as http/server: over TLS
// where ALPN agreed on "h2". Requests of a connection run beside each other; their answers share it frame by frame.
// No push, no extended CONNECT, no CONNECT. One loop.

namespace ghmesh::http::http2 {

class Connection;

// What happened so far; all but connections only grow.
struct Counts {
  std::size_t connections = 0;  // open now
  std::uint64_t requests = 0;
  std::uint64_t hot = 0;      // of those, answered by try_answer
  std::uint64_t refused = 0;  // answered with an error here, or refused as too many
  std::uint64_t resets = 0;   // streams ended early, by either side
  std::uint64_t calmed = 0;   // connections ended for a flood of resets, of frames, of head pieces
};

class Server {
 public:
  // handler must outlive the server.
  Server(io::Loop& loop, server::Handler& handler, const Limits& limits = {}, log::Logger logger = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // One connection, from its preface to its end, within the caller's task.
  io::Task<> serve(std::unique_ptr<io::Stream> stream);
  // Tells all connections that no further request is taken (GOAWAY). They end with their present requests; whoever runs
  // serve() decides how long that may take.
  void drain();

  const Counts& counts() const { return counts_; }

 private:
  friend class Connection;
  friend class Stream;
  io::Loop& loop_;
  server::Handler& handler_;
  const Limits limits_;
  log::Logger logger_;
  Counts counts_;
  bool draining_ = false;
  wire::BufferPool inputs_;
  IntrusiveList<Connection> open_;
};

}  // namespace ghmesh::http::http2
