// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "http/http1/body.hpp"
#include "io/stream.hpp"
#include "io/task.hpp"

// One request and its answer, as a handler sees them, whatever version of HTTP the client speaks. The server owns
// framing and the connection: it writes Content-Length, Transfer-Encoding, Connection and Date, answers Expect, leaves
// out what HEAD and 304 may not have, and decides whether the connection lives on; the handler says what the answer is.
// One thread; an Exchange is valid until its answer() task ends.

namespace ghmesh::http::server {

// An answer whose head exists as octets already: how a cached hit costs one write and no formatting.
struct Answer {
  // Status line and fields, each with its CRLF, Content-Length among them; without Connection and the empty line.
  std::string_view head;
  // Further field lines that change with each answer (Age, Cache-Status); copied at once.
  std::string_view more;
  std::string_view body;  // left out for HEAD; empty for 204 and 304
  // Keeps body alive until it is written; head is copied at once.
  std::shared_ptr<const void> owner;
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const http1::RequestHead& request() const { return *head_; }
  virtual std::optional<io::Endpoint> remote() const = 0;
  virtual io::Loop& loop() const = 0;
  // How many requests came before on this connection.
  virtual std::uint64_t ordinal() const = 0;

  // ---- Answering at once, in try_answer() or in a task. Nothing waits.
  virtual void answer(Answer answer) = 0;

  // ---- Answering from a task. Each fails with Closed, Timeout or Io once the client is gone or takes nothing; a
  // handler then just returns.

  // A whole answer. Fields of the connection and framing among fields are left out.
  virtual io::Task<Result<>> respond(int status, FieldsView fields, std::string_view body) = 0;
  // An answer in pieces. With a length exactly so many octets must follow; without, the body is as long as it gets (to
  // HTTP/1.0: ended by close). The head leaves with the first piece, or by itself in the loop's next turn.
  virtual Result<> begin(int status, FieldsView fields, std::optional<std::uint64_t> length) = 0;
  Result<> begin(int status, FieldsView fields) { return begin(status, fields, std::nullopt); }
  // Returns when the octets are with the system: that is the back-pressure. Does nothing for HEAD, 204 and 304.
  virtual io::Task<Result<>> send(std::string_view piece) = 0;
  // The body is complete. Without it, or short of the promised length, the connection (of HTTP/2: the stream) breaks,
  // so that the client sees a broken answer and not a short one.
  virtual io::Task<Result<>> finish() = 0;
  // An interim answer (100 to 199, not 101); swallowed for HTTP/1.0. 100 is sent by read() when the client waits for
  // it.
  virtual io::Task<Result<>> interim(int status, FieldsView fields) = 0;
  virtual bool begun() const = 0;

  // ---- The request's body. The next piece, empty at the end; the view is valid until the next read. Errors:
  // Malformed, Timeout, Closed; if the handler then returns without an answer, the server gives the matching 400 or
  // 408.
  virtual io::Task<Result<std::string_view>> read() = 0;
  // The whole body; Limit beyond max, which becomes 413 in the same way.
  io::Task<Result<std::string>> read_all(std::size_t max);
  // Trailer fields, once read() gave the end.
  virtual FieldsView trailers() const = 0;

  // ---- Tunnels (CONNECT, Upgrade). Sends the head (2xx for CONNECT, 101 for Upgrade) and hands over the stream, with
  // octets that came early. From then on deadlines are the handler's; when the task ends the connection is closed.
  // Unsupported, and nothing is sent, where there is no stream to hand over: HTTP/2.
  struct Tunnel {
    io::Stream& stream;
    std::string_view early;
  };
  virtual io::Task<Result<Tunnel>> tunnel(int status, FieldsView fields) = 0;

 protected:
  Exchange() = default;
  bool is_head_request() const { return head_->view.method == "HEAD"; }

  const http1::RequestHead* head_ = nullptr;
  int failed_status_ = 0;  // what reading the body failed with
};

// Where requests go. One for all connections of a server; must outlive it.
class Handler {
 public:
  virtual ~Handler() = default;
  // The hot path, asked first for requests without a body: call exchange.answer() and return true, or touch nothing and
  // return false. No coroutine, no allocation, no waiting.
  virtual bool try_answer(Exchange& exchange) {
    static_cast<void>(exchange);
    return false;
  }
  // Everything else. Destroyed unfinished when the server is.
  virtual io::Task<> answer(Exchange& exchange) = 0;
  // The head that these octets are, if try_answer() has answered that very head before: it need not be parsed again.
  // Otherwise nullptr. Valid until try_answer() returns or recall() is called again; the octets it views are the
  // handler's own.
  virtual const http1::RequestHead* recall(std::string_view octets) {
    static_cast<void>(octets);
    return nullptr;
  }
};

// What the server itself says about connection and framing; a handler may hand over fields of another connection.
bool is_servers_own_field(std::string_view name);

// What a client is told when reading its body failed with that status.
std::string_view body_failure(int status);

// {"message":"…","status":"404"} with a newline, in the manner of GitHub's own errors.
std::string error_body(int status, std::string_view what);

}  // namespace ghmesh::http::server
