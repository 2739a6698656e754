// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "io/loop.hpp"

// Coroutines of one loop waiting for each other. Nothing here is for several threads.

namespace ghmesh::io {

// A flag to wait for. set() wakes all who wait; it stays set until reset().
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}

  void set() {
    set_ = true;
    while (!waiting_.empty()) loop_.make_ready(waiting_.front());
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }

  // co_await event.wait();
  auto wait() { return WaitAwaiter(*this); }
  // co_await event.wait_until(deadline) is false if the deadline came first.
  auto wait_until(TimePoint deadline) { return TimedAwaiter(*this, deadline); }
  auto wait_for(Duration timeout) {
    return TimedAwaiter(*this, loop_.now() + std::chrono::duration_cast<TimePoint::duration>(timeout));
  }

 private:
  class WaitAwaiter : public ResumeWaiter {
   public:
    explicit WaitAwaiter(Event& event) : event_(event) {}
    bool await_ready() const noexcept { return event_.set_; }
    void await_suspend(std::coroutine_handle<> handle) {
      coroutine = handle;
      event_.waiting_.push_back(*this);
    }
    void await_resume() const noexcept {}

   private:
    Event& event_;
  };

  class TimedAwaiter : public ResumeWaiter, private TimerNode {
   public:
    TimedAwaiter(Event& event, TimePoint deadline) : TimerNode(event.loop_), event_(event), deadline_(deadline) {}
    bool await_ready() const noexcept { return event_.set_; }
    void await_suspend(std::coroutine_handle<> handle) {
      coroutine = handle;
      event_.waiting_.push_back(*this);
      if (deadline_ != TimePoint::max()) arm_at(deadline_);
    }
    bool await_resume() noexcept { return !expired_; }
    void run() override {
      disarm();
      coroutine.resume();
    }

   private:
    void fire() override {
      expired_ = !event_.set_;
      event_.loop_.make_ready(*this);
    }
    Event& event_;
    TimePoint deadline_;
    bool expired_ = false;
  };

  Loop& loop_;
  IntrusiveList<Waiter> waiting_;
  bool set_ = false;
};

// Counts free places; first come, first served.
class Semaphore {
 public:
  Semaphore(Loop& loop, std::size_t places) : loop_(loop), free_(places) {}

  bool try_acquire() {
    if (free_ == 0 || !waiting_.empty()) return false;
    --free_;
    return true;
  }
  // co_await semaphore.acquire(); then release() exactly once.
  auto acquire() { return AcquireAwaiter(*this); }
  void release() {
    if (waiting_.empty()) {
      ++free_;
      return;
    }
    // The place goes to the one who waits longest, not to whoever runs next.
    auto& next = static_cast<AcquireAwaiter&>(waiting_.front());
    next.granted_ = true;
    loop_.make_ready(next);
  }
  std::size_t free() const { return free_; }

 private:
  class AcquireAwaiter : public ResumeWaiter {
   public:
    explicit AcquireAwaiter(Semaphore& semaphore) : semaphore_(semaphore) {}
    // Destroyed between being granted a place and taking it: the place goes on to the next.
    ~AcquireAwaiter() override {
      if (granted_) semaphore_.release();
    }
    bool await_ready() noexcept { return semaphore_.try_acquire(); }
    void await_suspend(std::coroutine_handle<> handle) {
      coroutine = handle;
      semaphore_.waiting_.push_back(*this);
    }
    void await_resume() noexcept { granted_ = false; }

   private:
    friend class Semaphore;
    Semaphore& semaphore_;
    bool granted_ = false;
  };

  Loop& loop_;
  std::size_t free_;
  IntrusiveList<Waiter> waiting_;
};

// A bounded queue between coroutines. One consumer at a time.
template <typename T>
class Queue {
 public:
  Queue(Loop& loop, std::size_t capacity) : capacity_(capacity), changed_(loop) {}

  // False if full or closed; then item is untouched.
  bool try_push(T&& item) {
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    changed_.set();
    return true;
  }
  std::optional<T> try_pop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> out(std::move(items_.front()));
    items_.pop_front();
    if (items_.empty() && !closed_) changed_.reset();
    return out;
  }
  // while (co_await queue.ready()) use(*queue.try_pop()); ends once the queue is closed and empty.
  auto ready() { return ReadyAwaiter(*this); }
  // What is inside can still be taken.
  void close() {
    closed_ = true;
    changed_.set();
  }
  std::size_t size() const { return items_.size(); }
  bool closed() const { return closed_; }

 private:
  struct ReadyAwaiter {
    explicit ReadyAwaiter(Queue& q) : queue(q), inner(q.changed_.wait()) {}
    bool await_ready() noexcept { return inner.await_ready(); }
    void await_suspend(std::coroutine_handle<> handle) { inner.await_suspend(handle); }
    bool await_resume() noexcept { return !queue.items_.empty(); }
    Queue& queue;
    decltype(std::declval<Event&>().wait()) inner;
  };

  std::size_t capacity_;
  std::deque<T> items_;
  Event changed_;
  bool closed_ = false;
};

}  // namespace ghmesh::io
