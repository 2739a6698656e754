// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/result.hpp"
#include "io/loop.hpp"
#include "io/sync.hpp"
#include "io/task.hpp"

namespace ghmesh::io {

// Owns tasks that run beside their starter. Destroying the group (or cancel()) destroys what still runs; so whoever
// owns the group decides how long its tasks may live. A group must not be destroyed or cancelled by one of its own
// tasks.
class TaskGroup {
 public:
  explicit TaskGroup(Loop& loop) : loop_(loop), empty_(loop) { empty_.set(); }
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup() { cancel(); }

  // Starts in the loop's next batch, not inside this call.
  void spawn(Task<void> task) {
    ++size_;
    empty_.reset();
    Runner::promise_type& promise = run(std::move(task)).promise();
    promise.group = this;
    running_.push_back(promise);
    promise.start.coroutine = std::coroutine_handle<Runner::promise_type>::from_promise(promise);
    loop_.make_ready(promise.start);
  }
  void cancel() {
    while (!running_.empty()) {
      Runner::promise_type& promise = running_.pop_front();
      std::coroutine_handle<Runner::promise_type>::from_promise(promise).destroy();
    }
    size_ = 0;
    empty_.set();
  }
  std::size_t size() const { return size_; }

  // co_await group.join(): until no task is left.
  auto join() { return empty_.wait(); }
  auto join_until(TimePoint deadline) { return empty_.wait_until(deadline); }

 private:
  struct Runner {
    struct promise_type : ListNode {
      TaskGroup* group = nullptr;
      ResumeWaiter start;

      std::coroutine_handle<promise_type> get_return_object() {
        return std::coroutine_handle<promise_type>::from_promise(*this);
      }
      std::suspend_always initial_suspend() const noexcept { return {}; }
      // Not suspending at the end destroys the frame, after the group has been told.
      std::suspend_never final_suspend() noexcept {
        unlink();
        group->on_done();
        return {};
      }
      void return_void() const noexcept {}
      [[noreturn]] void unhandled_exception() const noexcept { std::terminate(); }
      static void* operator new(std::size_t size) { return detail::allocate_frame(size); }
      static void operator delete(void* frame, std::size_t size) noexcept { detail::free_frame(frame, size); }
    };
    Runner(std::coroutine_handle<promise_type> h) : handle(h) {}  // NOLINT: made from get_return_object
    promise_type& promise() const { return handle.promise(); }
    std::coroutine_handle<promise_type> handle;
  };

  static Runner run(Task<void> task) { co_await std::move(task); }
  void on_done() {
    if (--size_ == 0) empty_.set();
  }

  Loop& loop_;
  std::size_t size_ = 0;
  IntrusiveList<Runner::promise_type> running_;
  Event empty_;
};

namespace detail {
template <typename T>
Task<void> deliver(Task<T> task, std::optional<T>& to, Event& done) {
  to.emplace(co_await std::move(task));
  done.set();
}
}  // namespace detail

// The task's result, or nothing if the deadline came first; then the task has been destroyed.
template <typename T>
Task<std::optional<T>> until(Loop& loop, Task<T> task, TimePoint deadline) {
  std::optional<T> result;
  Event done(loop);
  TaskGroup group(loop);
  group.spawn(detail::deliver(std::move(task), result, done));
  co_await done.wait_until(deadline);
  co_return std::move(result);
}

// The same for tasks that give a Result: a passed deadline is an error of code Timeout that names what was going on.
template <typename T>
Task<Result<T>> with_deadline(Loop& loop, Task<Result<T>> task, TimePoint deadline, const char* what) {
  std::optional<Result<T>> result = co_await until(loop, std::move(task), deadline);
  if (!result) {
    co_return std::unexpected(Error{ErrorCode::Timeout, Fault::Peer, Retry::Later, std::string("timed out: ") + what});
  }
  co_return std::move(*result);
}

}  // namespace ghmesh::io
