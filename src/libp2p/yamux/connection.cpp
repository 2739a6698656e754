// SPDX-License-Identifier: Apache-2.0
#include "libp2p/yamux/connection.hpp"

#include <unordered_map>

#include "base/check.hpp"

namespace ghmesh::libp2p::yamux {

namespace {

// One read takes at most a noise frame; more than a few per turn would keep other connections waiting.
constexpr std::size_t kReadSize = 64 * 1024;
constexpr int kReadsPerTurn = 4;

Error gone() { return {ErrorCode::Closed, Fault::Peer, Retry::Later, "yamux: the connection has ended"}; }

template <typename Owner>
class MemberWaiter final : public io::Waiter {
 public:
  MemberWaiter(Owner& owner, void (Owner::*action)()) : owner_(owner), action_(action) {}
  void run() override { (owner_.*action_)(); }

 private:
  Owner& owner_;
  void (Owner::*action_)();
};

}  // namespace

// Lives until the connection and all its streams are gone; after the connection is gone it only answers "ended". All
// times are of the turn's beginning: the session's are in seconds, and it would read the clock four times a message.
struct Connection::State final : std::enable_shared_from_this<Connection::State>, private io::TimerNode {
  class MuxedStream;

  State(std::unique_ptr<io::Stream> lower_stream, Role role, const Limits& limits, std::shared_ptr<WindowBudget> memory)
      : io::TimerNode(lower_stream->loop()),
        budget(std::move(memory)),
        lower(std::move(lower_stream)),
        session(role, limits, loop().turn_now(), budget.get()),
        reader(*this, &State::on_readable),
        writer(*this, &State::flush),
        dispatcher(*this, &State::dispatch) {}

  using io::TimerNode::loop;
  void start() {
    lower->wait_readable(reader);
    schedule_flush();
    arm();
  }
  void on_readable();
  void flush();
  void dispatch();
  void fire() override;
  void arm() {
    const TimePoint at = session.next_deadline();
    if (at == TimePoint::max()) return;
    if (!armed() || at < when()) arm_at(at);
  }
  // At the end of this turn's batch, when all coroutines that were ready have written.
  void schedule_flush() {
    if (lower != nullptr && !writer.linked() && session.output_waits()) loop().make_ready(writer);
  }
  void schedule_dispatch() {
    if (!dispatcher.linked()) loop().make_ready(dispatcher);
  }
  void schedule_dispatch_if_needed() {
    if (session.has_events()) schedule_dispatch();
  }
  void end(Error why);
  // Nothing of this may run any more: the owner is gone.
  void detach();

  const std::shared_ptr<WindowBudget> budget;
  std::unique_ptr<io::Stream> lower;  // null once ended
  Session session;
  OnStream on_stream;
  OnClosed on_closed;
  std::unordered_map<StreamId, MuxedStream*> streams;
  std::optional<Error> ended;
  bool detached = false;  // the owner is gone: no callback may run
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  MemberWaiter<State> reader;
  MemberWaiter<State> writer;
  MemberWaiter<State> dispatcher;
};

class Connection::State::MuxedStream final : public io::Stream {
 public:
  MuxedStream(std::shared_ptr<State> state, StreamId id)
      : io::Stream(state->loop()), state_(std::move(state)), id_(id) {
    state_->streams[id_] = this;
  }
  ~MuxedStream() override {
    state_->streams.erase(id_);
    state_->session.release(id_);
    state_->schedule_flush();
  }

  io::IoStatus try_read(MutableByteView out) override {
    if (out.empty()) return {io::IoStatus::Done, 0};
    const std::size_t n = state_->session.read(id_, out, loop().turn_now());
    if (n > 0) {
      state_->schedule_flush();
      return {io::IoStatus::Done, n};
    }
    switch (state_->session.state(id_)) {
      case StreamState::Open: return {io::IoStatus::WouldBlock, 0};
      case StreamState::End: return {io::IoStatus::End, 0};
      default: return {io::IoStatus::Failed, 0};
    }
  }
  io::IoStatus try_write(std::span<const iovec> parts) override {
    const Result<std::size_t> n = state_->session.write(id_, parts);
    if (!n) return {io::IoStatus::Failed, 0};
    state_->schedule_flush();
    if (*n > 0) return {io::IoStatus::Done, *n};
    for (const iovec& part : parts)
      if (part.iov_len > 0) return {io::IoStatus::WouldBlock, 0};
    return {io::IoStatus::Done, 0};
  }
  void wait_readable(io::Waiter& waiter) override {
    readers_.push_back(waiter);
    state_->session.want_read(id_);
    state_->schedule_dispatch_if_needed();
  }
  void wait_writable(io::Waiter& waiter) override {
    writers_.push_back(waiter);
    state_->session.want_write(id_);
    state_->schedule_dispatch_if_needed();
  }
  void shutdown_write() override {
    state_->session.close_write(id_);
    state_->schedule_flush();
  }
  void abort(Error why) override {
    if (!error_) error_ = std::move(why);
    state_->session.reset(id_);
    wake(readers_);
    wake(writers_);
    state_->schedule_flush();
  }
  Error error() const override {
    if (error_) return *error_;
    if (state_->ended) return *state_->ended;
    if (state_->session.error()) return *state_->session.error();
    return {ErrorCode::Closed, Fault::Peer, Retry::Later, "yamux: the stream was reset or closed"};
  }
  std::optional<io::Endpoint> remote_endpoint() const override {
    return state_->lower ? state_->lower->remote_endpoint() : std::nullopt;
  }
  std::optional<io::Endpoint> local_endpoint() const override {
    return state_->lower ? state_->lower->local_endpoint() : std::nullopt;
  }

