// SPDX-License-Identifier: Apache-2.0
#include "libp2p/multistream/negotiate.hpp"

#include <algorithm>

namespace ghmesh::libp2p::multistream {

namespace {

constexpr std::size_t kReadSize = 256;
constexpr const char* kPhase = "agreeing on a protocol";

// Sends what waits only when there is nothing to read, so that answers that can go together do.
template <typename Side>
io::Task<Result<>> talk(io::Stream& stream, Side& side) {
  std::uint8_t buffer[kReadSize];
  while (side.want() > 0) {
    const MutableByteView into(buffer, std::min(side.want(), sizeof buffer));
    io::IoStatus status = stream.try_read(into);
    if (status.kind == io::IoStatus::WouldBlock) {
      if (!side.output().empty()) {
        const Bytes out(side.output().begin(), side.output().end());
        side.consume_output(out.size());
        if (Result<> sent = co_await stream.write_all(out); !sent) co_return sent;
      }
      const Result<std::size_t> n = co_await stream.read_some(into);
      if (!n) co_return std::unexpected(n.error());
      status = {*n == 0 ? io::IoStatus::End : io::IoStatus::Done, *n};
    }
    if (status.kind == io::IoStatus::Failed) co_return std::unexpected(stream.error());
    if (status.kind == io::IoStatus::End) {
      (void)co_await stream.write_all(side.output());
      co_return fail(ErrorCode::Closed, "multistream: the stream ended before an agreement", Fault::Peer, Retry::Later);
    }
    const Result<> fine = side.receive(into.first(status.bytes));
    if (!fine) {
      (void)co_await stream.write_all(side.output());
      co_return fine;
    }
  }
  co_return co_await stream.write_all(side.output());
}

// Reads the answer on the first read; passes everything through after that.
//
// An end that is asked for before the answer waits for it unless the peer is known to cope: js-libp2p takes the octets
// behind the proposal back from its negotiation before it hands the stream on, and gives the stream up if it has ended
// by then (doc/notes/2026-11-23-early-end.md).
class LazyStream final : public io::Stream, private io::Waiter {
 public:
  LazyStream(std::unique_ptr<io::Stream> inner, std::string protocol, EarlyEnd early_end, const Limits& limits)
      : io::Stream(inner->loop()),
        inner_(std::move(inner)),
        side_({std::move(protocol)}, limits),
        early_end_(early_end),
        deadline_(*inner_, kPhase),
        limits_(limits) {}
  ~LazyStream() override {
    if (ending_ && flush_proposal()) inner_->shutdown_write();
  }

  io::IoStatus try_read(MutableByteView out) override {
    if (!side_.agreed()) [[unlikely]] {
      if (const io::IoStatus status = negotiate(); status.kind != io::IoStatus::Done) return status;
    }
    return inner_->try_read(out);
  }
  io::IoStatus try_write(std::span<const iovec> parts) override {
    const std::size_t waiting = side_.output().size();
    if (waiting == 0 && !ending_) [[likely]]
      return inner_->try_write(parts);
    if (ending_) return {io::IoStatus::Failed, 0};
    constexpr std::size_t kParts = 8;
    iovec all[kParts];
    all[0] = {const_cast<std::uint8_t*>(side_.output().data()), waiting};
    const std::size_t count = std::min(parts.size(), kParts - 1);
    std::copy_n(parts.begin(), count, all + 1);
    const io::IoStatus status = inner_->try_write(std::span<const iovec>(all, count + 1));
    if (status.kind != io::IoStatus::Done) return status;
    side_.consume_output(std::min(status.bytes, waiting));
    if (status.bytes <= waiting) return side_.output().empty() ? inner_->try_write(parts) : blocked();
    return {io::IoStatus::Done, status.bytes - waiting};
  }
  void wait_readable(io::Waiter& waiter) override {
    if (!side_.agreed()) {
      (void)flush_proposal();
      start_clock();
    }
    inner_->wait_readable(waiter);
  }
  void wait_writable(io::Waiter& waiter) override { inner_->wait_writable(waiter); }
  void shutdown_write() override {
    if (side_.agreed() || error_) return inner_->shutdown_write();
    if (early_end_ == EarlyEnd::AtOnce && flush_proposal()) return inner_->shutdown_write();
    if (std::exchange(ending_, true)) return;
    start_clock();
    run();
  }
  void abort(Error why) override { inner_->abort(std::move(why)); }
  Error error() const override { return error_ ? *error_ : inner_->error(); }
  std::optional<io::Endpoint> remote_endpoint() const override { return inner_->remote_endpoint(); }
  std::optional<io::Endpoint> local_endpoint() const override { return inner_->local_endpoint(); }

