// SPDX-License-Identifier: Apache-2.0
#include "http/wire/relay.hpp"

#include "http/wire/timed_wait.hpp"
#include "io/sync.hpp"
#include "io/task_group.hpp"

namespace ghmesh::http::wire {
namespace {

// What both directions share: the time of the last octet, and whether to give up.
struct Shared {
  io::Loop& loop;
  Duration idle;
  io::Event ended;
  TimePoint last;
  int open = 2;

  void moved() { last = loop.now(); }
  TimePoint patience() const { return last + std::chrono::duration_cast<TimePoint::duration>(idle); }
  void end_one(bool failed) {
    if (failed || --open == 0) ended.set();
  }
};

// True at the clean end of from.
io::Task<bool> pump(io::Stream& from, io::Stream& to, std::string_view first, BufferPool& pool, std::uint64_t& count,
                    Shared& shared) {
  Input input(pool);
  Output output;
  output.add(first);
  count += first.size();
  while (true) {
    while (!output.empty()) {
      const io::IoStatus status = output.write_once(to);
      if (status.kind == io::IoStatus::Failed) co_return false;
      if (status.kind == io::IoStatus::Done) {
        shared.moved();
        continue;
      }
      struct Writable final : io::ResumeWaiter {
        io::Stream& stream;
        explicit Writable(io::Stream& s) : stream(s) {}
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> handle) {
          coroutine = handle;
          stream.wait_writable(*this);
        }
        void await_resume() const noexcept {}
      };
      co_await Writable(to);
    }
    input.consume(input.text().size());
    const io::IoStatus status = read_once(from, input);
    if (status.kind == io::IoStatus::Failed) co_return false;
    if (status.kind == io::IoStatus::End) {
      to.shutdown_write();
      co_return true;
    }
    if (status.kind == io::IoStatus::WouldBlock) {
      input.release_if_empty();
      co_await from.readable();
      continue;
    }
    shared.moved();
    count += status.bytes;
    output.add_foreign(input.text());
    co_await shared.loop.yield();  // a tunnel is not to keep requests waiting
  }
}

io::Task<> direction(io::Stream& from, io::Stream& to, std::string_view first, BufferPool& pool, std::uint64_t& count,
                     Shared& shared) {
  const bool clean = co_await pump(from, to, first, pool, count, shared);
  shared.end_one(!clean);
}

}  // namespace

io::Task<Relayed> relay(io::Stream& near, io::Stream& far, std::string_view early, BufferPool& pool, Duration idle) {
  Relayed relayed;
  Shared shared{near.loop(), idle, io::Event(near.loop()), near.loop().now()};
  io::TaskGroup group(near.loop());
  group.spawn(direction(near, far, early, pool, relayed.to_far, shared));
  group.spawn(direction(far, near, {}, pool, relayed.to_near, shared));
  while (!co_await shared.ended.wait_until(shared.patience())) {
    if (shared.loop.now() < shared.patience()) continue;
    relayed.timed_out = true;
    break;
  }
  co_return relayed;
}

}  // namespace ghmesh::http::wire
