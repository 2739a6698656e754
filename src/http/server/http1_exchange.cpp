// SPDX-License-Identifier: Apache-2.0
#include "http1_exchange.hpp"

#include <array>

#include "base/check.hpp"
#include "connection.hpp"
#include "http/http1/write.hpp"
#include "http/message/date.hpp"

namespace ghmesh::http::server {
namespace {

// While a piece is being written its octets are only pointed at. If the task that writes it is destroyed, the rest of
// it must not be written from memory that is gone.
class PieceGuard {
 public:
  PieceGuard(wire::Output& output, io::Stream& stream, bool& broken)
      : output_(output), stream_(stream), broken_(broken) {}
  ~PieceGuard() {
    if (done_) return;
    output_.clear();
    broken_ = true;
    stream_.abort(Error{ErrorCode::Cancelled, Fault::Local, Retry::No, "an answer was given up"});
  }
  void done() { done_ = true; }

 private:
  wire::Output& output_;
  io::Stream& stream_;
  bool& broken_;
  bool done_ = false;
};

}  // namespace

void Http1Exchange::start(const http1::RequestHead& head) {
  head_ = &head;
  body_ = nullptr;
  sent_ = Sent::Nothing;
  framing_ = Framing::None;
  left_ = 0;
  keep_alive_ = head.keep_alive && !connection_.closing_;
  continue_pending_ = tunnelled_ = broken_ = false;
  failed_status_ = 0;
}

std::optional<io::Endpoint> Http1Exchange::remote() const { return connection_.stream_->remote_endpoint(); }
io::Loop& Http1Exchange::loop() const { return connection_.server_.loop_; }
std::uint64_t Http1Exchange::ordinal() const { return connection_.requests_ - 1; }
FieldsView Http1Exchange::trailers() const { return body_ != nullptr ? body_->trailers().view() : FieldsView(); }

void Http1Exchange::add_connection_field(std::string& text) {
  // A client that waits for 100 sends its body or does not: after a final answer nobody can tell. And a large rest is
  // cheaper to close on than to read.
  const http1::BodyFraming& body = head_->body;
  if (body_ != nullptr && !body_->done()) {
    const bool large =
        body.kind == http1::BodyKind::Length && body.length - body_->size() > connection_.server_.limits_.discard_bytes;
    if (continue_pending_ || large) keep_alive_ = false;
  }
  if (connection_.closing_ || connection_.server_.draining_) keep_alive_ = false;
  if (!keep_alive_)
    text.append("Connection: close\r\n");
  else if (head_->view.minor_version == 0)
    text.append("Connection: keep-alive\r\n");
}

void Http1Exchange::answer(Answer answer) {
  GHMESH_CHECK(sent_ == Sent::Nothing);
  wire::Output& output = connection_.output();
  std::string& text = output.open();
  text.append(answer.head).append(answer.more);
  add_connection_field(text);
  text.append("\r\n");
  output.seal();
  if (!answer.body.empty() && !is_head_request()) output.add_foreign(answer.body, std::move(answer.owner));
  sent_ = Sent::All;
}

Result<> Http1Exchange::add_head(int status, FieldsView fields, std::optional<std::uint64_t> length) {
  wire::Output& output = connection_.output();
  std::string& text = output.open();
  const std::size_t start = text.size();
  http1::format_status_line(text, status);
  bool dated = false;
  for (const Field& field : fields) {
    if (is_servers_own_field(field.name)) continue;
    dated = dated || iequals(field.name, "date");
    if (auto written = http1::format_fields(text, FieldsView(std::span(&field, 1))); !written) {
      text.resize(start);
      return written;
    }
  }
  if (!dated) text.append("Date: ").append(format_http_date(loop().wall_now())).append("\r\n");
  const bool bodiless = status == 204 || status == 304;
  if (length && status != 204) {
    http1::format_length(text, *length);
    framing_ = Framing::Length;
    left_ = *length;
  } else if (!bodiless && head_->view.minor_version == 1) {
    text.append("Transfer-Encoding: chunked\r\n");
    framing_ = Framing::Chunked;
  } else if (!bodiless) {
    framing_ = Framing::UntilClose;
    keep_alive_ = false;
  }
  if (bodiless || is_head_request()) framing_ = Framing::None;
  add_connection_field(text);
  text.append("\r\n");
  output.seal();
  sent_ = Sent::Head;
  return {};
}

Result<> Http1Exchange::begin(int status, FieldsView fields, std::optional<std::uint64_t> length) {
  GHMESH_CHECK(sent_ == Sent::Nothing && status >= 200 && status <= 599);
  auto added = add_head(status, fields, length);
  if (added) loop().make_ready(connection_.flush_soon_);
  return added;
}

void Http1Exchange::add_piece(std::string_view piece) {
  wire::Output& output = connection_.output();
  if (framing_ == Framing::Chunked) {
    output.add(http1::ChunkHeader(piece.size()).text());
    output.add_foreign(piece);
    output.add(http1::kChunkEnd);
  } else {
    output.add_foreign(piece);
  }
}

io::Task<Result<>> Http1Exchange::send(std::string_view piece) {
  GHMESH_CHECK(sent_ == Sent::Head);
  if (piece.empty() || framing_ == Framing::None) co_return Result<>();
  if (framing_ == Framing::Length) {
    if (piece.size() > left_) {
      broken_ = true;
      co_return fail(ErrorCode::Internal, "more body than was promised");
    }
    left_ -= piece.size();
  }
  add_piece(piece);
  PieceGuard guard(connection_.output(), *connection_.stream_, broken_);
  auto written = co_await connection_.flush();
  if (!written) broken_ = true;
  guard.done();
  co_return written;
}

io::Task<Result<>> Http1Exchange::finish() {
  GHMESH_CHECK(sent_ == Sent::Head);
  if (framing_ == Framing::Length && left_ > 0) {
    broken_ = true;
    co_return fail(ErrorCode::Internal, "less body than was promised");
  }
  if (framing_ == Framing::Chunked) connection_.output().add(http1::kLastChunk);
  sent_ = Sent::All;
  co_return co_await connection_.flush();
}

io::Task<Result<>> Http1Exchange::respond(int status, FieldsView fields, std::string_view body) {
  GHMESH_CHECK(sent_ == Sent::Nothing);
  if (auto added = add_head(status, fields, body.size()); !added) co_return added;
  if (framing_ != Framing::None && !body.empty()) add_piece(body);
  sent_ = Sent::All;
  PieceGuard guard(connection_.output(), *connection_.stream_, broken_);
  auto written = co_await connection_.flush();
  if (!written) broken_ = true;
  guard.done();
  co_return written;
}

io::Task<Result<>> Http1Exchange::interim(int status, FieldsView fields) {
  GHMESH_CHECK(sent_ == Sent::Nothing && status >= 100 && status < 200 && status != 101);
  if (head_->view.minor_version == 0) co_return Result<>();
  if (status == 100) continue_pending_ = false;
  wire::Output& output = connection_.output();
  auto written = http1::format_response_head(output.open(), status, fields);
  output.seal();
  if (!written) co_return written;
  co_return co_await connection_.flush();
}

io::Task<Result<std::string_view>> Http1Exchange::read() {
  if (body_ == nullptr || body_->done()) co_return std::string_view();
  if (continue_pending_ && sent_ == Sent::Nothing) {
    if (auto told = co_await interim(100, {}); !told) co_return std::unexpected(std::move(told.error()));
  }
  if (++connection_.pieces_ % connection_.server_.limits_.burst_pieces == 0) co_await loop().yield();
  auto piece = co_await wire::read_piece(*connection_.stream_, connection_.input_, *body_, connection_.read_wait_,
                                         connection_.body_patience_, connection_.body_until_, Fault::Client);
  if (!piece) {
    failed_status_ = piece.error().code == ErrorCode::Timeout ? 408 : 400;
    keep_alive_ = false;
  }
  co_return piece;
}

io::Task<Result<Exchange::Tunnel>> Http1Exchange::tunnel(int status, FieldsView fields) {
  GHMESH_CHECK(sent_ == Sent::Nothing);
  wire::Output& output = connection_.output();
  auto written = http1::format_response_head(output.open(), status, fields);
  output.seal();
  if (!written) co_return std::unexpected(std::move(written.error()));
  sent_ = Sent::All;
  tunnelled_ = true;
  keep_alive_ = false;
  if (auto told = co_await connection_.flush(); !told) co_return std::unexpected(std::move(told.error()));
  co_return Tunnel{*connection_.stream_, connection_.input_.text()};
}

}  // namespace ghmesh::http::server