  void on_event(EventKind kind) { wake(kind == EventKind::Readable ? readers_ : writers_); }

 private:
  void wake(IntrusiveList<io::Waiter>& list) {
    while (!list.empty()) loop().make_ready(list.front());
  }
  std::shared_ptr<State> state_;
  const StreamId id_;
  std::optional<Error> error_;
  IntrusiveList<io::Waiter> readers_;
  IntrusiveList<io::Waiter> writers_;
};

void Connection::State::on_readable() {
  const auto self = shared_from_this();
  std::uint8_t buffer[kReadSize];
  for (int i = 0; i < kReadsPerTurn && lower != nullptr; ++i) {
    const io::IoStatus status = lower->try_read(buffer);
    if (status.kind == io::IoStatus::WouldBlock) {
      lower->wait_readable(reader);
      break;
    }
    if (status.kind == io::IoStatus::End) return end(gone());
    if (status.kind == io::IoStatus::Failed) return end(lower->error());
    bytes_in += status.bytes;
    if (!session.receive(ByteView(buffer, status.bytes), loop().turn_now())) return end(*session.error());
    if (i + 1 == kReadsPerTurn) loop().make_ready(reader);
  }
  dispatch();
  if (lower == nullptr) return;
  schedule_flush();
  arm();
}

void Connection::State::flush() {
  if (lower == nullptr) return;
  const auto self = shared_from_this();
  while (true) {
    const ByteView out = session.output();
    if (out.empty()) break;
    const iovec part{const_cast<std::uint8_t*>(out.data()), out.size()};
    const io::IoStatus status = lower->try_write(std::span<const iovec>(&part, 1));
    if (status.kind == io::IoStatus::WouldBlock) {
      session.consume_output(0, loop().turn_now());  // starts the clock of the write time-out
      lower->wait_writable(writer);
      break;
    }
    if (status.kind != io::IoStatus::Done) return end(lower->error());
    bytes_out += status.bytes;
    session.consume_output(status.bytes, loop().turn_now());
  }
  schedule_dispatch_if_needed();
  arm();
}

void Connection::State::dispatch() {
  const auto self = shared_from_this();
  while (const auto event = session.next_event()) {
    if (event->kind == EventKind::Opened) {
      auto stream = std::make_unique<MuxedStream>(self, event->stream);
      if (!detached && on_stream) on_stream(std::move(stream));
    } else if (const auto it = streams.find(event->stream); it != streams.end()) {
      it->second->on_event(event->kind);
    }
  }
  if (ended && !detached && on_closed) {
    OnClosed call = std::exchange(on_closed, nullptr);
    call(*ended);
  }
}

void Connection::State::fire() {
  const auto self = shared_from_this();
  if (ended) return;
  if (!session.on_time(loop().turn_now())) return end(*session.error());
  schedule_flush();
  arm();
}

void Connection::State::end(Error why) {
  if (ended) return;
  ended = std::move(why);
  session.abort(*ended);
  // A last go-away, if the stream below takes it at once.
  const ByteView out = session.output();
  const iovec part{const_cast<std::uint8_t*>(out.data()), out.size()};
  if (!out.empty()) (void)lower->try_write(std::span<const iovec>(&part, 1));
  disarm();
  reader.unlink();
  writer.unlink();
  lower.reset();
  schedule_dispatch();
}

void Connection::State::detach() {
  detached = true;
  end(gone());
  dispatch();
}

Connection::Connection(std::unique_ptr<io::Stream> lower, Role role, Limits limits,
                       std::shared_ptr<WindowBudget> budget, OnStream on_stream, OnClosed on_closed)
    : state_(std::make_shared<State>(std::move(lower), role, limits, std::move(budget))) {
  state_->on_stream = std::move(on_stream);
  state_->on_closed = std::move(on_closed);
  state_->start();
}

Connection::~Connection() { state_->detach(); }

Result<std::unique_ptr<io::Stream>> Connection::open() {
  const Result<StreamId> id = state_->session.open();
  if (!id) return std::unexpected(id.error());
  state_->schedule_flush();
  return std::make_unique<State::MuxedStream>(state_, *id);
}

void Connection::go_away() {
  state_->session.go_away();
  state_->schedule_flush();
}

void Connection::close(Error why, GoAwayCode code) {
  if (state_->ended) return;
  state_->flush();
  if (state_->ended) return;
  state_->session.abort(why, code);
  state_->end(std::move(why));
}

const Session& Connection::session() const { return state_->session; }
std::size_t Connection::streams_held() const { return state_->streams.size(); }
std::uint64_t Connection::bytes_in() const { return state_->bytes_in; }
std::uint64_t Connection::bytes_out() const { return state_->bytes_out; }

}  // namespace ghmesh::libp2p::yamux
