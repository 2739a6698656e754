// SPDX-License-Identifier: Apache-2.0
#include "io/memory_network.hpp"

#include <deque>

#include "io/sync.hpp"

namespace ghmesh::io {
namespace {

constexpr auto kDefaultLatency = std::chrono::microseconds(500);
constexpr auto kConnectTimeout = 3s;

std::pair<IpAddress, IpAddress> unordered(const IpAddress& a, const IpAddress& b) {
  return a < b ? std::pair(a, b) : std::pair(b, a);
}

}  // namespace

// A pipe end that knows its addresses and that the network can break.
class MemoryNetwork::MemoryStream final : public Stream {
 public:
  MemoryStream(MemoryNetwork& network, std::unique_ptr<Stream> inner, Endpoint local, Endpoint remote)
      : Stream(inner->loop()), network_(network), inner_(std::move(inner)), local_(local), remote_(remote) {
    network_.streams_.insert(this);
  }
  ~MemoryStream() override { network_.streams_.erase(this); }

  IoStatus try_read(MutableByteView out) override { return inner_->try_read(out); }
  IoStatus try_write(std::span<const iovec> parts) override {
    if (lost_) {
      std::size_t bytes = 0;
      for (const iovec& part : parts) bytes += part.iov_len;
      return {IoStatus::Done, bytes};
    }
    const IoStatus status = inner_->try_write(parts);
    if (status.kind == IoStatus::Done) network_.bytes_sent_ += status.bytes;
    return status;
  }
  void wait_readable(Waiter& waiter) override { inner_->wait_readable(waiter); }
  void wait_writable(Waiter& waiter) override { inner_->wait_writable(waiter); }
  void shutdown_write() override { inner_->shutdown_write(); }
  void abort(Error why) override { inner_->abort(std::move(why)); }
  Error error() const override { return inner_->error(); }
  std::optional<Endpoint> remote_endpoint() const override { return remote_; }
  std::optional<Endpoint> local_endpoint() const override { return local_; }
  void lose() { lost_ = true; }

 private:
  MemoryNetwork& network_;
  std::unique_ptr<Stream> inner_;
  bool lost_ = false;
  Endpoint local_;
  Endpoint remote_;
};

class MemoryNetwork::MemoryListener final : public Listener {
 public:
  MemoryListener(MemoryNetwork& network, Endpoint at) : network_(network), at_(at), arrived_(network.loop_) {
    network_.listeners_[at_] = this;
  }
  ~MemoryListener() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    while (waiting_.empty() && !closed_) co_await arrived_.wait();
    if (waiting_.empty()) co_return fail(ErrorCode::Closed, "the listener is closed");
    std::unique_ptr<Stream> next = std::move(waiting_.front());
    waiting_.pop_front();
    if (waiting_.empty() && !closed_) arrived_.reset();
    co_return next;
  }
  std::optional<Endpoint> local_endpoint() const override { return at_; }
  void close() override {
    if (closed_) return;
    closed_ = true;
    network_.listeners_.erase(at_);
    arrived_.set();
  }
  void arrive(std::unique_ptr<Stream> stream) {
    waiting_.push_back(std::move(stream));
    arrived_.set();
  }

 private:
  MemoryNetwork& network_;
  Endpoint at_;
  Event arrived_;
  std::deque<std::unique_ptr<Stream>> waiting_;
  bool closed_ = false;
};

class MemoryNetwork::Host final : public Network {
 public:
  Host(MemoryNetwork& network, IpAddress address) : network_(network), address_(address) {}

  Loop& loop() const override { return network_.loop_; }

  Task<Result<std::unique_ptr<Stream>>> dial(Endpoint to) override {
    const Duration one_way = network_.latency_ ? network_.latency_(address_, to.address) : kDefaultLatency;
    co_await loop().sleep_for(2 * one_way);
    if (network_.is_cut(address_, to.address)) {
      co_await loop().sleep_for(kConnectTimeout);
      co_return fail(ErrorCode::Timeout, "connecting to " + to_string(to) + ": no answer", Fault::Peer, Retry::Later);
    }
    const auto listener = network_.listeners_.find(to);
    if (listener == network_.listeners_.end())
      co_return fail(ErrorCode::Refused, "connecting to " + to_string(to) + ": refused", Fault::Peer, Retry::Later);
    const Endpoint local{address_, network_.next_port_++};
    auto [near_end, far_end] =
        make_pipe(loop(), {.capacity = network_.capacity_, .latency = one_way, .rate = network_.rate_});
    ++network_.connections_made_;
    listener->second->arrive(std::make_unique<MemoryStream>(network_, std::move(far_end), to, local));
    co_return std::make_unique<MemoryStream>(network_, std::move(near_end), local, to);
  }

  Result<std::unique_ptr<Listener>> listen(const Endpoint& at) override {
    Endpoint real{address_, at.port != 0 ? at.port : network_.next_port_++};
    if (network_.listeners_.contains(real))
      return fail(ErrorCode::Conflict, "listening on " + to_string(real) + ": taken");
    return std::make_unique<MemoryListener>(network_, real);
  }

  Task<Result<std::vector<IpAddress>>> resolve(std::string host) override {
    if (const auto literal = IpAddress::parse(host)) co_return std::vector{*literal};
    const auto known = network_.names_.find(host);
    if (known == network_.names_.end()) co_return fail(ErrorCode::NotFound, "resolving '" + host + "': no such name");
    co_return known->second;
  }
  Task<Result<std::vector<std::string>>> resolve_text(std::string name) override {
    const auto known = network_.texts_.find(name);
    if (known == network_.texts_.end()) co_return fail(ErrorCode::NotFound, "resolving '" + name + "': no such name");
    co_return known->second;
  }

  std::vector<IpAddress> interface_addresses() const override { return {address_}; }

 private:
  MemoryNetwork& network_;
  IpAddress address_;
};

std::unique_ptr<Network> MemoryNetwork::host(const IpAddress& address) {
  return std::make_unique<Host>(*this, address);
}

bool MemoryNetwork::is_cut(const IpAddress& a, const IpAddress& b) const { return cuts_.contains(unordered(a, b)); }

std::vector<MemoryNetwork::MemoryStream*> MemoryNetwork::streams_between(const IpAddress& a, const IpAddress& b) const {
  std::vector<MemoryStream*> out;
  for (MemoryStream* stream : streams_)
    if (unordered(stream->local_endpoint()->address, stream->remote_endpoint()->address) == unordered(a, b))
      out.push_back(stream);
  return out;
}

void MemoryNetwork::set_cut(const IpAddress& a, const IpAddress& b, bool cut) {
  if (!cut) {
    cuts_.erase(unordered(a, b));
    return;
  }
  cuts_.insert(unordered(a, b));
  for (MemoryStream* stream : streams_between(a, b))
    stream->abort({ErrorCode::Closed, Fault::Peer, Retry::Later, "the link is cut"});
}

void MemoryNetwork::lose(const IpAddress& a, const IpAddress& b) {
  cuts_.insert(unordered(a, b));
  for (MemoryStream* stream : streams_between(a, b)) stream->lose();
}

void MemoryNetwork::kill(const IpAddress& address) {
  std::vector<MemoryListener*> dying;
  for (const auto& [at, listener] : listeners_)
    if (at.address == address) dying.push_back(listener);
  for (MemoryListener* listener : dying) listener->close();
  for (MemoryStream* stream : streams_)
    if (stream->local_endpoint()->address == address || stream->remote_endpoint()->address == address)
      stream->abort({ErrorCode::Closed, Fault::Peer, Retry::Later, "the host is gone"});
}

}  // namespace ghmesh::io
