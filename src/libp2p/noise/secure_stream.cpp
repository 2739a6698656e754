// SPDX-License-Identifier: Apache-2.0
#include "libp2p/noise/secure_stream.hpp"

#include <algorithm>

#include "libp2p/noise/limits.hpp"

namespace ghmesh::libp2p::noise {

namespace {

constexpr std::size_t kOverhead = kFrameHeader + Limits::kTagBytes;
constexpr std::size_t kMaxFrame = kFrameHeader + Limits::kMessageBytes;
constexpr std::size_t kKept = 4 * 1024;  // capacity that an idle connection may keep

class SecureStream final : public io::Stream, private io::Waiter {
 public:
  SecureStream(std::unique_ptr<io::Stream> lower, Transport transport)
      : io::Stream(lower->loop()),
        lower_(std::move(lower)),
        sealer_(std::move(transport.sealer)),
        opener_(std::move(transport.opener)) {}

  io::IoStatus try_read(MutableByteView out) override;
  io::IoStatus try_write(std::span<const iovec> parts) override;
  void wait_readable(io::Waiter& waiter) override {
    if (plain_at_ < plain_.size() || has_frame(partial_) || error_)
      loop().make_ready(waiter);
    else
      lower_->wait_readable(waiter);
  }
  void wait_writable(io::Waiter& waiter) override {
    if (sealed_.empty() || error_) return lower_->wait_writable(waiter);
    writers_.push_back(waiter);
    if (!linked()) lower_->wait_writable(*this);
  }
  void shutdown_write() override {
    closing_ = true;
    if (sealed_.empty())
      lower_->shutdown_write();
    else if (!linked())
      lower_->wait_writable(*this);
  }
  void abort(Error why) override {
    if (!error_) error_ = why;
    lower_->abort(std::move(why));
    wake_writers();
  }
  Error error() const override { return error_ ? *error_ : lower_->error(); }
  std::optional<io::Endpoint> remote_endpoint() const override { return lower_->remote_endpoint(); }
  std::optional<io::Endpoint> local_endpoint() const override { return lower_->local_endpoint(); }

 private:
  void run() override {
    flush();
    if (!sealed_.empty() && !error_) return lower_->wait_writable(*this);
    wake_writers();
    if (closing_) lower_->shutdown_write();
  }
  static bool has_frame(ByteView in) {
    const auto size = frame_size(in);
    return size && *size <= in.size();
  }
  Result<std::size_t> open_frames(MutableByteView in, MutableByteView out, std::size_t& delivered);
  bool flush();
  void wake_writers() {
    while (!writers_.empty()) loop().make_ready(writers_.front());
  }
  io::IoStatus failed(Error why) {
    abort(std::move(why));
    return {io::IoStatus::Failed, 0};
  }

