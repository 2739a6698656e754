// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "io/stream.hpp"

namespace ghmesh::io {

// A stream that stays its owner's, for layers that want to own what is below them; with octets of it that were read
// ahead, which come first. Both must outlive it.
class BorrowedStream : public Stream {
 public:
  explicit BorrowedStream(Stream& stream, std::string_view early = {})
      : Stream(stream.loop()), stream_(stream), early_(early) {}

  IoStatus try_read(MutableByteView out) override {
    if (early_.empty() || out.empty()) return stream_.try_read(out);
    const std::size_t count = std::min(out.size(), early_.size());
    std::memcpy(out.data(), early_.data(), count);
    early_.remove_prefix(count);
    return {IoStatus::Done, count};
  }
  IoStatus try_write(std::span<const iovec> parts) override { return stream_.try_write(parts); }
  void wait_readable(Waiter& waiter) override {
    if (early_.empty())
      stream_.wait_readable(waiter);
    else
      loop().make_ready(waiter);
  }
  void wait_writable(Waiter& waiter) override { stream_.wait_writable(waiter); }
  void shutdown_write() override { stream_.shutdown_write(); }
  void abort(Error why) override { stream_.abort(std::move(why)); }
  Error error() const override { return stream_.error(); }
  std::optional<Endpoint> remote_endpoint() const override { return stream_.remote_endpoint(); }
  std::optional<Endpoint> local_endpoint() const override { return stream_.local_endpoint(); }

 private:
  Stream& stream_;
  std::string_view early_;
};

namespace detail {
struct PrefixedParts {
  std::unique_ptr<Stream> stream;
  std::string early;
};
}  // namespace detail

// The same, owning both.
class PrefixedStream final : private detail::PrefixedParts, public BorrowedStream {
 public:
  PrefixedStream(std::unique_ptr<Stream> stream, std::string early)
      : PrefixedParts{std::move(stream), std::move(early)},
        BorrowedStream(*PrefixedParts::stream, PrefixedParts::early) {}
};

}  // namespace ghmesh::io