 private:
  static io::IoStatus blocked() { return {io::IoStatus::WouldBlock, 0}; }
  io::IoStatus failed(Error why) {
    error_ = why;
    deadline_.cancel();
    inner_->abort(std::move(why));
    return {io::IoStatus::Failed, 0};
  }
  void start_clock() {
    if (!std::exchange(waited_, true)) deadline_.extend(limits_.deadline);
  }
  // A reader that never wrote still has to ask. True if the proposal is out.
  bool flush_proposal() {
    while (!side_.output().empty()) {
      const iovec part{const_cast<std::uint8_t*>(side_.output().data()), side_.output().size()};
      last_ = inner_->try_write({&part, 1});
      if (last_.kind != io::IoStatus::Done) return false;
      side_.consume_output(last_.bytes);
    }
    return true;
  }
  // As far as it goes without waiting; Done means agreed.
  io::IoStatus negotiate() {
    if (error_) return {io::IoStatus::Failed, 0};
    if (!flush_proposal()) return last_;
    while (!side_.agreed()) {
      std::uint8_t buffer[kReadSize];
      const MutableByteView into(buffer, std::min(side_.want(), sizeof buffer));
      const io::IoStatus status = inner_->try_read(into);
      if (status.kind == io::IoStatus::WouldBlock || status.kind == io::IoStatus::Failed) return status;
      if (status.kind == io::IoStatus::End)
        return failed(
            {ErrorCode::Closed, Fault::Peer, Retry::Later, "multistream: the stream ended before an agreement"});
      if (Result<> fine = side_.receive(into.first(status.bytes)); !fine) return failed(fine.error());
    }
    deadline_.cancel();
    if (std::exchange(ending_, false)) inner_->shutdown_write();
    return {io::IoStatus::Done, 0};
  }
  // Goes on with the negotiation for an end that waits for it, whether anybody reads or not.
  void run() override {
    if (side_.agreed() || negotiate().kind != io::IoStatus::WouldBlock) return;
    if (side_.output().empty())
      inner_->wait_readable(*this);
    else
      inner_->wait_writable(*this);
  }

  std::unique_ptr<io::Stream> inner_;
  Initiator side_;
  const EarlyEnd early_end_;
  io::StreamDeadline deadline_;
  const Limits limits_;
  bool waited_ = false;
  bool ending_ = false;  // the end is asked for and not sent
  io::IoStatus last_;
  std::optional<Error> error_;
};

}  // namespace

io::Task<Result<std::string>> select(io::Stream& stream, std::vector<std::string> protocols, Limits limits) {
  const io::StreamDeadline deadline(stream, limits.deadline, kPhase);
  Initiator side(std::move(protocols), limits);
  if (Result<> fine = co_await talk(stream, side); !fine) co_return std::unexpected(fine.error());
  co_return *side.agreed();
}

io::Task<Result<std::string>> answer(io::Stream& stream, Responder::Accepts accepts, Limits limits) {
  const io::StreamDeadline deadline(stream, limits.deadline, kPhase);
  Responder side(std::move(accepts), limits);
  if (Result<> fine = co_await talk(stream, side); !fine) co_return std::unexpected(fine.error());
  co_return *side.agreed();
}

std::unique_ptr<io::Stream> make_lazy(std::unique_ptr<io::Stream> inner, std::string protocol, EarlyEnd early_end,
                                      Limits limits) {
  return std::make_unique<LazyStream>(std::move(inner), std::move(protocol), early_end, limits);
}

}  // namespace ghmesh::libp2p::multistream
