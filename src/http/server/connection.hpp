// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "base/intrusive_list.hpp"
#include "http/http1/body.hpp"
#include "http/server/server.hpp"
#include "http/wire/read.hpp"
#include "http1_exchange.hpp"

// Inside server only: one connection, from its first octet to its last.

namespace ghmesh::http::server {

class Connection final : public ListNode {
 public:
  Connection(Server& server, std::unique_ptr<io::Stream> stream);
  ~Connection();

  io::Task<> run();
  // After run(), for streams that hold octets back when the layer below is full (TLS): says that nothing more comes,
  // and waits until the client has left, too.
  io::Task<> farewell();
  // The server stops: an idle connection ends now, a busy one after its present request.
  void on_drain();
  void abort(Error why) { stream_->abort(std::move(why)); }

 private:
  friend class Http1Exchange;

  // Writes what there is as soon as everything that is ready has run: heads of streamed answers wait so long for their
  // first piece.
  class FlushSoon final : public io::Waiter {
   public:
    explicit FlushSoon(Connection& connection) : connection_(connection) {}
    // Only writes: someone may be in the middle of writing the same output, and waits for room.
    void run() override {
      if (connection_.output_)
        wire::try_write_all(*connection_.stream_, *connection_.output_, connection_.write_patience_);
    }

   private:
    Connection& connection_;
  };

  wire::Output& output();
  bool flush_now();
  io::Task<Result<>> flush();

  const http1::RequestHead* recall();
  bool try_hot(const http1::RequestHead& head);
  io::Task<bool> serve_request();
  io::Task<bool> settle_answer();
  io::Task<bool> settle_body();
  void refuse(int status, std::string_view what, bool to_head = false);
  io::Task<bool> await_octets();
  io::Task<> linger();
  void keep_head_in_place();

  Server& server_;
  std::unique_ptr<io::Stream> stream_;
  wire::Input input_;
  std::unique_ptr<wire::Output> output_;  // only while there is something to write
  wire::TimedWait read_wait_;
  wire::TimedWait write_wait_;
  wire::Patience write_patience_;  // one for all answers, into however small pieces they are cut
  FlushSoon flush_soon_;
  http1::RequestParser parser_;
  http1::RequestHead head_;    // of a request that a task answers
  std::vector<Field> fields_;  // its fields
  http1::BodyDecoder body_;
  Http1Exchange exchange_;
  std::uint64_t requests_ = 0;
  unsigned pieces_ = 0;  // of bodies, read without letting others run
  wire::Patience body_patience_;
  TimePoint body_until_{};
  bool head_begun_ = false;
  bool idle_ = false;     // waits for the first octet of a request
  bool closing_ = false;  // no request after the present one
  bool unread_ = false;   // the client may still be sending
};

}  // namespace ghmesh::http::server
