// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "io/loop.hpp"

namespace ghmesh::io {

// A file descriptor that the loop watches: edge-triggered, for both directions, for as long as this lives. Knowing that
// a socket was drained (a short read) spares the read that would only say "would block"; so a kept-alive request costs
// one read, one write and its share of one epoll_wait.
class Descriptor {
 public:
  // Takes ownership of fd, which must be non-blocking. shared: others hold the same open file.
  Descriptor(class EpollLoop& loop, int fd, bool shared = false);
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int fd() const { return fd_; }
  bool readable() const { return readable_; }
  bool writable() const { return writable_; }
  // After a read that gave less than was asked for: empty, unless the end of the stream is still to be read.
  void set_drained() { readable_ = hung_up_; }
  // After an operation that would have blocked.
  void set_empty() { readable_ = hung_up_ = false; }
  void set_full() { writable_ = false; }
  void wait_readable(Waiter& waiter);
  void wait_writable(Waiter& waiter);
  // Makes all waiting ones ready, so that they see an abort.
  void wake_all();

 private:
  friend class EpollLoop;
  void on_events(std::uint32_t events);

  EpollLoop& loop_;
  int fd_;
  bool shared_;
  bool readable_ = true;  // until an attempt says otherwise
  bool writable_ = true;
  bool hung_up_ = false;  // the end of the stream is pending: reading never blocks again
  IntrusiveList<Waiter> readers_;
  IntrusiveList<Waiter> writers_;
};

// The real loop, over epoll. run() returns after stop(). Signals are watched by SignalWatcher.
class EpollLoop final : public Loop {
 public:
  EpollLoop();
  ~EpollLoop() override;

  const Clock& clock() const override { return clock_; }
  TimePoint turn_now() const override { return turn_began_; }
  WallTime turn_wall_now() const override {
    if (!turn_wall_) turn_wall_ = clock_.wall_now();
    return *turn_wall_;
  }
  void post_from_any_thread(std::move_only_function<void()> action) override;

  // Runs until stop() was called; can be run again.
  void run();
  // Runs until done() or until the time has passed; returns done(). For tests and short-lived commands.
  bool run_until(const std::function<bool()>& done, Duration limit);
  // Loop thread only; from elsewhere: post_from_any_thread([&] { loop.stop(); }).
  void stop() { stopped_ = true; }

  // How long the last turns kept the loop from its sockets: the longest turn since the last call, in nanoseconds.
  Duration take_longest_turn();

 private:
  friend class Descriptor;
  void turn(TimePoint latest);
  void take_foreign();

  SystemClock clock_;
  int epoll_ = -1;
  int wake_ = -1;  // eventfd: another thread has posted
  bool stopped_ = false;
  TimePoint turn_began_;
  TimePoint turn_ended_;
  mutable std::optional<WallTime> turn_wall_;  // read when it is first asked for
  Duration longest_turn_{0};
  std::mutex foreign_mutex_;
  std::vector<std::move_only_function<void()>> foreign_;  // guarded by foreign_mutex_
};

// Calls action, on the loop, whenever one of signals arrives. The signals are blocked for the process from construction
// on: construct before starting threads. A child process has to unblock them again.
class SignalWatcher {
 public:
  SignalWatcher(EpollLoop& loop, std::vector<int> signals, std::move_only_function<void(int)> action);
  ~SignalWatcher();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ghmesh::io
