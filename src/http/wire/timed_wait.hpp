// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/stream.hpp"

// Waiting for one direction of a stream with a deadline that costs nothing to move: the timer is armed once and looks
// at the time only when it fires, so a kept-alive connection does not touch the loop's timers with every request.
// Unlike io::StreamDeadline it does not end the stream: a server still wants to say 408. One loop; one coroutine at a
// time.

namespace ghmesh::http::wire {

class TimedWait final : private io::TimerNode {
 public:
  explicit TimedWait(io::Stream& stream) : TimerNode(stream.loop()), stream_(stream) {}

  void set_deadline(TimePoint until) {
    until_ = until;
    if (until != TimePoint::max() && (!armed() || until < when())) arm_at(until);
  }
  void set_deadline_after(Duration delay) {
    set_deadline(loop().turn_now() + std::chrono::duration_cast<TimePoint::duration>(delay));
  }
  // The coroutine that waits, if any, goes on as if its time had come.
  void interrupt() {
    interrupted_ = true;
    if (waiting_ != nullptr) stream_.loop().make_ready(*waiting_);
  }

  class Awaiter final : public io::ResumeWaiter {
   public:
    Awaiter(TimedWait& wait, bool write) : wait_(wait), write_(write) {}
    ~Awaiter() override {
      if (wait_.waiting_ == this) wait_.waiting_ = nullptr;
    }
    bool await_ready() const noexcept { return wait_.interrupted_; }
    void await_suspend(std::coroutine_handle<> handle) {
      coroutine = handle;
      wait_.waiting_ = this;
      if (write_)
        wait_.stream_.wait_writable(*this);
      else
        wait_.stream_.wait_readable(*this);
    }
    bool await_resume() {
      wait_.waiting_ = nullptr;
      return !std::exchange(wait_.interrupted_, false);
    }

   private:
    TimedWait& wait_;
    const bool write_;
  };

  // co_await: true once trying again may pay (or, rarely, before), false if the deadline came first.
  Awaiter readable() { return Awaiter(*this, false); }
  Awaiter writable() { return Awaiter(*this, true); }

 private:
  void fire() override {
    if (until_ == TimePoint::max() || waiting_ == nullptr) return;
    if (loop().now() < until_) return arm_at(until_);
    interrupt();
  }

  io::Stream& stream_;
  TimePoint until_ = TimePoint::max();
  Awaiter* waiting_ = nullptr;
  bool interrupted_ = false;
};

}  // namespace ghmesh::http::wire
