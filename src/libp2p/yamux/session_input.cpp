// SPDX-License-Identifier: Apache-2.0
// The half of a session that judges what the peer sends. Every number of a header is checked before any state changes.

#include <algorithm>

#include "libp2p/yamux/session.hpp"
#include "stream_state.hpp"

namespace ghmesh::libp2p::yamux {

Result<> Session::receive(ByteView bytes, TimePoint now) {
  if (error_) return std::unexpected(*error_);
  if (!bytes.empty()) last_received_ = last_activity_ = now;
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const std::size_t n = std::min<std::size_t>(bytes.size(), payload_left_);
      payload_left_ -= static_cast<std::uint32_t>(n);
      on_payload(bytes.first(n));
      bytes = bytes.subspan(n);
      continue;
    }
    const std::size_t n = std::min(bytes.size(), kHeaderSize - header_size_);
    std::copy_n(bytes.begin(), n, header_ + header_size_);
    header_size_ += n;
    bytes = bytes.subspan(n);
    if (header_size_ < kHeaderSize) break;
    header_size_ = 0;
    const Result<FrameHeader> header = decode_header(header_);
    if (!header) return violate(header.error().message.substr(7));
    if (Result<> done = on_header(*header, now); !done) return done;
  }
  return {};
}

Result<> Session::on_header(const FrameHeader& header, TimePoint now) {
  Result<> done;
  switch (header.type) {
    case FrameType::Ping: done = on_ping(header, now); break;
    case FrameType::GoAway: done = on_go_away(header); break;
    default: done = on_stream_frame(header, now); break;
  }
  if (!done) return done;
  // What we queue by ourselves stays small unless the peer asks and asks and never reads.
  if (output_size() > limits_.output_limit + limits_.output_control_slack)
    return violate("the peer asks for more than it reads");
  return {};
}

Result<> Session::on_stream_frame(const FrameHeader& header, TimePoint now) {
  const bool data = header.type == FrameType::Data;
  Stream* stream = find(header.stream);
  if ((header.flags & kSyn) != 0) {
    if (stream != nullptr) return violate("a stream is opened twice");
    Result<Stream*> opened = on_syn(header, now);
    if (!opened) return std::unexpected(opened.error());
    stream = *opened;
  }
  if (data) {
    const std::uint32_t room = stream != nullptr && !stream->reset ? stream->remaining : limits_.max_window;
    if (header.length > room) return violate("a data frame is larger than the window");
    payload_left_ = header.length;
    payload_stream_ = 0;
    payload_fin_ = false;
  }
  if (stream == nullptr || stream->reset) {
    // Frames in flight when the stream died. Answering them with a reset would make two peers reset each other for
    // ever.
    if ((header.flags & kSyn) == 0) ++counters_.late_frames;
    return {};
  }
  if (stream->orphan && data && header.length > 0) {
    // Nobody reads any more; the peer has to learn that or it fills its window and waits for ever.
    reset(stream->id);
    forget(*stream);
    return {};
  }
  if (data) {
    if (header.length > 0 && stream->remote_fin) return violate("data after the end of a stream");
    stream->remaining -= header.length;
    payload_stream_ = header.length > 0 ? header.stream : 0;
  } else {
    if (header.length > 0xffffffffu - stream->send_window) return violate("a window overflows");
    stream->send_window += header.length;
    if (header.length > 0 && stream->want_write) want_write(stream->id);
  }
  Result<> done = on_flags(*stream, header, now);
  if (done && stream->orphan && stream->finished()) forget(*stream);
  return done;
}

// A new stream of the peer; null if it is refused. Its first frame's numbers are judged by the caller before they
// count.
Result<Session::Stream*> Session::on_syn(const FrameHeader& header, TimePoint now) {
  if (is_ours(header.stream)) return violate("a stream with the wrong parity");
  if (header.type == FrameType::Data && header.length > limits_.initial_window)
    return violate("a data frame is larger than the window");
  if (header.type == FrameType::WindowUpdate && header.length > 0xffffffffu - limits_.initial_window)
    return violate("a window overflows");
  const bool room = !local_go_away_ && streams_.size() < limits_.max_streams;
  if (!room || !reserve(limits_.initial_window)) {
    ++counters_.refused;
    if (Result<> fine = charge_abuse(now); !fine) return std::unexpected(fine.error());
    put({FrameType::WindowUpdate, kRst, header.stream, 0});
    return nullptr;
  }
  Stream& stream = add(header.stream, false);
  stream.ack_pending = true;
  ++counters_.opened_in;
  attend(stream);
  events_.push_back({EventKind::Opened, stream.id});
  return &stream;
}

Result<> Session::on_flags(Stream& stream, const FrameHeader& header, TimePoint now) {
  if ((header.flags & kAck) != 0 && stream.ours && !stream.acknowledged) {
    stream.acknowledged = true;
    --unacknowledged_out_;
  }
  if ((header.flags & kRst) != 0) {
    ++counters_.resets_in;
    payload_stream_ = 0;
    if (!stream.ours)
      if (Result<> fine = charge_abuse(now); !fine) return fine;
    mark_reset(stream, Received::Keep);
    stream.remote_fin = false;  // taken back
    return {};
  }
  if ((header.flags & kFin) != 0) {
    if (payload_stream_ != 0 && payload_left_ > 0) {
      payload_fin_ = true;  // the end comes after this frame's own payload
    } else {
      stream.remote_fin = true;
      signal(stream, EventKind::Readable);
    }
  }
  return {};
}

void Session::on_payload(ByteView bytes) {
  Stream* stream = payload_stream_ == 0 ? nullptr : find(payload_stream_);
  if (stream == nullptr || stream->reset) return;
  stream->received.push(bytes);
  buffered_ += bytes.size();
  if (payload_left_ == 0 && payload_fin_) stream->remote_fin = true;
  signal(*stream, EventKind::Readable);
}

Result<> Session::on_ping(const FrameHeader& header, TimePoint now) {
  if ((header.flags & kSyn) != 0) {
    if (pongs_queued_ >= limits_.max_queued_pongs) {
      ++counters_.pings_dropped;
      return {};
    }
    ++pongs_queued_;
    put({FrameType::Ping, kAck, 0, header.length});
    return {};
  }
  if ((header.flags & kAck) == 0 || !ping_sent_ || header.length != ping_value_) return {};
  const Duration sample = now - *ping_sent_;
  // One slow answer of a busy peer shall not triple a window's growth horizon for long.
  rtt_ = rtt_ ? (*rtt_ + sample) / 2 : sample;
  ping_sent_.reset();
  return {};
}

Result<> Session::on_go_away(const FrameHeader& header) {
  if (header.length == static_cast<std::uint32_t>(GoAwayCode::Normal)) {
    if (!remote_go_away_) events_.push_back({EventKind::Drained, 0});
    remote_go_away_ = true;
    return {};
  }
  Error error{ErrorCode::Closed, Fault::Peer, Retry::Later,
              "yamux: the peer went away, code " + std::to_string(header.length)};
  abort(error);
  return std::unexpected(std::move(error));
}

Result<> Session::charge_abuse(TimePoint now) {
  const double seconds = std::chrono::duration<double>(now - abuse_at_).count();
  abuse_ = std::min<double>(limits_.abuse_burst, abuse_ + seconds * limits_.abuse_per_second);
  abuse_at_ = now;
  if (abuse_ < 1) return violate("a flood of refused or reset streams");
  abuse_ -= 1;
  return {};
}

}  // namespace ghmesh::libp2p::yamux
