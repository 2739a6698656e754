// SPDX-License-Identifier: Apache-2.0
#include "http/server/server.hpp"

#include "connection.hpp"
#include "http/http1/write.hpp"

namespace ghmesh::http::server {

Server::Server(io::Loop& loop, Handler& handler, const Limits& limits, log::Logger logger)
    : loop_(loop),
      handler_(handler),
      limits_(limits),
      logger_(std::move(logger)),
      scratch_(limits.head.fields),
      accepting_(loop),
      serving_(loop) {}

// Tasks refer to listeners, connections and pools: they go first.
Server::~Server() {
  accepting_.cancel();
  serving_.cancel();
}

void Server::listen(std::unique_ptr<io::Listener> listener) {
  listeners_.push_back(std::move(listener));
  accepting_.spawn(accept_from(*listeners_.back()));
}

io::Task<> Server::accept_from(io::Listener& listener) {
  while (true) {
    auto stream = co_await listener.accept();
    if (!stream) {
      if (!draining_) logger_.warn("accepting ended", {{"why", stream.error().message}});
      co_return;
    }
    adopt(std::move(*stream));
  }
}

void Server::adopt(std::unique_ptr<io::Stream> stream) {
  ++counts_.accepted;
  if (counts_.connections >= limits_.connections || draining_) {
    ++counts_.rejected;
    // Telling costs a little, too: beyond a handful of rejected ones at once the rest are just closed.
    if (serving_.size() < limits_.connections + 16) serving_.spawn(reject(std::move(stream)));
    return;
  }
  ++counts_.connections;
  serving_.spawn(serve(std::move(stream)));
}

io::Task<> Server::serve(std::unique_ptr<io::Stream> stream) {
  Connection connection(*this, std::move(stream));
  open_.push_back(connection);
  // Leaves the count also when the task is destroyed.
  struct Leave {
    Counts& counts;
    ~Leave() { --counts.connections; }
  } leave{counts_};
  co_await connection.run();
}

io::Task<> Server::serve_inside(std::unique_ptr<io::Stream> stream) {
  ++counts_.accepted;
  Connection connection(*this, std::move(stream));
  open_.push_back(connection);
  if (draining_) connection.on_drain();
  co_await connection.run();
  co_await connection.farewell();
}

io::Task<> Server::reject(std::unique_ptr<io::Stream> stream) {
  const std::string body = error_body(503, draining_ ? "this node is stopping" : "too many connections");
  std::string text;
  http1::format_status_line(text, 503);
  text.append("Content-Type: application/json; charset=utf-8\r\nConnection: close\r\nRetry-After: 1\r\n");
  http1::format_length(text, body.size());
  text.append("\r\n").append(body);
  const iovec part{text.data(), text.size()};
  stream->try_write(std::span(&part, 1));
  stream->shutdown_write();
  // The answer must not be overtaken by the reset that closing with unread octets causes.
  io::StreamDeadline deadline(*stream, limits_.linger, "rejecting a connection");
  Bytes thrown(1024);
  for (int reads = 0; reads < 64; ++reads) {
    const auto count = co_await stream->read_some(thrown);
    if (!count || *count == 0) break;
  }
}

io::Task<> Server::drain() {
  return drain_until(loop_.now() + std::chrono::duration_cast<TimePoint::duration>(limits_.drain));
}

io::Task<> Server::drain_until(TimePoint until) {
  draining_ = true;
  for (const auto& listener : listeners_) listener->close();
  accepting_.cancel();
  listeners_.clear();
  open_.for_each([](Connection& connection) { connection.on_drain(); });
  if (!co_await serving_.join_until(until)) {
    logger_.warn("breaking connections that did not end in time", {{"connections", counts_.connections}});
    serving_.cancel();
    counts_.connections = 0;  // some may not have begun
  }
}

}  // namespace ghmesh::http::server
