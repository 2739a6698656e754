// SPDX-License-Identifier: Apache-2.0
#include "libp2p/yamux/session.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "stream_state.hpp"

namespace ghmesh::libp2p::yamux {

namespace {
// A writer is woken only if a frame worth its header fits.
constexpr std::size_t kWorthwhile = 4 * 1024;
}  // namespace

Session::Session(Role role, Limits limits, TimePoint now, WindowBudget* budget)
    : role_(role),
      limits_(limits),
      budget_(budget),
      next_id_(role == Role::Client ? 1 : 2),
      last_received_(now),
      last_activity_(now),
      abuse_(limits.abuse_burst),
      abuse_at_(now) {
  // The first ping measures the round trip before the first window could grow.
  ping(now);
}

Session::~Session() {
  streams_.clear();
  if (budget_ != nullptr) budget_->release(reserved_);
}

Session::Stream* Session::find(StreamId id) const {
  const auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second.get();
}

Session::Stream& Session::add(StreamId id, bool ours) {
  auto stream = std::make_unique<Stream>(id, ours, limits_.initial_window, pool_);
  return *(streams_[id] = std::move(stream));
}

bool Session::reserve(std::size_t bytes) {
  if (budget_ != nullptr && !budget_->try_reserve(bytes)) return false;
  reserved_ += bytes;
  return true;
}

void Session::unreserve(std::size_t bytes) {
  reserved_ -= bytes;
  if (budget_ != nullptr) budget_->release(bytes);
}

Result<StreamId> Session::open() {
  if (error_) return std::unexpected(*error_);
  if (draining()) return fail(ErrorCode::Closed, "yamux: session is going away", Fault::Peer, Retry::Now);
  if (streams_.size() >= limits_.max_streams || unacknowledged_out_ >= limits_.max_unacknowledged)
    return fail(ErrorCode::Limit, "yamux: too many streams", Fault::Local, Retry::Later);
  if (next_id_ > 0xfffffffdu) return fail(ErrorCode::Limit, "yamux: stream ids used up", Fault::Local, Retry::Now);
  if (!reserve(limits_.initial_window))
    return fail(ErrorCode::Limit, "yamux: no memory for another stream", Fault::Local, Retry::Later);
  const StreamId id = next_id_;
  next_id_ += 2;
  Stream& stream = add(id, true);
  stream.syn_pending = true;
  ++unacknowledged_out_;
  ++counters_.opened_out;
  attend(stream);
  return id;
}

Result<std::size_t> Session::write(StreamId id, ByteView bytes) {
  const iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  return write(id, std::span<const iovec>(&part, 1));
}

Result<std::size_t> Session::write(StreamId id, std::span<const iovec> parts) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->reset || stream->local_fin)
    return fail(ErrorCode::Closed, "yamux: stream is closed for writing", Fault::Peer);
  std::size_t offered = 0;
  for (const iovec& part : parts) offered += part.iov_len;
  if (offered == 0) return 0;
  const std::size_t queued = output_size();
  const bool granted = std::exchange(stream->granted, false);
  if (queued >= limits_.output_limit || (!writers_.empty() && !granted)) {
    wait_for_room(*stream, granted);
    return 0;
  }
  const std::size_t n = std::min<std::size_t>(
      {offered, stream->send_window, limits_.max_frame, std::max(limits_.output_limit - queued, kWorthwhile)});
  if (n == 0) {  // the window is used up: an update will wake the writer
    stream->want_write = true;
    return 0;
  }
  stream->send_window -= static_cast<std::uint32_t>(n);
  put({FrameType::Data, take_opening_flags(*stream), id, static_cast<std::uint32_t>(n)});
  std::size_t left = n;
  for (const iovec& part : parts) {
    const std::size_t step = std::min(left, part.iov_len);
    append(out_, ByteView(static_cast<const std::uint8_t*>(part.iov_base), step));
    left -= step;
    if (left == 0) break;
  }
  return n;
}

// Waiting writers are all woken when there is room again. One that was woken and found the room taken by others waits
// in front, so nobody starves.
void Session::wait_for_room(Stream& stream, bool in_front) {
  stream.want_write = true;
  if (stream.in_writers) return;
  stream.in_writers = true;
  if (in_front)
    writers_.push_front(stream.id);
  else
    writers_.push_back(stream.id);
}

bool Session::writable(StreamId id) const {
  const Stream* stream = find(id);
  if (stream == nullptr || stream->reset || stream->local_fin) return true;
  return stream->send_window > 0 && output_size() < limits_.output_limit && (writers_.empty() || stream->granted);
}

void Session::grant_writers() {
  if (output_size() + kWorthwhile > limits_.output_limit) return;
  while (!writers_.empty()) {
    Stream* stream = find(writers_.front());
    writers_.pop_front();
    if (stream == nullptr) continue;
    stream->in_writers = false;
    stream->granted = true;
    signal(*stream, EventKind::Writable);
  }
}

std::size_t Session::read(StreamId id, MutableByteView out, TimePoint now) {
  Stream* stream = find(id);
  if (stream == nullptr) return 0;
  const std::size_t n = stream->received.pop(out);
  if (n > 0) consumed(*stream, n, now);
  if (n == 0) stream->want_read = true;
  return n;
}

ByteView Session::peek(StreamId id) {
  Stream* stream = find(id);
  return stream == nullptr ? ByteView{} : stream->received.front();
}

void Session::consume(StreamId id, std::size_t n, TimePoint now) {
  Stream* stream = find(id);
  if (stream == nullptr || n == 0) return;
  stream->received.drop(n);
  consumed(*stream, n, now);
}

