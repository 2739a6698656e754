// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstddef>
#include <functional>
#include <vector>

#include "base/clock.hpp"
#include "base/intrusive_list.hpp"

// The event loop of one thread: things that are ready, timers, and a way in for other threads. Two kinds exist:
// EpollLoop (real sockets, epoll_loop.hpp) and ManualLoop (no sockets, a clock that the test moves, manual_loop.hpp);
// the same code runs on both. Everything here is for the loop's own thread unless it says otherwise.

namespace ghmesh::io {

class Loop;

// Something that waits to be run by the loop. It sits in at most one list: that of what it waits for, or the loop's
// list of ready ones; destroying it takes it out of either, which is how a destroyed coroutine stops waiting.
class Waiter : public ListNode {
 public:
  virtual ~Waiter() = default;
  virtual void run() = 0;
};

class ResumeWaiter : public Waiter {
 public:
  void run() override { coroutine.resume(); }
  std::coroutine_handle<> coroutine;
};

// A place in the loop's timers. fire() runs on the loop once its time has come; destroying disarms.
class TimerNode {
 public:
  explicit TimerNode(Loop& loop) : loop_(loop) {}
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  virtual ~TimerNode() { disarm(); }

  // Arming again moves the time.
  void arm_at(TimePoint when);
  void arm_after(Duration delay);
  void disarm();
  bool armed() const { return index_ != kNotArmed; }
  TimePoint when() const { return when_; }
  Loop& loop() const { return loop_; }

 protected:
  virtual void fire() = 0;

 private:
  friend class Loop;
  static constexpr std::size_t kNotArmed = ~std::size_t{0};
  Loop& loop_;
  TimePoint when_{};
  std::size_t index_ = kNotArmed;
};

class Timer final : public TimerNode {
 public:
  Timer(Loop& loop, std::move_only_function<void()> action) : TimerNode(loop), action_(std::move(action)) {}

 private:
  void fire() override { action_(); }
  std::move_only_function<void()> action_;
};

class Loop {
 public:
  Loop() = default;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  virtual const Clock& clock() const = 0;
  TimePoint now() const { return clock().now(); }
  WallTime wall_now() const { return clock().wall_now(); }
  // When this turn of the loop began: behind now() by what the turn has taken so far, but not read from the system
  // again. For what happens with every request and does not mind some milliseconds.
  virtual TimePoint turn_now() const { return now(); }
  virtual WallTime turn_wall_now() const { return wall_now(); }

  // Takes waiter out of the list it is in and runs it in this turn's or the next turn's batch.
  void make_ready(Waiter& waiter) {
    waiter.unlink();
    ready_.push_back(waiter);
  }
  // Runs action in a later turn.
  void post(std::move_only_function<void()> action) { posted_.push_back(std::move(action)); }
  // The same from any thread; actions posted after the loop has ended are destroyed unrun.
  virtual void post_from_any_thread(std::move_only_function<void()> action) = 0;

  // co_await loop.sleep_for(50ms);
  auto sleep_until(TimePoint when);
  auto sleep_for(Duration delay);
  // Lets everything else that is ready run first.
  auto yield();

 protected:
  // One batch: what is posted and ready now, and what that makes ready, a few times over; the rest is for the next, so
  // that a busy pair of coroutines cannot keep the loop from its sockets. Returns whether anything ran.
  bool run_batch();
  bool has_work() const { return !ready_.empty() || !posted_.empty(); }
  // Fires the timers whose time is not after now; what they arm for such a time again may wait for the next turn.
  bool fire_timers(TimePoint now);
  // The earliest armed time, or TimePoint::max().
  TimePoint next_timer() const { return heap_.empty() ? TimePoint::max() : heap_.front()->when_; }

 private:
  friend class TimerNode;
  void heap_place(std::size_t index, TimerNode* node);
  void heap_up(std::size_t index);
  void heap_down(std::size_t index);
  void heap_insert(TimerNode& node);
  void heap_remove(TimerNode& node);

  mutable IntrusiveList<Waiter> ready_;
  std::vector<std::move_only_function<void()>> posted_;
  std::vector<TimerNode*> heap_;
};

namespace detail {

class SleepAwaiter final : public TimerNode {
 public:
  SleepAwaiter(Loop& loop, TimePoint until) : TimerNode(loop), until_(until) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    waiter_.coroutine = coroutine;
    arm_at(until_);
  }
  void await_resume() const noexcept {}

 private:
  // Timers only mark as ready: the coroutine may destroy other timers of the same instant.
  void fire() override { loop().make_ready(waiter_); }
  TimePoint until_;
  ResumeWaiter waiter_;
};

class YieldAwaiter {
 public:
  explicit YieldAwaiter(Loop& loop) : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> coroutine) {
    waiter_.coroutine = coroutine;
    loop_.make_ready(waiter_);
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  ResumeWaiter waiter_;
};

}  // namespace detail

inline auto Loop::sleep_until(TimePoint when) { return detail::SleepAwaiter(*this, when); }
inline auto Loop::sleep_for(Duration delay) {
  return detail::SleepAwaiter(*this, now() + std::chrono::duration_cast<TimePoint::duration>(delay));
}
inline auto Loop::yield() { return detail::YieldAwaiter(*this); }

}  // namespace ghmesh::io
