// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include "base/check.hpp"
#include "http/http1/write.hpp"

namespace ghmesh::http::client {
namespace {

bool is_clients_own(std::string_view name) {
  for (const std::string_view own : {"host", "connection", "content-length", "transfer-encoding", "keep-alive",
                                     "proxy-connection", "upgrade", "te", "trailer"})
    if (iequals(name, own)) return true;
  return false;
}

http1::RequestKind kind_of(std::string_view method) {
  if (method == "HEAD") return http1::RequestKind::Head;
  return method == "CONNECT" ? http1::RequestKind::Connect : http1::RequestKind::Other;
}

}  // namespace

Connection::Connection(std::shared_ptr<PoolState> pool, std::unique_ptr<io::Stream> s)
    : stream(std::move(s)),
      pool_(std::move(pool)),
      input_(pool_->buffers),
      read_wait_(*stream),
      write_wait_(*stream),
      parser_(pool_->limits.head),
      continue_(pool_->loop),
      uploads_(pool_->loop) {
  ++pool_->counts.open;
}

Connection::~Connection() { --pool_->counts.open; }

const Limits& Connection::limits() const { return pool_->limits; }

bool Connection::usable() {
  std::uint8_t octet;
  return stream->try_read(MutableByteView(&octet, 1)).kind == io::IoStatus::WouldBlock;
}

Result<> Connection::add_head(const Outgoing& request) {
  std::vector<Field> fields;
  fields.reserve(request.fields.size() + 4);
  fields.push_back({"Host", request.fields.first("host").value_or(pool_->origin.authority)});
  for (const Field& field : request.fields)
    if (!is_clients_own(field.name)) fields.push_back(field);
  if (!request.upgrade.empty()) {
    fields.push_back({"Connection", "Upgrade"});
    fields.push_back({"Upgrade", request.upgrade});
  }
  const auto length = request.body != nullptr ? request.body->length() : std::optional<std::uint64_t>(0);
  chunked_upload_ = !length;
  const std::string digits = std::to_string(length.value_or(0));
  // A method that is meant to have content says so even when there is none (RFC 9110 §8.6).
  const bool wants_length =
      request.body != nullptr || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (chunked_upload_)
    fields.push_back({"Transfer-Encoding", "chunked"});
  else if (wants_length)
    fields.push_back({"Content-Length", digits});
  auto written = http1::format_request_head(output_.open(), request.method, request.target, FieldsView(fields));
  output_.seal();
  return written;
}

io::Task<Result<>> Connection::exchange(const Outgoing& request) {
  if (auto added = add_head(request); !added) co_return added;
  read_wait_.set_deadline_after(limits().first_byte);
  if (request.body != nullptr) {
    uploading_ = true;
    uploads_.spawn(upload(*request.body, request.fields.has_token("expect", "100-continue")));
  } else {
    if (auto sent = co_await send_output(); !sent) co_return sent;
  }
  co_return co_await receive_head(request);
}

io::Task<Result<>> Connection::send_output() {
  wire::Patience patience(limits().send_stall);
  co_return co_await wire::write_all(*stream, output_, write_wait_, patience, Fault::Origin);
}

// Runs beside the wait for the answer, so that an origin may answer (413) before it has taken everything.
io::Task<> Connection::upload(BodySource& source, bool wait_for_continue) {
  const auto done = co_await upload_pieces(source, wait_for_continue);
  uploading_ = false;
  if (!done) {
    failed_ = true;
    // The reading side may still find an answer that came before the stream broke; not if the body itself failed.
    if (source_error_) stream->abort(*source_error_);
  }
}

io::Task<Result<>> Connection::upload_pieces(BodySource& source, bool wait_for_continue) {
  if (wait_for_continue) {
    if (auto sent = co_await send_output(); !sent) co_return sent;
    co_await continue_.wait_for(limits().await_continue);
  }
  std::uint64_t size = 0;
  const auto length = source.length();
  while (true) {
    body_touched_ = true;
    auto piece = co_await source.read();
    if (piece && length && (piece->empty() ? size < *length : size + piece->size() > *length))
      piece = fail(ErrorCode::Internal, "the request body is not as long as it says");
    if (!piece) {
      source_error_ = piece.error();
      co_return std::unexpected(piece.error());
    }
    size += piece->size();
    if (!chunked_upload_) {
      output_.add_foreign(*piece);
    } else if (piece->empty()) {
      output_.add(http1::kLastChunk);
    } else {
      output_.add(http1::ChunkHeader(piece->size()).text());
      output_.add_foreign(*piece);
      output_.add(http1::kChunkEnd);
    }
    if (auto sent = co_await send_output(); !sent) co_return sent;
    if (!answered_) read_wait_.set_deadline_after(limits().first_byte);
    if (piece->empty() || (length && size == *length)) co_return Result<>();
  }
}

Result<> Connection::parse_error() const {
  return fail(ErrorCode::Malformed, "the origin's answer: " + std::string(parser_.error().what), Fault::Origin);
}

io::Task<Result<>> Connection::receive_octets() {
  while (true) {
    if (input_.room().empty()) input_.make_room(wire::kBufferBytes);
    const io::IoStatus status = wire::read_once(*stream, input_);
    if (status.kind == io::IoStatus::Done) {
      answered_ = true;
      read_wait_.set_deadline_after(limits().between_bytes);
      co_return Result<>();
    }
    if (source_error_) co_return std::unexpected(*source_error_);
    if (status.kind == io::IoStatus::Failed) {
      Error error = stream->error();
      error.fault = Fault::Origin;
      co_return std::unexpected(std::move(error));
    }
    if (status.kind == io::IoStatus::End)
      co_return fail(ErrorCode::Closed, "the origin closed the connection without an answer", Fault::Origin,
                     Retry::Later);
    if (!co_await read_wait_.readable())
      co_return fail(ErrorCode::Timeout, "timed out: waiting for the origin's answer", Fault::Origin, Retry::Later);
  }
}

io::Task<Result<>> Connection::receive_head(const Outgoing& request) {
  const http1::RequestKind kind = kind_of(request.method);
  int interim = 0;
  while (true) {
    const http1::ParseState state = parser_.parse(input_.text(), pool_->scratch, kind);
    if (state == http1::ParseState::Error) co_return parse_error();
    if (state == http1::ParseState::NeedMore) {
      if (auto more = co_await receive_octets(); !more) co_return more;
      continue;
    }
    const int status = parser_.head().view.status;
    if (status == 101 && request.upgrade.empty())
      co_return fail(ErrorCode::Malformed, "the origin's answer: 101 without being asked", Fault::Origin);
    if (status >= 200 || status == 101) break;
    if (++interim > limits().interim_responses)
      co_return fail(ErrorCode::Limit, "the origin's answer: too many interim responses", Fault::Origin);
    if (status == 100) {
      continue_.set();
    } else if (request.on_interim) {
      const Fields fields(parser_.head().view.fields);  // the scratch space is everybody's
      co_await request.on_interim({status, fields.view()});
    }
    input_.consume(parser_.head().size);
    parser_.reset();
  }
  keep_head_in_place(kind);
  body_ = http1::BodyDecoder(head_.body);
  settled_ = true;
  continue_.set();
  // An origin that refuses does not want the rest of the body.
  if (uploading_ && head_.view.status >= 300) uploads_.cancel();
  co_return Result<>();
}

void Connection::keep_head_in_place(http1::RequestKind kind) {
  const std::size_t size = parser_.head().size;
  if (!input_.pin(size)) {
    input_.make_room(wire::kBufferBytes);
    parser_.reset();
    GHMESH_CHECK(parser_.parse(input_.text(), pool_->scratch, kind) == http1::ParseState::Done);
    GHMESH_CHECK(input_.pin(size));
  }
  head_ = parser_.head();
  fields_.assign(head_.view.fields.begin(), head_.view.fields.end());
  head_.view.fields = FieldsView(std::span<const Field>(fields_));
}

io::Task<Result<std::string_view>> Connection::read() {
  if (++pieces_ % limits().burst_pieces == 0) co_await pool_->loop.yield();
  wire::Patience patience(limits().between_bytes);  // an origin's own pace is no attack
  auto piece = co_await wire::read_piece(*stream, input_, body_, read_wait_, patience, TimePoint::max(), Fault::Origin);
  if (!piece) {
    failed_ = true;
    if (source_error_) co_return std::unexpected(*source_error_);
    Error error = piece.error();
    error.fault = Fault::Origin;
    co_return std::unexpected(std::move(error));
  }
  if (piece->empty()) ended_ = true;
  co_return piece;
}

bool Connection::recycle() {
  const bool good = settled_ && body_.done() && head_.keep_alive && !failed_ && !uploading_ &&
                    head_.view.status != 101 && output_.empty() && input_.empty();
  input_.unpin();
  if (!good) return false;
  input_.release_if_empty();
  fields_.clear();
  parser_.reset();
  continue_.reset();
  source_error_.reset();
  answered_ = body_touched_ = ended_ = settled_ = false;
  reused = true;
  return true;
}

}  // namespace ghmesh::http::client
