// SPDX-License-Identifier: Apache-2.0
#include "io/pipe.hpp"

#include <algorithm>
#include <deque>
#include <optional>

namespace ghmesh::io {
namespace {

// One direction. Bytes wait in `on_way` until their time of arrival, then in `arrived`.
struct Lane final : TimerNode {
  Lane(Loop& l, const PipeOptions& o) : TimerNode(l), options(o) {}

  struct Packet {
    TimePoint arrives;
    Bytes bytes;
    bool end;
  };

  std::size_t room() const { return options.capacity > inside ? options.capacity - inside : 0; }

  void send(std::span<const iovec> parts, std::size_t bytes) {
    inside += bytes;
    for (const iovec& part : parts) {
      ByteView rest(static_cast<const std::uint8_t*>(part.iov_base), std::min(part.iov_len, bytes));
      bytes -= rest.size();
      // Of a slow line the first bytes are there before the last.
      for (const std::size_t most = options.rate > 0 ? kPacket : rest.size(); !rest.empty();) {
        const ByteView piece = rest.first(std::min(most, rest.size()));
        rest = rest.subspan(piece.size());
        put({arrival(piece.size()), Bytes(piece.begin(), piece.end()), false});
      }
    }
  }
  void send_end() { put({arrival(0), {}, true}); }
  // Of so many bytes that leave now, or once what left before is on the line.
  TimePoint arrival(std::size_t bytes) {
    line_free = std::max(line_free, loop().now());
    if (options.rate > 0)
      line_free += std::chrono::duration_cast<TimePoint::duration>(
          std::chrono::duration<double>(static_cast<double>(bytes) / static_cast<double>(options.rate)));
    return line_free + std::chrono::duration_cast<TimePoint::duration>(options.latency);
  }
  void put(Packet packet) {
    on_way.push_back(std::move(packet));
    deliver();
  }
  void deliver() {
    while (!on_way.empty() && on_way.front().arrives <= loop().now()) {
      arrived.insert(arrived.end(), on_way.front().bytes.begin(), on_way.front().bytes.end());
      ended = ended || on_way.front().end;
      on_way.pop_front();
    }
    if (!on_way.empty()) arm_at(on_way.front().arrives);
    if (!arrived.empty() || ended) wake(readers);
  }
  void fire() override { deliver(); }
  void wake(IntrusiveList<Waiter>& list) {
    while (!list.empty()) loop().make_ready(list.front());
  }
  void break_with(const Error& why) {
    if (!broken) broken = why;
    on_way.clear();
    wake(readers);
    wake(writers);
  }

  static constexpr std::size_t kPacket = 1400;

  PipeOptions options;
  TimePoint line_free{};  // when all that was sent has left
  std::deque<Packet> on_way;
  std::deque<std::uint8_t> arrived;
  std::size_t inside = 0;  // sent and not yet read
  bool ended = false;      // the end has arrived
  bool finished = false;   // the writer has finished
  std::optional<Error> broken;
  IntrusiveList<Waiter> readers;
  IntrusiveList<Waiter> writers;
};

class PipeEnd final : public Stream {
 public:
  PipeEnd(Loop& loop, std::shared_ptr<Lane> in, std::shared_ptr<Lane> out)
      : Stream(loop), in_(std::move(in)), out_(std::move(out)) {}
  ~PipeEnd() override {
    // An end that has said goodbye on both sides breaks nothing that is still on its way.
    const Error gone{ErrorCode::Closed, Fault::Peer, Retry::No, "the other end of the pipe is gone"};
    if (!out_->finished) out_->break_with(gone);
    if (!in_->ended) in_->break_with(gone);
  }

  IoStatus try_read(MutableByteView out) override {
    if (aborted_ || (in_->broken && in_->arrived.empty())) return {IoStatus::Failed, 0};
    if (out.empty()) return {IoStatus::Done, 0};
    if (in_->arrived.empty()) return {in_->ended ? IoStatus::End : IoStatus::WouldBlock, 0};
    std::size_t count = std::min(out.size(), in_->arrived.size());
    if (in_->options.chunk > 0) count = std::min(count, in_->options.chunk);
    const auto stop = in_->arrived.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(in_->arrived.begin(), stop, out.begin());
    in_->arrived.erase(in_->arrived.begin(), stop);
    in_->inside -= count;
    in_->wake(in_->writers);
    return {IoStatus::Done, count};
  }

  IoStatus try_write(std::span<const iovec> parts) override {
    if (aborted_ || out_->broken || out_->finished) return {IoStatus::Failed, 0};
    std::size_t wanted = 0;
    for (const iovec& part : parts) wanted += part.iov_len;
    if (wanted == 0) return {IoStatus::Done, 0};
    std::size_t count = std::min(wanted, out_->room());
    if (out_->options.chunk > 0) count = std::min(count, out_->options.chunk);
    if (count == 0) return {IoStatus::WouldBlock, 0};
    out_->send(parts, count);
    return {IoStatus::Done, count};
  }

  void wait_readable(Waiter& waiter) override {
    in_->readers.push_back(waiter);
    if (aborted_ || in_->broken || in_->ended || !in_->arrived.empty()) in_->wake(in_->readers);
  }
  void wait_writable(Waiter& waiter) override {
    out_->writers.push_back(waiter);
    if (aborted_ || out_->broken || out_->finished || out_->room() > 0) out_->wake(out_->writers);
  }

  void shutdown_write() override {
    if (aborted_ || out_->finished) return;
    out_->finished = true;
    out_->send_end();
  }
  void abort(Error why) override {
    if (aborted_) return;
    const Error reset{ErrorCode::Closed, Fault::Peer, Retry::No, "the other end reset the pipe"};
    aborted_ = std::move(why);
    out_->break_with(reset);
    in_->break_with(reset);
  }
  Error error() const override {
    if (aborted_) return *aborted_;
    if (out_->broken) return *out_->broken;
    if (in_->broken) return *in_->broken;
    return {ErrorCode::Closed, Fault::Local, Retry::No, "writing after shutdown_write"};
  }

 private:
  std::shared_ptr<Lane> in_;
  std::shared_ptr<Lane> out_;
  std::optional<Error> aborted_;
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_pipe(Loop& loop, PipeOptions options) {
  auto there = std::make_shared<Lane>(loop, options);
  auto back = std::make_shared<Lane>(loop, options);
  return {std::make_unique<PipeEnd>(loop, back, there), std::make_unique<PipeEnd>(loop, there, back)};
}

}  // namespace ghmesh::io
