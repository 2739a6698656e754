// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nghttp2/nghttp2.h>

#include <memory>
#include <string>
#include <vector>

#include "head.hpp"
#include "http/server/exchange.hpp"
#include "http/wire/patience.hpp"
#include "io/sync.hpp"

// Inside http2 only: one request and its answer on a stream of a connection. Lives from the first octet of its head
// until both nghttp2 and the handler are done with it.

namespace ghmesh::http::http2 {

class Connection;

class Stream final : public server::Exchange {
 public:
  Stream(Connection& connection, std::int32_t id, std::uint64_t ordinal);

  // ---- Of the connection.
  std::int32_t id() const { return id_; }
  RequestText& text() { return text_; }
  // The head is complete. False: it is not one, and status() and why() are the answer.
  bool parse_head(bool has_body);
  int refusal_status() const { return refusal_status_; }
  std::string_view refusal() const { return refusal_; }
  void on_data(std::string_view octets);
  void on_end();
  void add_trailer(std::string_view name, std::string_view value);
  // nghttp2 knows the stream no more.
  void on_closed();
  bool closed() const { return closed_; }
  // The last octet of the answer is with the connection.
  void on_sent_end();
  // So many octets of it are.
  void on_sent(std::size_t octets);
  // Some of the answer is there to be sent, or its end is.
  bool ready() const;
  // The stream's window may have opened or closed, or there is something to send.
  void look_at_window();
  // The handler has returned, and has_task is false: what is missing is made up for.
  void settle();
  void refuse(int status, std::string_view what);
  // When the client will have opened too little of the stream's window for too long.
  TimePoint stalls_at() const { return window_patience_.ends(); }
  void give_up();
  // Octets that came and that nobody read.
  std::size_t unread() const { return in_.size() + lent_.size(); }
  bool has_task = false;

  // ---- Of the handler.
  std::optional<io::Endpoint> remote() const override;
  io::Loop& loop() const override;
  std::uint64_t ordinal() const override { return ordinal_; }
  void answer(server::Answer answer) override;
  io::Task<Result<>> respond(int status, FieldsView fields, std::string_view body) override;
  Result<> begin(int status, FieldsView fields, std::optional<std::uint64_t> length) override;
  io::Task<Result<>> send(std::string_view piece) override;
  io::Task<Result<>> finish() override;
  io::Task<Result<>> interim(int status, FieldsView fields) override;
  bool begun() const override { return sent_ != Sent::Nothing; }
  io::Task<Result<std::string_view>> read() override;
  FieldsView trailers() const override { return trailers_.view(); }
  io::Task<Result<Tunnel>> tunnel(int status, FieldsView fields) override;

 private:
  class PieceGuard;
  enum class Sent { Nothing, Head, All };

  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* out, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source* source, void* connection);
  // Hands the head to nghttp2; without a body the stream's end goes with it.
  Result<> submit(ResponseFields& fields, bool with_body);
  Result<> submit_head(int status, FieldsView fields, std::optional<std::uint64_t> length);
  void offer(std::string_view piece);
  // Until the piece is with the connection, or the client is gone or has been given up.
  io::Task<Result<>> taken();
  void reset(std::uint32_t code);
  void ask_for_no_more();
  std::unexpected<Error> gone() const;

  Connection& connection_;
  const std::int32_t id_;
  const std::uint64_t ordinal_;
  RequestText text_;
  std::string head_text_;
  std::vector<Field> fields_;
  http1::RequestHead parsed_;
  int refusal_status_ = 0;
  std::string_view refusal_;

  std::string in_;    // came, not yet asked for
  std::string lent_;  // what read() gave last
  Fields trailers_;
  std::size_t trailer_bytes_ = 0;
  bool in_ended_ = false;
  bool continue_pending_ = false;
  wire::Patience body_patience_;
  TimePoint body_until_{};

  Sent sent_ = Sent::Nothing;
  bool bodiless_ = false;  // HEAD, 204, 304: the head was all
  std::optional<std::uint64_t> left_;
  std::string_view piece_;  // on its way out
  std::shared_ptr<const void> owner_;
  std::string copied_;
  bool out_ended_ = false;  // nothing follows piece_
  bool out_sent_ = false;
  bool broken_ = false;
  wire::Patience window_patience_;
  bool given_up_ = false;

  bool closed_ = false;
  io::Event changed_;
};

}  // namespace ghmesh::http::http2
