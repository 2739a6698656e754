// SPDX-License-Identifier: Apache-2.0
#include "stream.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "connection.hpp"
#include "http/message/date.hpp"

namespace ghmesh::http::http2 {

// While a piece is on its way its octets are only pointed at: should the task that sends it be destroyed, they go.
class Stream::PieceGuard {
 public:
  explicit PieceGuard(Stream& stream) : stream_(stream) {}
  ~PieceGuard() {
    if (stream_.piece_.empty()) return;
    stream_.piece_ = {};
    stream_.broken_ = true;
    stream_.reset(NGHTTP2_INTERNAL_ERROR);
  }

 private:
  Stream& stream_;
};

Stream::Stream(Connection& connection, std::int32_t id, std::uint64_t ordinal)
    : connection_(connection),
      id_(id),
      ordinal_(ordinal),
      body_patience_(connection.limits().body_idle),
      window_patience_(connection.limits().send_stall),
      changed_(connection.loop()) {}

std::optional<io::Endpoint> Stream::remote() const { return connection_.remote(); }
io::Loop& Stream::loop() const { return connection_.loop(); }

std::unexpected<Error> Stream::gone() const {
  return fail(ErrorCode::Closed, "the client gave the request up", Fault::Client);
}

void Stream::reset(std::uint32_t code) {
  if (closed_) return;
  nghttp2_submit_rst_stream(connection_.session(), NGHTTP2_FLAG_NONE, id_, code);
  connection_.wake_writer();
}

// ---- The request.

bool Stream::parse_head(bool has_body) {
  const auto refuse_with = [&](int status, std::string_view what) {
    refusal_status_ = status;
    refusal_ = what;
    return false;
  };
  // A head to answer under all the same.
  parsed_.view.method = "GET";
  head_ = &parsed_;
  in_ended_ = !has_body;
  if (text_.too_large()) return refuse_with(431, "the request head is too large");
  if (text_.is_connect()) return refuse_with(405, "no CONNECT over HTTP/2");
  head_text_ = text_.finish(has_body);
  fields_.resize(text_.fields() + 4);
  http1::RequestParser parser(connection_.limits().head);
  switch (parser.parse(head_text_, fields_)) {
    case http1::ParseState::Done: break;
    case http1::ParseState::NeedMore: return refuse_with(400, "the request head is malformed");
    case http1::ParseState::Error: return refuse_with(parser.error().status, parser.error().what);
  }
  // A line break that came through would leave octets behind the head.
  if (parser.head().size != head_text_.size()) return refuse_with(400, "the request head is malformed");
  parsed_ = parser.head();
  continue_pending_ = parsed_.expect_continue && has_body;
  body_until_ = loop().now() + std::chrono::duration_cast<TimePoint::duration>(connection_.limits().body_total);
  return true;
}

void Stream::on_data(std::string_view octets) {
  in_.append(octets);
  body_patience_.moved(octets.size(), loop().now());
  changed_.set();
}

void Stream::on_end() {
  in_ended_ = true;
  changed_.set();
}

void Stream::add_trailer(std::string_view name, std::string_view value) {
  const http1::ChunkLimits bounds;
  if (name.starts_with(':')) return;
  trailer_bytes_ += name.size() + value.size() + 4;
  if (trailer_bytes_ > bounds.trailer_bytes || trailers_.size() >= bounds.trailer_fields)
    return reset(NGHTTP2_ENHANCE_YOUR_CALM);
  trailers_.add(name, value);
}

void Stream::on_closed() {
  closed_ = true;
  piece_ = {};
  owner_.reset();
  changed_.set();
}

void Stream::on_sent_end() {
  out_sent_ = true;
  ask_for_no_more();
}

// RFC 9113 §8.1: the answer is whole, the rest of the request is not wanted.
void Stream::ask_for_no_more() {
  if (out_sent_ && !in_ended_ && !has_task) reset(NGHTTP2_NO_ERROR);
}

io::Task<Result<std::string_view>> Stream::read() {
  if (!lent_.empty()) {
    nghttp2_session_consume(connection_.session(), id_, lent_.size());
    connection_.wake_writer();
    lent_.clear();
  }
  if (continue_pending_ && sent_ == Sent::Nothing) {
    if (auto told = co_await interim(100, {}); !told) co_return std::unexpected(std::move(told.error()));
  }
  while (in_.empty()) {
    if (in_ended_) co_return std::string_view();
    if (closed_) {
      failed_status_ = 400;
      co_return gone();
    }
    changed_.reset();
    body_patience_.waits(loop().now());
    const bool woken = co_await changed_.wait_until(std::min(body_patience_.ends(), body_until_));
    body_patience_.rests(loop().now());
    if (!woken) {
      failed_status_ = 408;
      co_return fail(ErrorCode::Timeout, "the request body did not arrive in time", Fault::Client);
    }
  }
  std::swap(in_, lent_);
  co_return std::string_view(lent_);
}

// ---- The answer.

// By number, as nghttp2 may ask for a stream that is gone.
ssize_t Stream::read_body(nghttp2_session*, std::int32_t id, std::uint8_t* out, std::size_t room, std::uint32_t* flags,
                          nghttp2_data_source*, void* connection) {
  Stream* found = static_cast<Connection*>(connection)->find(id);
  if (found == nullptr || found->closed_ || found->broken_) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  Stream& self = *found;
  if (self.piece_.empty() && !self.out_ended_) return NGHTTP2_ERR_DEFERRED;
  const std::size_t count = std::min(room, self.piece_.size());
  if (count > 0) std::memcpy(out, self.piece_.data(), count);
  self.piece_.remove_prefix(count);
  if (self.piece_.empty()) {
    self.owner_.reset();
    self.changed_.set();
    if (self.out_ended_) *flags |= NGHTTP2_DATA_FLAG_EOF;
  }
  return static_cast<ssize_t>(count);
}

Result<> Stream::submit(ResponseFields& fields, bool with_body) {
  if (closed_) return gone();
  nghttp2_data_provider body{};
  body.read_callback = read_body;
  const auto& pairs = fields.pairs();
  const int failed =
      nghttp2_submit_response(connection_.session(), id_, pairs.data(), pairs.size(), with_body ? &body : nullptr);
  connection_.wake_writer();
  if (failed != 0) return fail(ErrorCode::Closed, nghttp2_strerror(failed), Fault::Client);
  sent_ = Sent::Head;
  bodiless_ = !with_body;
  connection_.on_ready(*this);
  return {};
}

void Stream::answer(server::Answer answer) {
  GHMESH_CHECK(sent_ == Sent::Nothing);
  // Its parts may be cut within a line.
  const std::string head = std::string(answer.head).append(answer.more);
  std::string_view lines = head;
  const int status = split_status_line(lines);
  ResponseFields fields(status);
  const bool good = fields.add_lines(lines).has_value();
  const bool with_body = !answer.body.empty() && !is_head_request();
  if (with_body) {
    owner_ = std::move(answer.owner);
    if (!owner_) copied_ = answer.body;
    piece_ = owner_ ? answer.body : std::string_view(copied_);
  }
  out_ended_ = true;
  if (!good || !submit(fields, with_body)) {
    sent_ = Sent::Head;
    broken_ = true;
    reset(NGHTTP2_INTERNAL_ERROR);
  }
}

Result<> Stream::submit_head(int status, FieldsView given, std::optional<std::uint64_t> length) {
  ResponseFields fields(status);
  bool dated = false;
  for (const Field& field : given) {
    if (server::is_servers_own_field(field.name)) continue;
    dated = dated || iequals(field.name, "date");
    if (Result<> added = fields.add(field.name, field.value); !added) return added;
  }
  if (!dated) static_cast<void>(fields.add("date", format_http_date(loop().wall_now())));
  if (length && status != 204) static_cast<void>(fields.add("content-length", std::to_string(*length)));
  left_ = length;
  return submit(fields, !is_head_request() && status != 204 && status != 304);
}

Result<> Stream::begin(int status, FieldsView fields, std::optional<std::uint64_t> length) {
  GHMESH_CHECK(sent_ == Sent::Nothing && status >= 200 && status <= 599);
  return submit_head(status, fields, length);
}

void Stream::offer(std::string_view piece) {
  piece_ = piece;
  connection_.on_ready(*this);
  nghttp2_session_resume_data(connection_.session(), id_);
  connection_.wake_writer();
}

io::Task<Result<>> Stream::taken() {
  PieceGuard guard(*this);
  while (!piece_.empty()) {
    changed_.reset();
    co_await changed_.wait();
  }
  if (given_up_) co_return fail(ErrorCode::Timeout, "the client takes nothing, or too slowly", Fault::Client);
  if (closed_) co_return gone();
  co_return Result<>();
}

io::Task<Result<>> Stream::send(std::string_view piece) {
  GHMESH_CHECK(sent_ == Sent::Head);
  if (piece.empty() || bodiless_) co_return Result<>();
  if (closed_) co_return gone();
  if (left_) {
    if (piece.size() > *left_) {
      broken_ = true;
      co_return fail(ErrorCode::Internal, "more body than was promised");
    }
    *left_ -= piece.size();
  }
  offer(piece);
  co_return co_await taken();
}

io::Task<Result<>> Stream::finish() {
  GHMESH_CHECK(sent_ == Sent::Head);
  if (!bodiless_ && left_ && *left_ > 0) {
    broken_ = true;
    co_return fail(ErrorCode::Internal, "less body than was promised");
  }
  sent_ = Sent::All;
  out_ended_ = true;
  if (closed_) co_return gone();
  offer({});
  co_return Result<>();
}

io::Task<Result<>> Stream::respond(int status, FieldsView fields, std::string_view body) {
  GHMESH_CHECK(sent_ == Sent::Nothing);
  // Offered before the head is submitted, so that both can leave together.
  if (!is_head_request() && status != 204 && status != 304) piece_ = body;
  out_ended_ = true;
  if (auto begun = submit_head(status, fields, body.size()); !begun) {
    piece_ = {};
    co_return begun;
  }
  sent_ = Sent::All;
  co_return co_await taken();
}

io::Task<Result<>> Stream::interim(int status, FieldsView given) {
  GHMESH_CHECK(sent_ == Sent::Nothing && status >= 100 && status < 200 && status != 101);
  if (status == 100) continue_pending_ = false;
  if (closed_) co_return gone();
  ResponseFields fields(status);
  for (const Field& field : given) {
    if (server::is_servers_own_field(field.name)) continue;
    if (Result<> added = fields.add(field.name, field.value); !added) co_return added;
  }
  const auto& pairs = fields.pairs();
  nghttp2_submit_headers(connection_.session(), NGHTTP2_FLAG_NONE, id_, nullptr, pairs.data(), pairs.size(), nullptr);
  connection_.wake_writer();
  co_return Result<>();
}

io::Task<Result<server::Exchange::Tunnel>> Stream::tunnel(int, FieldsView) {
  co_return fail(ErrorCode::Unsupported, "HTTP/2 has no stream to hand over");
}

void Stream::refuse(int status, std::string_view what) {
  ++connection_.counts().refused;
  copied_ = server::error_body(status, what);
  if (!is_head_request()) piece_ = copied_;
  out_ended_ = true;
  const Fields fields{{"content-type", "application/json; charset=utf-8"}};
  if (!submit_head(status, fields, copied_.size())) reset(NGHTTP2_INTERNAL_ERROR);
  sent_ = Sent::All;
}

bool Stream::ready() const {
  return sent_ != Sent::Nothing && !bodiless_ && !closed_ && !broken_ &&
         (!piece_.empty() || (out_ended_ && !out_sent_));
}

void Stream::on_sent(std::size_t octets) {
  window_patience_.moved(octets, loop().now());
  look_at_window();
}

// A line that is full is no window that is closed: whoever writes to it sees to that, for all streams.
void Stream::look_at_window() {
  if (ready() && nghttp2_session_get_stream_remote_window_size(connection_.session(), id_) <= 0) {
    window_patience_.waits(loop().now());
    connection_.watch(window_patience_.ends());
  } else {
    window_patience_.rests(loop().now());
  }
}

void Stream::give_up() {
  window_patience_.rests(loop().now());
  given_up_ = broken_ = true;
  piece_ = {};
  owner_.reset();
  changed_.set();
  reset(NGHTTP2_CANCEL);
}

void Stream::settle() {
  if (closed_) return;
  if (sent_ == Sent::Nothing && failed_status_ != 0) {
    refuse(failed_status_, server::body_failure(failed_status_));
  } else if (sent_ == Sent::Nothing) {
    refuse(500, "no answer was made");
  } else if (broken_ || !(out_ended_ || bodiless_)) {
    reset(NGHTTP2_INTERNAL_ERROR);
  }
  ask_for_no_more();
}

}  // namespace ghmesh::http::http2
