// SPDX-License-Identifier: Apache-2.0
#include "connection.hpp"

#include "base/check.hpp"
#include "http/http1/write.hpp"

namespace ghmesh::http::server {

Connection::Connection(Server& server, std::unique_ptr<io::Stream> stream)
    : server_(server),
      stream_(std::move(stream)),
      input_(server.inputs_),
      read_wait_(*stream_),
      write_wait_(*stream_),
      write_patience_(server.limits_.send_stall),
      flush_soon_(*this),
      parser_(server.limits_.head),
      exchange_(*this),
      body_patience_(server.limits_.body_idle) {}

Connection::~Connection() {
  if (!output_) return;
  output_->clear();
  server_.outputs_.give(std::move(output_));
}

wire::Output& Connection::output() {
  if (!output_) output_ = server_.outputs_.take();
  return *output_;
}

// True once nothing is left to write. An error shows at the next write that waits, or at the next read.
bool Connection::flush_now() {
  if (!output_) return true;
  if (!wire::try_write_all(*stream_, *output_, write_patience_)) return false;
  server_.outputs_.give(std::move(output_));
  return true;
}

io::Task<Result<>> Connection::flush() {
  if (flush_now()) co_return Result<>();
  auto written = co_await wire::write_all(*stream_, *output_, write_wait_, write_patience_, Fault::Client);
  if (!written) {
    output_->clear();
    if (written.error().code == ErrorCode::Timeout) ++server_.counts_.timeouts;
  }
  server_.outputs_.give(std::move(output_));
  co_return written;
}

void Connection::on_drain() {
  closing_ = true;
  if (idle_) read_wait_.interrupt();
}

// Request after request. Hits do not suspend here unless the client or the loop asks for it.
io::Task<> Connection::run() {
  unsigned burst = 0;
  while (true) {
    const http1::RequestHead* const known = recall();
    const http1::ParseState state =
        known != nullptr ? http1::ParseState::Done : parser_.parse(input_.text(), server_.scratch_);
    if (state == http1::ParseState::NeedMore) {
      if (!flush_now() && !co_await flush()) co_return;
      const io::IoStatus::Kind kind = wire::read_once(*stream_, input_).kind;
      if (kind == io::IoStatus::Done) continue;
      if (kind != io::IoStatus::WouldBlock) co_return;  // nothing is owed to a client that left
      if (!co_await await_octets()) break;
      continue;
    }
    head_begun_ = false;
    if (state == http1::ParseState::Error) {
      refuse(parser_.error().status, parser_.error().what);
      unread_ = true;
      break;
    }
    ++server_.counts_.requests;
    closing_ = closing_ || server_.draining_ || ++requests_ >= server_.limits_.requests_per_connection;
    if (!try_hot(known != nullptr ? *known : parser_.head())) {
      // Another server of the same handler may have had other limits when the head was met.
      if (known != nullptr && parser_.parse(input_.text(), server_.scratch_) != http1::ParseState::Done) {
        refuse(431, "the request head is too large here", known->view.method == "HEAD");
        unread_ = true;
        break;
      }
      if (!co_await serve_request()) break;
    }
    parser_.reset();
    if (closing_) break;
    if (output_ && output_->bytes() > server_.limits_.coalesced_bytes && !co_await flush()) co_return;
    if (++burst == server_.limits_.burst) {
      burst = 0;
      co_await server_.loop_.yield();
    }
  }
  if (!flush_now() && !co_await flush()) co_return;
  if (unread_) co_await linger();
}

// Waits for octets of a head. False: the connection is to end, with a 408 if a head was begun.
io::Task<bool> Connection::await_octets() {
  idle_ = input_.empty();
  if (idle_) {
    if (closing_) co_return false;
    input_.release_if_empty();
    read_wait_.set_deadline_after(server_.limits_.idle);
  } else if (input_.room().empty()) {
    input_.make_room(wire::kBufferBytes);  // the parser's bound on a head is the bound of this
    co_return true;
  } else if (!head_begun_) {
    head_begun_ = true;
    read_wait_.set_deadline_after(server_.limits_.head_read);
  }
  const bool woken = co_await read_wait_.readable();
  const bool was_idle = std::exchange(idle_, false);
  if (woken) co_return true;
  if (was_idle) co_return false;
  ++server_.counts_.timeouts;
  refuse(408, "the request head did not arrive in time");
  unread_ = true;
  co_return false;
}

// Requests mostly come one at a time, so that the input is one head: then it may be one that needs no parsing.
const http1::RequestHead* Connection::recall() {
  const std::string_view text = input_.text();
  return text.ends_with("\r\n\r\n") ? server_.handler_.recall(text) : nullptr;
}

bool Connection::try_hot(const http1::RequestHead& head) {
  if (!head.body.empty()) return false;
  exchange_.start(head);
  if (!server_.handler_.try_answer(exchange_)) return false;
  GHMESH_CHECK(exchange_.sent_ == Http1Exchange::Sent::All);
  ++server_.counts_.hot;
  closing_ = closing_ || !exchange_.keep_alive_;
  input_.consume(head.size);
  return true;
}

// Gives the head a place where it stays while the body passes: views into the input, fields of its own.
void Connection::keep_head_in_place() {
  const std::size_t size = parser_.head().size;
  if (!input_.pin(size)) {
    // The buffer is nearly full. A larger one moves the octets, so they are looked at again.
    input_.make_room(wire::kBufferBytes);
    parser_.reset();
    GHMESH_CHECK(parser_.parse(input_.text(), server_.scratch_) == http1::ParseState::Done);
    GHMESH_CHECK(input_.pin(size));
  }
  head_ = parser_.head();
  fields_.assign(head_.view.fields.begin(), head_.view.fields.end());
  head_.view.fields = FieldsView(std::span<const Field>(fields_));
}

// One request whose answer may wait. False: the connection is to end.
io::Task<bool> Connection::serve_request() {
  keep_head_in_place();
  body_ = http1::BodyDecoder(head_.body);
  body_patience_ = wire::Patience(server_.limits_.body_idle);
  body_until_ = server_.loop_.now() + std::chrono::duration_cast<TimePoint::duration>(server_.limits_.body_total);
  exchange_.start(head_);
  exchange_.body_ = &body_;
  exchange_.continue_pending_ = head_.expect_continue;
  co_await server_.handler_.answer(exchange_);
  exchange_.body_ = nullptr;
  const bool alive = co_await settle_answer() && co_await settle_body();
  input_.unpin();
  fields_.clear();
  co_return alive;
}

io::Task<bool> Connection::settle_answer() {
  if (exchange_.tunnelled_) co_return false;
  if (exchange_.sent_ == Http1Exchange::Sent::Nothing) {
    if (exchange_.failed_status_ == 408) ++server_.counts_.timeouts;
    if (exchange_.failed_status_ != 0)
      refuse(exchange_.failed_status_, body_failure(exchange_.failed_status_), exchange_.is_head_request());
    else
      refuse(500, "no answer was made", exchange_.is_head_request());
    unread_ = true;
    co_return false;
  }
  if (exchange_.broken_ || exchange_.sent_ != Http1Exchange::Sent::All) {
    if (output_) output_->clear();
    stream_->abort(Error{ErrorCode::Closed, Fault::Local, Retry::No, "an answer was left unfinished"});
    co_return false;
  }
  closing_ = closing_ || !exchange_.keep_alive_;
  co_return true;
}

// What nobody read of the body must not be taken for the next request (attack A14).
io::Task<bool> Connection::settle_body() {
  if (body_.done()) co_return true;
  unread_ = true;
  if (closing_) co_return true;
  const std::uint64_t start = body_.size();
  while (body_.size() - start <= server_.limits_.discard_bytes) {
    if (!flush_now() && !co_await flush()) co_return false;
    const auto piece =
        co_await wire::read_piece(*stream_, input_, body_, read_wait_, body_patience_, body_until_, Fault::Client);
    if (!piece) co_return false;
    if (body_.done()) {
      unread_ = false;
      co_return true;
    }
  }
  co_return false;
}

// An answer of the server's own, after which the connection ends.
void Connection::refuse(int status, std::string_view what, bool to_head) {
  ++server_.counts_.refused;
  closing_ = true;
  const std::string body = error_body(status, what);
  std::string& text = output().open();
  http1::format_status_line(text, status);
  text.append("Content-Type: application/json; charset=utf-8\r\nConnection: close\r\n");
  http1::format_length(text, body.size());
  text.append("\r\n");
  if (!to_head) text.append(body);
  output().seal();
}

// Closing a socket with unread octets resets it, and the reset may overtake the answer. So the client is told that
// nothing more will come, and gets a moment to read that.
io::Task<> Connection::linger() {
  stream_->shutdown_write();
  const TimePoint until = server_.loop_.now() + std::chrono::duration_cast<TimePoint::duration>(server_.limits_.linger);
  std::uint64_t thrown = 0;
  while (thrown <= 4 * server_.limits_.discard_bytes) {
    input_.unpin();
    input_.consume(input_.text().size());
    const io::IoStatus status = wire::read_once(*stream_, input_);
    thrown += status.bytes;
    if (status.kind == io::IoStatus::End || status.kind == io::IoStatus::Failed) co_return;
    if (status.kind != io::IoStatus::WouldBlock) continue;
    read_wait_.set_deadline(until);
    if (!co_await read_wait_.readable()) co_return;
  }
}

io::Task<> Connection::farewell() {
  stream_->shutdown_write();
  // A client that took the last answer closes; one that reads slowly is waited for as for any other octets.
  const Duration patience = server_.draining_ ? server_.limits_.linger : server_.limits_.send_stall;
  const TimePoint until = server_.loop_.now() + std::chrono::duration_cast<TimePoint::duration>(patience);
  idle_ = closing_ = true;
  std::uint64_t thrown = 0;
  while (thrown <= 4 * server_.limits_.discard_bytes) {
    input_.unpin();
    input_.consume(input_.text().size());
    const io::IoStatus status = wire::read_once(*stream_, input_);
    thrown += status.bytes;
    if (status.kind == io::IoStatus::End || status.kind == io::IoStatus::Failed) co_return;
    if (status.kind != io::IoStatus::WouldBlock) continue;
    read_wait_.set_deadline(until);
    if (!co_await read_wait_.readable()) co_return;
  }
}

}  // namespace ghmesh::http::server
