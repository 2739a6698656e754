// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <coroutine>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "io/loop.hpp"
#include "io/sync.hpp"
#include "io/task.hpp"

namespace ghmesh::io {

// A few threads for what blocks or takes long (files, name resolution, compression), so that the loop does not.
// Destroying waits for what runs and drops what has not begun.
class WorkPool {
 public:
  WorkPool(std::size_t threads, std::string_view name);
  ~WorkPool();

  // Any thread. False if 1,024 jobs wait already: whoever can be dropped should be.
  bool submit(std::move_only_function<void()> job);

  // T result = co_await pool.run(loop, [..] { return work(); });  The work runs on a pool thread, the coroutine goes on
  // on its loop. If the coroutine is destroyed meanwhile the work still ends, and its result is dropped: it must own
  // what it touches.
  template <typename Work>
  Task<std::invoke_result_t<Work>> run(Loop& loop, Work work) {
    using T = std::invoke_result_t<Work>;
    struct Shared {
      explicit Shared(Loop& l) : done(l) {}
      std::optional<T> value;
      Event done;
    };
    auto shared = std::make_shared<Shared>(loop);
    std::weak_ptr<Shared> weak = shared;
    auto job = [work = std::move(work), weak, &loop]() mutable {
      auto value = std::make_shared<T>(work());
      loop.post_from_any_thread([weak, value] {
        if (const auto alive = weak.lock()) {
          alive->value.emplace(std::move(*value));
          alive->done.set();
        }
      });
    };
    // A full pool makes the caller wait its turn rather than fail.
    auto boxed = std::make_shared<decltype(job)>(std::move(job));
    while (!submit([boxed] { (*boxed)(); })) co_await loop.sleep_for(std::chrono::milliseconds(1));
    co_await shared->done.wait();
    co_return std::move(*shared->value);
  }

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::move_only_function<void()>> jobs_;  // guarded by mutex_
  bool stopping_ = false;                             // guarded by mutex_
  std::vector<std::jthread> threads_;
};

}  // namespace ghmesh::io
