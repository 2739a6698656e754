// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/client/limits.hpp"
#include "http/message/message.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// An HTTP/1.1 client for one origin (RFC 9110, RFC 9112): a pool of kept connections, streamed bodies both ways,
// deadlines for every wait. It follows no redirect, keeps no cookie, decodes nothing. How to connect is given to it, so
// TLS and memory pipes look alike. One loop. Everything that comes from an origin is hostile; errors carry
// Fault::Origin: Timeout (504), Closed, Malformed, Limit, Io (502).

namespace ghmesh::http::client {

using Connector = std::function<io::Task<Result<std::unique_ptr<io::Stream>>>()>;

struct Origin {
  std::string authority;  // what Host says unless a request says it
  bool secure = false;    // connecting includes a TLS handshake
  Connector connect;
};

// The body of a request. Read while it is sent; destroyed by its owner after the Reply.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // How many octets read() will give; nothing if unknown: then the body is chunked.
  virtual std::optional<std::uint64_t> length() const = 0;
  // The next piece, empty at the end; valid until the next call. An error ends the request with that error.
  virtual io::Task<Result<std::string_view>> read() = 0;
};

// A body that is there as a whole; the view must outlive the Reply.
class TextBody final : public BodySource {
 public:
  explicit TextBody(std::string_view text) : text_(text), left_(text) {}
  std::optional<std::uint64_t> length() const override { return text_.size(); }
  io::Task<Result<std::string_view>> read() override { co_return std::exchange(left_, {}); }

 private:
  std::string_view text_;
  std::string_view left_;
};

// Views and pointers must outlive the send() task; body must outlive the Reply.
struct Outgoing {
  std::string_view method;
  std::string_view target;  // origin-form, or what the origin takes
  // End-to-end fields, and Host if it differs from the origin's. Fields of the connection and of framing are left out.
  FieldsView fields;
  BodySource* body = nullptr;
  std::string_view upgrade = {};  // asks for that protocol
  // Told of each 1xx but 100 and 101.
  std::function<io::Task<>(const ResponseView&)> on_interim = {};
};

struct Counts {
  std::size_t open = 0;  // connections now, idle ones included
  std::size_t idle = 0;
  std::size_t waiting = 0;
  std::uint64_t opened = 0;
  std::uint64_t reused = 0;
  std::uint64_t retried = 0;
  std::uint64_t failed = 0;  // requests that ended with an error before their head
  std::uint64_t timeouts = 0;
  std::uint64_t rejected = 0;  // over the bound of waiting requests
};

class Connection;
struct PoolState;

// The answer to one request. Holds its connection until the body has been read; destroying it earlier closes that.
class Reply {
 public:
  Reply(std::shared_ptr<PoolState> pool, std::unique_ptr<Connection> connection);
  ~Reply();
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  int status() const;
  // Valid as long as this.
  FieldsView fields() const;
  ResponseView view() const { return {status(), fields()}; }
  // Of a body with Content-Length, or 0 if there is none; nothing if only its end will tell.
  std::optional<std::uint64_t> length() const;

  // The next piece of the body, empty at its end; valid until the next read. Closed if the origin ended it early: never
  // taken for the end.
  io::Task<Result<std::string_view>> read();
  // All of it; Limit beyond max.
  io::Task<Result<std::string>> read_all(std::size_t max);
  bool complete() const;
  FieldsView trailers() const;

  // After 101: the stream is the caller's, with octets that came early. Once.
  std::unique_ptr<io::Stream> take_stream(std::string& early);

 private:
  friend class Pool;

  std::shared_ptr<PoolState> pool_;
  std::unique_ptr<Connection> connection_;
};

class Pool {
 public:
  Pool(io::Loop& loop, Origin origin, const Limits& limits = {});
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  // Closes idle connections; replies that are still read keep theirs until they are done.
  ~Pool();

  // Sends a request and gives the final answer once its head is there. A request that hits a kept connection which has
  // died is sent once more on a fresh one if it is idempotent, no octet of an answer came, and none of its body was
  // read.
  io::Task<Result<std::unique_ptr<Reply>>> send(Outgoing request);

  // No connection is kept from now on, idle ones are closed; requests still work.
  void close();
  const Counts& counts() const;

 private:
  std::shared_ptr<PoolState> state_;
};

}  // namespace ghmesh::http::client
