// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/http1/body.hpp"
#include "http/server/exchange.hpp"

// Inside server only: one request of an HTTP/1.1 connection, used for one after the other.

namespace ghmesh::http::server {

class Connection;

class Http1Exchange final : public Exchange {
 public:
  std::optional<io::Endpoint> remote() const override;
  io::Loop& loop() const override;
  std::uint64_t ordinal() const override;
  void answer(Answer answer) override;
  io::Task<Result<>> respond(int status, FieldsView fields, std::string_view body) override;
  Result<> begin(int status, FieldsView fields, std::optional<std::uint64_t> length) override;
  io::Task<Result<>> send(std::string_view piece) override;
  io::Task<Result<>> finish() override;
  io::Task<Result<>> interim(int status, FieldsView fields) override;
  bool begun() const override { return sent_ != Sent::Nothing; }
  io::Task<Result<std::string_view>> read() override;
  FieldsView trailers() const override;
  io::Task<Result<Tunnel>> tunnel(int status, FieldsView fields) override;

 private:
  friend class Connection;
  explicit Http1Exchange(Connection& connection) : connection_(connection) {}

  enum class Sent { Nothing, Head, All };
  enum class Framing { None, Length, Chunked, UntilClose };

  void start(const http1::RequestHead& head);
  void add_piece(std::string_view piece);
  Result<> add_head(int status, FieldsView fields, std::optional<std::uint64_t> length);
  void add_connection_field(std::string& text);

  Connection& connection_;
  http1::BodyDecoder* body_ = nullptr;
  Sent sent_ = Sent::Nothing;
  Framing framing_ = Framing::None;
  std::uint64_t left_ = 0;  // of Length
  bool keep_alive_ = false;
  bool continue_pending_ = false;  // the client waits for 100
  bool tunnelled_ = false;
  bool broken_ = false;  // an answer was cut within a piece
};

}  // namespace ghmesh::http::server
