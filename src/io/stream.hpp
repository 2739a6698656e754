// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "io/endpoint.hpp"
#include "io/loop.hpp"

// Byte streams: sockets, memory pipes, TLS, secure channels and multiplexed streams all look like this. The interface
// is one of readiness (try, and wait until trying pays), so that a layer adds no buffer or frame of its own; the
// awaitables below are what most code uses:
//
//   Result<std::size_t> n = co_await stream.read_some(buffer);   // 0: the other side has finished writing
//   Result<> done = co_await stream.write_all(bytes);
//
// One reader and one writer at a time. Waiting ends when the awaiting coroutine is destroyed.

namespace ghmesh::io {

struct IoStatus {
  enum Kind { Done, WouldBlock, End, Failed } kind = Done;
  std::size_t bytes = 0;  // for Done: at least 1, unless nothing was asked for
};

class Stream {
 public:
  explicit Stream(Loop& loop) : loop_(loop) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  Loop& loop() const { return loop_; }

  // Reads what is there. End: the other side half-closed, nothing more will come. Failed: see error().
  virtual IoStatus try_read(MutableByteView out) = 0;
  // Writes a part, in order. Never End.
  virtual IoStatus try_write(std::span<const iovec> parts) = 0;
  // Makes waiter ready once trying again can give something else than WouldBlock. Wakes may be early.
  virtual void wait_readable(Waiter& waiter) = 0;
  virtual void wait_writable(Waiter& waiter) = 0;

  // No more will be written; reading goes on. What was written before still arrives. For layered streams the farewell
  // (close_notify, FIN frame) is sent as soon as there is room.
  virtual void shutdown_write() = 0;
  // Ends both directions now; waiting and later operations fail with why. Unsent bytes may be lost.
  virtual void abort(Error why) = 0;
  // Why Failed. Meaningful after a Failed only.
  virtual Error error() const = 0;

  // Where the other and this end are, as far as the kind of stream knows.
  virtual std::optional<Endpoint> remote_endpoint() const { return std::nullopt; }
  virtual std::optional<Endpoint> local_endpoint() const { return std::nullopt; }

  class ReadAwaiter;
  class WriteAwaiter;
  class ReadableAwaiter;

  // At most out.size() bytes, 0 at the end of the stream.
  ReadAwaiter read_some(MutableByteView out);
  // Exactly out.size() bytes; an earlier end is an error of code Closed.
  ReadAwaiter read_exact(MutableByteView out);
  // All of it, or an error.
  WriteAwaiter write_all(ByteView bytes);
  WriteAwaiter write_all(std::span<const ByteView> parts);
  // Until try_read may give something. For those who call try_read themselves.
  ReadableAwaiter readable();

 private:
  Loop& loop_;
};

class Stream::ReadAwaiter final : public Waiter {
 public:
  ReadAwaiter(Stream& stream, MutableByteView out, bool exact) : stream_(stream), out_(out), exact_(exact) {}
  bool await_ready() { return attempt(); }
  void await_suspend(std::coroutine_handle<> coroutine) {
    coroutine_ = coroutine;
    stream_.wait_readable(*this);
  }
  Result<std::size_t> await_resume();
  void run() override {
    if (attempt()) {
      coroutine_.resume();
    } else {
      stream_.wait_readable(*this);
    }
  }

 private:
  bool attempt();
  Stream& stream_;
  MutableByteView out_;
  const bool exact_;
  std::size_t filled_ = 0;
  IoStatus::Kind kind_ = IoStatus::Done;
  std::coroutine_handle<> coroutine_;
};

class Stream::WriteAwaiter final : public Waiter {
 public:
  static constexpr std::size_t kInlineParts = 4;
  WriteAwaiter(Stream& stream, std::span<const ByteView> parts);
  bool await_ready() { return attempt(); }
  void await_suspend(std::coroutine_handle<> coroutine) {
    coroutine_ = coroutine;
    stream_.wait_writable(*this);
  }
  Result<> await_resume();
  void run() override {
    if (attempt()) {
      coroutine_.resume();
    } else {
      stream_.wait_writable(*this);
    }
  }

 private:
  bool attempt();
  std::span<iovec> rest();
  Stream& stream_;
  iovec inline_[kInlineParts];
  std::vector<iovec> many_;  // only for more than kInlineParts
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  bool failed_ = false;
  std::coroutine_handle<> coroutine_;
};

class Stream::ReadableAwaiter final : public ResumeWaiter {
 public:
  explicit ReadableAwaiter(Stream& stream) : stream_(stream) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    coroutine = handle;
    stream_.wait_readable(*this);
  }
  void await_resume() const noexcept {}

 private:
  Stream& stream_;
};

inline Stream::ReadAwaiter Stream::read_some(MutableByteView out) { return ReadAwaiter(*this, out, false); }
inline Stream::ReadAwaiter Stream::read_exact(MutableByteView out) { return ReadAwaiter(*this, out, true); }
inline Stream::WriteAwaiter Stream::write_all(ByteView bytes) {
  return WriteAwaiter(*this, std::span<const ByteView>(&bytes, 1));
}
inline Stream::WriteAwaiter Stream::write_all(std::span<const ByteView> parts) { return WriteAwaiter(*this, parts); }
inline Stream::ReadableAwaiter Stream::readable() { return ReadableAwaiter(*this); }

// Aborts a stream with a Timeout when its time has come: one guard per phase (handshake, head, body). Moving the time
// later costs nothing: the timer looks at the time only when it fires.
class StreamDeadline final : private TimerNode {
 public:
  // what names the phase in the error: "reading the request head".
  StreamDeadline(Stream& stream, Duration after, const char* what);
  StreamDeadline(Stream& stream, const char* what) : TimerNode(stream.loop()), stream_(stream), what_(what) {}
  void extend(Duration after);
  void cancel();

 private:
  void fire() override;
  Stream& stream_;
  const char* what_;
  TimePoint until_ = TimePoint::max();
};

}  // namespace ghmesh::io