void Session::consumed(Stream& stream, std::size_t n, TimePoint now) {
  buffered_ -= n;
  if (stream.reset || stream.remote_fin) return;
  stream.unreported += static_cast<std::uint32_t>(n);
  // Half a window per update: per read would double the frames, at the end would stall the sender.
  if (stream.unreported < stream.window / 2 || stream.update_pending) return;
  grow(stream, now);
  stream.update_pending = true;
  attend(stream);
}

// go-yamux and js double a window that is used up within four round trips; here only if the memory for it is granted.
void Session::grow(Stream& stream, TimePoint now) {
  const bool fast = stream.updated && rtt_ && now - *stream.updated < 4 * *rtt_;
  stream.updated = now;
  if (!fast || stream.window >= limits_.max_window) return;
  const std::uint32_t more = std::min(stream.window, limits_.max_window - stream.window);
  if (!reserve(more)) return;
  stream.window += more;
  stream.unreported += more;
  ++counters_.window_growths;
}

StreamState Session::state(StreamId id) const {
  const Stream* stream = find(id);
  if (stream == nullptr) return StreamState::Gone;
  if (!stream->received.empty()) return StreamState::Open;
  if (stream->remote_fin) return StreamState::End;
  return stream->reset ? StreamState::Reset : StreamState::Open;
}

void Session::close_write(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->reset || stream->local_fin) return;
  // A frame of its own: js-libp2p loses the payload of a data frame that carries FIN.
  const std::uint16_t opening = take_opening_flags(*stream);
  put({FrameType::Data, static_cast<std::uint16_t>(kFin | opening), id, 0});
  stream->local_fin = true;
}

void Session::reset(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->reset) return;
  const bool announced = !stream->syn_pending;
  const bool finished = stream->finished();
  mark_reset(*stream, Received::Drop);
  if (finished || !announced) return;
  put({FrameType::WindowUpdate, kRst, id, 0});
  ++counters_.resets_out;
}

void Session::mark_reset(Stream& stream, Received received) {
  if (stream.ours && !stream.acknowledged && !stream.reset) --unacknowledged_out_;
  stream.acknowledged = true;
  stream.reset = true;
  stream.syn_pending = stream.ack_pending = stream.update_pending = false;
  if (received == Received::Drop) {
    stream.remote_fin = false;
    buffered_ -= stream.received.size();
    stream.received.clear();
  }
  signal(stream, EventKind::Readable);
  signal(stream, EventKind::Writable);
}

void Session::release(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr || stream->orphan) return;
  // The rest of a frame whose head has come is data, too.
  const bool arriving = payload_stream_ == id && payload_left_ > 0;
  if (stream->local_fin && !stream->remote_fin && !stream->reset && stream->received.empty() && !arriving) {
    stream->orphan = true;
    stream->want_read = stream->want_write = false;
    orphans_.push_back({id, last_activity_});
    return;
  }
  if (!stream->finished()) reset(id);
  forget(*stream);
}

void Session::forget(Stream& stream) {
  if (stream.ours && !stream.acknowledged) --unacknowledged_out_;
  buffered_ -= stream.received.size();
  const std::size_t window = stream.window;
  streams_.erase(stream.id);
  unreserve(window);
}

void Session::want_read(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->want_read = true;
  if (!stream->received.empty() || stream->remote_fin || stream->reset) signal(*stream, EventKind::Readable);
}

void Session::want_write(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->want_write = true;
  if (writable(id))
    signal(*stream, EventKind::Writable);
  else if (stream->send_window > 0)
    wait_for_room(*stream, false);
}

void Session::signal(Stream& stream, EventKind kind) {
  bool& wanted = kind == EventKind::Readable ? stream.want_read : stream.want_write;
  if (!wanted) return;
  wanted = false;
  events_.push_back({kind, stream.id});
}

std::optional<Event> Session::next_event() {
  while (!events_.empty()) {
    const Event event = events_.front();
    events_.pop_front();
    if (event.kind == EventKind::Drained || find(event.stream) != nullptr) return event;
  }
  return std::nullopt;
}

void Session::go_away() {
  if (local_go_away_ || error_) return;
  local_go_away_ = true;
  put({FrameType::GoAway, 0, 0, static_cast<std::uint32_t>(GoAwayCode::Normal)});
}

void Session::abort(Error reason, std::optional<GoAwayCode> code) {
  if (error_) return;
  error_ = std::move(reason);
  for (auto& [id, stream] : streams_) mark_reset(*stream, code ? Received::Drop : Received::Keep);
  for (const Orphan& orphan : orphans_)
    if (Stream* stream = find(orphan.id); stream != nullptr && stream->orphan) forget(*stream);
  orphans_.clear();
  attention_.clear();
  writers_.clear();
  out_.clear();
  out_begin_ = 0;
  stalled_since_.reset();
  if (code) put({FrameType::GoAway, 0, 0, static_cast<std::uint32_t>(*code)});
}

std::unexpected<Error> Session::violate(std::string what) {
  Error error{ErrorCode::Malformed, Fault::Peer, Retry::No, "yamux: " + std::move(what)};
  abort(error, GoAwayCode::ProtocolError);
  return std::unexpected(std::move(error));
}

std::uint32_t Session::send_window(StreamId id) const {
  const Stream* stream = find(id);
  return stream == nullptr ? 0 : stream->send_window;
}

std::uint32_t Session::receive_window(StreamId id) const {
  const Stream* stream = find(id);
  return stream == nullptr ? 0 : stream->remaining;
}

}  // namespace ghmesh::libp2p::yamux
