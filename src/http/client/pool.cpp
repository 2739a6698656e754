// SPDX-License-Identifier: Apache-2.0
#include "http/client/pool.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "connection.hpp"

namespace ghmesh::http::client {

PoolState::PoolState(io::Loop& l, Origin o, const Limits& lim)
    : loop(l), origin(std::move(o)), limits(lim), scratch(lim.head.fields), places(l, lim.connections), reaper(*this) {}

void PoolState::Reaper::fire() {
  state_.close_idle(state_.loop.now() - std::chrono::duration_cast<TimePoint::duration>(state_.limits.idle));
  if (!state_.idle.empty())
    arm_at(state_.idle.front()->idle_since + std::chrono::duration_cast<TimePoint::duration>(state_.limits.idle));
}

void PoolState::close_idle(TimePoint idle_before) {
  std::erase_if(idle, [&](const auto& connection) { return connection->idle_since <= idle_before; });
  counts.idle = idle.size();
}

io::Task<Result<>> PoolState::wait_for_place() {
  if (places.try_acquire()) co_return Result<>();
  if (counts.waiting >= limits.waiting) {
    ++counts.rejected;
    co_return fail(ErrorCode::Limit, "too many requests wait for the origin", Fault::Local, Retry::Later);
  }
  // Counted down also when the task is destroyed.
  struct Waiting {
    std::size_t& count;
    explicit Waiting(std::size_t& c) : count(c) { ++count; }
    ~Waiting() { --count; }
  } waiting(counts.waiting);
  const auto acquire = [](io::Semaphore& semaphore) -> io::Task<bool> {
    co_await semaphore.acquire();
    co_return true;
  };
  const auto got = co_await io::until(loop, acquire(places),
                                      loop.now() + std::chrono::duration_cast<TimePoint::duration>(limits.wait));
  if (got) co_return Result<>();
  ++counts.timeouts;
  co_return fail(ErrorCode::Timeout, "timed out: waiting for a free connection to the origin", Fault::Local,
                 Retry::Later);
}

// A connection, and with it one of the places. self keeps this alive while the task runs.
io::Task<Result<std::unique_ptr<Connection>>> PoolState::acquire(std::shared_ptr<PoolState> self, bool fresh) {
  if (auto place = co_await wait_for_place(); !place) co_return std::unexpected(std::move(place.error()));
  // The place goes back unless a connection takes it over, also when the task is destroyed.
  struct Place {
    io::Semaphore* places;
    ~Place() {
      if (places != nullptr) places->release();
    }
  } place{&places};
  while (!fresh && !idle.empty()) {
    auto connection = std::move(idle.back());
    idle.pop_back();
    counts.idle = idle.size();
    if (!connection->usable()) continue;
    ++counts.reused;
    place.places = nullptr;
    co_return connection;
  }
  // A fresh one beside idle ones must not exceed the bound.
  if (counts.open >= limits.connections && !idle.empty()) idle.erase(idle.begin());
  counts.idle = idle.size();
  Duration limit = limits.connect;
  if (origin.secure) limit += limits.handshake;
  auto stream = co_await io::with_deadline(loop, origin.connect(),
                                           loop.now() + std::chrono::duration_cast<TimePoint::duration>(limit),
                                           "connecting to the origin");
  if (!stream) {
    if (stream.error().code == ErrorCode::Timeout) ++counts.timeouts;
    stream.error().fault = Fault::Origin;
    co_return std::unexpected(std::move(stream.error()));
  }
  ++counts.opened;
  place.places = nullptr;
  co_return std::make_unique<Connection>(self, std::move(*stream));
}

void PoolState::give_back(std::unique_ptr<Connection> connection) {
  places.release();
  if (!connection->recycle() || closed) return;
  connection->idle_since = loop.now();
  if (!reaper.armed()) reaper.arm_after(limits.idle);
  idle.push_back(std::move(connection));
  counts.idle = idle.size();
}

Pool::Pool(io::Loop& loop, Origin origin, const Limits& limits)
    : state_(std::make_shared<PoolState>(loop, std::move(origin), limits)) {}

Pool::~Pool() { close(); }

// Idle connections hold the state and the state holds them: closing breaks the ring.
void Pool::close() {
  state_->closed = true;
  state_->reaper.disarm();
  const auto idle = std::move(state_->idle);
  state_->idle.clear();
  state_->counts.idle = 0;
}

const Counts& Pool::counts() const { return state_->counts; }

io::Task<Result<std::unique_ptr<Reply>>> Pool::send(Outgoing request) {
  const std::shared_ptr<PoolState> state = state_;
  for (bool again = false;; again = true) {
    auto connection = co_await state->acquire(state, again);
    if (!connection) {
      ++state->counts.failed;
      co_return std::unexpected(std::move(connection.error()));
    }
    // From here the reply gives the connection back, whatever happens to this task.
    auto reply = std::make_unique<Reply>(state, std::move(*connection));
    Connection& used = *reply->connection_;
    auto done = co_await used.exchange(request);
    if (done) co_return reply;
    const Error& error = done.error();
    if (error.code == ErrorCode::Timeout) ++state->counts.timeouts;
    const bool died = error.code == ErrorCode::Closed || error.code == ErrorCode::Io;
    const bool retry = died && !again && used.reused && used.untouched() && is_idempotent_method(request.method);
    if (!retry) {
      ++state->counts.failed;
      co_return std::unexpected(error);
    }
    ++state->counts.retried;
  }
}

Reply::Reply(std::shared_ptr<PoolState> pool, std::unique_ptr<Connection> connection)
    : pool_(std::move(pool)), connection_(std::move(connection)) {}

Reply::~Reply() {
  if (connection_) pool_->give_back(std::move(connection_));
}

int Reply::status() const { return connection_->head_.view.status; }
FieldsView Reply::fields() const { return connection_->head_.view.fields; }
bool Reply::complete() const { return connection_->complete(); }
FieldsView Reply::trailers() const { return connection_->body_.trailers().view(); }

std::optional<std::uint64_t> Reply::length() const {
  const http1::BodyFraming& body = connection_->head_.body;
  if (body.kind == http1::BodyKind::Length) return body.length;
  return body.kind == http1::BodyKind::None ? std::optional<std::uint64_t>(0) : std::nullopt;
}

io::Task<Result<std::string_view>> Reply::read() { return connection_->read(); }

io::Task<Result<std::string>> Reply::read_all(std::size_t max) {
  std::string all;
  if (length().value_or(0) > max) co_return fail(ErrorCode::Limit, "the origin's answer is too large", Fault::Origin);
  while (true) {
    const auto piece = co_await read();
    if (!piece) co_return std::unexpected(piece.error());
    if (piece->empty()) co_return all;
    if (all.size() + piece->size() > max)
      co_return fail(ErrorCode::Limit, "the origin's answer is too large", Fault::Origin);
    all.append(*piece);
  }
}

std::unique_ptr<io::Stream> Reply::take_stream(std::string& early) {
  GHMESH_CHECK(status() == 101 && connection_->stream != nullptr);
  early = connection_->input_.text();
  return std::move(connection_->stream);
}

}  // namespace ghmesh::http::client
