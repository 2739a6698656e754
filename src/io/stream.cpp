// SPDX-License-Identifier: Apache-2.0
#include "io/stream.hpp"

#include <string>

namespace ghmesh::io {

bool Stream::ReadAwaiter::attempt() {
  while (true) {
    const IoStatus status = stream_.try_read(out_.subspan(filled_));
    kind_ = status.kind;
    if (status.kind == IoStatus::WouldBlock) return false;
    if (status.kind != IoStatus::Done) return true;
    filled_ += status.bytes;
    if (!exact_ || filled_ == out_.size()) return true;
  }
}

Result<std::size_t> Stream::ReadAwaiter::await_resume() {
  if (kind_ == IoStatus::Failed) return std::unexpected(stream_.error());
  if (exact_ && filled_ < out_.size()) {
    return fail(ErrorCode::Closed,
                "the stream ended after " + std::to_string(filled_) + " of " + std::to_string(out_.size()) + " bytes",
                Fault::Peer);
  }
  return filled_;
}

Stream::WriteAwaiter::WriteAwaiter(Stream& stream, std::span<const ByteView> parts) : stream_(stream) {
  iovec* to = inline_;
  if (parts.size() > kInlineParts) {
    many_.resize(parts.size());
    to = many_.data();
  }
  for (const ByteView part : parts)
    if (!part.empty()) to[count_++] = {const_cast<std::uint8_t*>(part.data()), part.size()};
}

std::span<iovec> Stream::WriteAwaiter::rest() {
  iovec* from = many_.empty() ? inline_ : many_.data();
  return {from + next_, count_ - next_};
}

bool Stream::WriteAwaiter::attempt() {
  while (next_ < count_) {
    const IoStatus status = stream_.try_write(rest());
    if (status.kind == IoStatus::WouldBlock) return false;
    if (status.kind != IoStatus::Done) {
      failed_ = true;
      return true;
    }
    std::size_t written = status.bytes;
    while (written > 0) {
      iovec& part = rest().front();
      const std::size_t step = written < part.iov_len ? written : part.iov_len;
      part.iov_base = static_cast<char*>(part.iov_base) + step;
      part.iov_len -= step;
      written -= step;
      if (part.iov_len == 0) ++next_;
    }
  }
  return true;
}

Result<> Stream::WriteAwaiter::await_resume() {
  if (failed_) return std::unexpected(stream_.error());
  return {};
}

StreamDeadline::StreamDeadline(Stream& stream, Duration after, const char* what)
    : TimerNode(stream.loop()), stream_(stream), what_(what) {
  extend(after);
}

void StreamDeadline::extend(Duration after) {
  until_ = loop().now() + std::chrono::duration_cast<TimePoint::duration>(after);
  if (!armed() || until_ < when()) arm_at(until_);
}

void StreamDeadline::cancel() { until_ = TimePoint::max(); }

void StreamDeadline::fire() {
  if (until_ == TimePoint::max()) return;
  if (loop().now() < until_) return arm_at(until_);
  stream_.abort(Error{ErrorCode::Timeout, Fault::Peer, Retry::Later, std::string("timed out: ") + what_});
}

}  // namespace ghmesh::io