  std::unique_ptr<io::Stream> lower_;
  FrameSealer sealer_;
  FrameOpener opener_;
  Bytes partial_;  // the beginning of a message whose rest has not arrived
  Bytes plain_;    // what a reader with a small buffer left of a message
  std::size_t plain_at_ = 0;
  Bytes sealed_;  // what the stream below did not take yet
  std::size_t sealed_at_ = 0;
  bool closing_ = false;
  std::optional<Error> error_;
  IntrusiveList<io::Waiter> writers_;
};

io::IoStatus SecureStream::try_read(MutableByteView out) {
  if (error_) return {io::IoStatus::Failed, 0};
  if (plain_at_ < plain_.size()) {
    const std::size_t n = std::min(out.size(), plain_.size() - plain_at_);
    std::copy_n(plain_.begin() + static_cast<std::ptrdiff_t>(plain_at_), n, out.begin());
    plain_at_ += n;
    if (plain_at_ == plain_.size()) {
      plain_at_ = 0;
      plain_.clear();
      if (plain_.capacity() > kKept) plain_.shrink_to_fit();
    }
    return {io::IoStatus::Done, n};
  }
  // One message's worth per read keeps bulk data aligned: message, read, message, read.
  std::uint8_t buffer[kMaxFrame];
  std::size_t filled = partial_.size();
  std::copy(partial_.begin(), partial_.end(), buffer);
  std::size_t delivered = 0;
  while (true) {
    const Result<std::size_t> taken = open_frames(MutableByteView(buffer, filled), out, delivered);
    if (!taken) return failed(taken.error());
    std::copy(buffer + *taken, buffer + filled, buffer);
    filled -= *taken;
    if (delivered > 0) break;
    const io::IoStatus status = lower_->try_read(MutableByteView(buffer).subspan(filled));
    if (status.kind == io::IoStatus::End && filled > 0)
      return failed({ErrorCode::Closed, Fault::Peer, Retry::Later, "noise: the stream ends inside a message"});
    if (status.kind != io::IoStatus::Done) {
      partial_.assign(buffer, buffer + filled);
      if (filled == 0 && partial_.capacity() > kKept) partial_.shrink_to_fit();
      return status;
    }
    filled += status.bytes;
  }
  partial_.assign(buffer, buffer + filled);
  return {io::IoStatus::Done, delivered};
}

// Opens the complete messages at the front of in until out is full; the octets of in that are done with.
Result<std::size_t> SecureStream::open_frames(MutableByteView in, MutableByteView out, std::size_t& delivered) {
  std::size_t at = 0;
  while (plain_.empty() && delivered < out.size()) {
    const auto size = frame_size(in.subspan(at));
    if (!size) break;
    // A message without room for its tag is refused by its header.
    if (*size >= kOverhead && *size > in.size() - at) break;
    const auto plain = opener_.open(in.subspan(at, std::min(*size, in.size() - at)));
    if (!plain) return std::unexpected(plain.error());
    const std::size_t n = std::min(plain->size(), out.size() - delivered);
    std::copy_n(plain->begin(), n, out.begin() + static_cast<std::ptrdiff_t>(delivered));
    delivered += n;
    if (n < plain->size()) plain_.assign(plain->begin() + static_cast<std::ptrdiff_t>(n), plain->end());
    at += *size;
  }
  return at;
}

bool SecureStream::flush() {
  while (sealed_at_ < sealed_.size()) {
    const iovec part{sealed_.data() + sealed_at_, sealed_.size() - sealed_at_};
    const io::IoStatus status = lower_->try_write({&part, 1});
    if (status.kind == io::IoStatus::WouldBlock) return false;
    if (status.kind != io::IoStatus::Done) {
      if (!error_) error_ = lower_->error();
      return false;
    }
    sealed_at_ += status.bytes;
  }
  sealed_at_ = 0;
  sealed_.clear();
  if (sealed_.capacity() > kKept) sealed_.shrink_to_fit();
  return true;
}

io::IoStatus SecureStream::try_write(std::span<const iovec> parts) {
  if (!sealed_.empty() && !error_ && !flush() && !error_) return {io::IoStatus::WouldBlock, 0};
  if (error_) return {io::IoStatus::Failed, 0};
  std::uint8_t buffer[kMaxFrame];
  std::size_t accepted = 0;
  std::size_t index = 0;
  std::size_t offset = 0;
  while (index < parts.size()) {
    std::size_t size = 0;
    const ByteView first(static_cast<const std::uint8_t*>(parts[index].iov_base) + offset,
                         parts[index].iov_len - offset);
    if (first.size() >= Limits::kFrameText || index + 1 == parts.size()) {
      // One piece: sealed straight from the writer's memory.
      size = std::min(first.size(), Limits::kFrameText);
      if (size == 0) break;
      sealer_.seal(first.first(size), MutableByteView(buffer, size + kOverhead));
      offset += size;
      if (offset == parts[index].iov_len) ++index, offset = 0;
    } else {
      while (index < parts.size() && size < Limits::kFrameText) {
        const std::size_t n = std::min(parts[index].iov_len - offset, Limits::kFrameText - size);
        std::copy_n(static_cast<const std::uint8_t*>(parts[index].iov_base) + offset, n, buffer + kFrameHeader + size);
        size += n;
        offset += n;
        if (offset == parts[index].iov_len) ++index, offset = 0;
      }
      if (size == 0) break;
      sealer_.seal(MutableByteView(buffer, size + kOverhead));
    }
    accepted += size;
    const std::size_t total = size + kOverhead;
    std::size_t written = 0;
    while (written < total) {
      const iovec part{buffer + written, total - written};
      const io::IoStatus status = lower_->try_write({&part, 1});
      if (status.kind == io::IoStatus::Failed) {
        error_ = lower_->error();
        return status;
      }
      if (status.kind != io::IoStatus::Done) break;
      written += status.bytes;
    }
    if (written < total) {
      // Sealed counts as sent: the counter has moved. The rest goes out by itself.
      sealed_.assign(buffer + written, buffer + total);
      if (!linked()) lower_->wait_writable(*this);
      break;
    }
  }
  return {io::IoStatus::Done, accepted};
}

}  // namespace

std::unique_ptr<io::Stream> make_secure_stream(std::unique_ptr<io::Stream> lower, Transport transport) {
  return std::make_unique<SecureStream>(std::move(lower), std::move(transport));
}

}  // namespace ghmesh::libp2p::noise
