// SPDX-License-Identifier: Apache-2.0
// The half of a session that faces the connection's writing side, and its clock.

#include <algorithm>

#include "base/check.hpp"
#include "libp2p/yamux/session.hpp"
#include "stream_state.hpp"

namespace ghmesh::libp2p::yamux {

namespace {
constexpr std::size_t kKeptOutput = 4 * 1024;
}

void Session::attend(Stream& stream) {
  if (stream.in_attention) return;
  stream.in_attention = true;
  attention_.push_back(stream.id);
}

std::uint16_t Session::take_opening_flags(Stream& stream) {
  std::uint16_t flags = 0;
  if (stream.syn_pending) flags |= kSyn;
  if (stream.ack_pending) flags |= kAck;
  stream.syn_pending = stream.ack_pending = false;
  return flags;
}

// Whatever was asked for since the last output and found no frame to ride on.
void Session::write_attention() {
  while (!attention_.empty()) {
    Stream* stream = find(attention_.front());
    attention_.pop_front();
    if (stream == nullptr) continue;
    stream->in_attention = false;
    if (stream->reset) continue;
    std::uint32_t delta = 0;
    if (stream->update_pending) {
      stream->update_pending = false;
      if (!stream->remote_fin) {
        delta = stream->unreported;
        stream->unreported = 0;
        stream->remaining += delta;
      }
    }
    const std::uint16_t flags = take_opening_flags(*stream);
    if (flags != 0 || delta != 0) put({FrameType::WindowUpdate, flags, stream->id, delta});
  }
}

void Session::put(const FrameHeader& header) {
  const auto raw = encode_header(header);
  out_.insert(out_.end(), raw.begin(), raw.end());
}

ByteView Session::output() {
  write_attention();
  return {out_.data() + out_begin_, output_size()};
}

void Session::consume_output(std::size_t n, TimePoint now) {
  GHMESH_CHECK(n <= output_size());
  out_begin_ += n;
  if (n > 0) {
    last_activity_ = now;
    pongs_queued_ = 0;
  }
  if (out_begin_ == out_.size()) {
    out_.clear();
    out_begin_ = 0;
    stalled_since_.reset();
  } else {
    if (n > 0 || !stalled_since_) stalled_since_ = now;
    if (out_begin_ > out_.size() / 2) {
      out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_begin_));
      out_begin_ = 0;
    }
  }
  grant_writers();
}

void Session::ping(TimePoint now) {
  if (ping_sent_ || error_) return;
  ping_sent_ = now;
  put({FrameType::Ping, kSyn, 0, ++ping_value_});
}

Result<> Session::on_time(TimePoint now) {
  if (error_) return std::unexpected(*error_);
  const bool silent = ping_sent_ && now - *ping_sent_ >= limits_.ping_timeout && last_received_ <= *ping_sent_;
  const bool unanswered = ping_sent_ && now - *ping_sent_ >= 2 * limits_.ping_timeout;
  const bool stalled = stalled_since_ && now - *stalled_since_ >= limits_.write_timeout;
  if (silent || unanswered || stalled) {
    Error error{ErrorCode::Timeout, Fault::Peer, Retry::Later,
                stalled ? "yamux: the peer does not read" : "yamux: the peer does not answer"};
    abort(error);
    return std::unexpected(std::move(error));
  }
  if (!ping_sent_ && now - last_received_ >= limits_.keep_alive) ping(now);
  while (!orphans_.empty() && now - orphans_.front().since >= limits_.linger) {
    const StreamId id = orphans_.front().id;
    orphans_.pop_front();
    if (Stream* stream = find(id); stream != nullptr && stream->orphan) {
      reset(id);
      forget(*stream);
    }
  }
  const bool quiet = now - last_activity_ >= limits_.trim_after;
  if (quiet && has_room_to_trim()) Bytes().swap(out_);
  if (quiet) pool_.trim();
  return {};
}

// While output waits there is nothing to give back, and a deadline for it would be one that has passed and stays.
bool Session::has_room_to_trim() const { return out_.empty() && out_.capacity() > kKeptOutput; }

TimePoint Session::next_deadline() const {
  if (error_) return TimePoint::max();
  TimePoint at = ping_sent_ ? *ping_sent_ + (last_received_ <= *ping_sent_ ? 1 : 2) * limits_.ping_timeout
                            : last_received_ + limits_.keep_alive;
  if (stalled_since_) at = std::min(at, *stalled_since_ + limits_.write_timeout);
  if (!orphans_.empty()) at = std::min(at, orphans_.front().since + limits_.linger);
  if (!pool_.empty() || has_room_to_trim()) at = std::min(at, last_activity_ + limits_.trim_after);
  return at;
}

}  // namespace ghmesh::libp2p::yamux
