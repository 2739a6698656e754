// SPDX-License-Identifier: Apache-2.0
#include "libp2p/request/framing.hpp"

#include <algorithm>

#include "multiformats/varint.hpp"

namespace ghmesh::libp2p {

namespace {
constexpr std::size_t kFirstRead = 4 * 1024;
constexpr std::size_t kAhead = 64 * 1024;
}  // namespace

void FrameReader::make_room(std::size_t n) {
  if (buffer_.size() - end_ >= n) return;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
            buffer_.begin());
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() - end_ < n) buffer_.resize(end_ + n);
}

io::Task<Result<std::optional<ByteView>>> FrameReader::next() {
  if (begin_ == end_) begin_ = end_ = 0;
  while (true) {
    const ByteView have(buffer_.data() + begin_, filled());
    const multiformats::VarintRead length = multiformats::read_varint(have);
    if (length.status == multiformats::VarintStatus::Malformed)
      co_return fail(ErrorCode::Malformed, "a message's length is not a minimal varint", Fault::Peer);
    std::size_t missing = kFirstRead;
    if (length.status == multiformats::VarintStatus::Done) {
      if (length.value > max_) co_return fail(ErrorCode::Limit, "a message is announced too long", Fault::Peer);
      const std::size_t total = length.size + static_cast<std::size_t>(length.value);
      if (have.size() >= total) {
        begin_ += total;
        co_return std::optional(have.subspan(length.size, static_cast<std::size_t>(length.value)));
      }
      missing = std::max(kFirstRead, std::min(total - have.size(), kAhead));
    }
    make_room(missing);
    const Result<std::size_t> n = co_await stream_.read_some(MutableByteView(buffer_).subspan(end_));
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) {
      if (begin_ == end_) co_return std::optional<ByteView>();
      co_return fail(ErrorCode::Closed, "the stream ended inside a message", Fault::Peer, Retry::Later);
    }
    end_ += *n;
  }
}

io::Task<Result<>> write_frame(io::Stream& stream, ByteView message) {
  Bytes length;
  multiformats::append_varint(length, message.size());
  const ByteView parts[] = {length, message};
  co_return co_await stream.write_all(parts);
}

}  // namespace ghmesh::libp2p
