// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <mutex>

#include "store/disk_store.hpp"

// The owner thread's event loop, reduced to what a store needs: a queue others post to. For tests and benches.

namespace ghmesh::store {

class TestLoop {
 public:
  DiskStore::Post post() {
    return [this](std::move_only_function<void()> work) {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    };
  }

  void run_posted() {
    for (;;) {
      std::move_only_function<void()> work;
      {
        const std::lock_guard lock(mutex_);
        if (queue_.empty()) return;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
  }

  // Until all that was asked of the store is done and its callbacks ran.
  void settle(DiskStore& store) {
    store.flush();
    run_posted();
  }

 private:
  std::mutex mutex_;
  std::deque<std::move_only_function<void()>> queue_;
};

inline std::unique_ptr<DiskStore> open_disk_store(std::unique_ptr<Directory> directory, const Limits& limits,
                                                  const Clock& clock, Random& random, TestLoop& loop, bool own_thread,
                                                  log::Logger logger = {}) {
  auto opened = DiskStore::open(std::move(directory), {.limits = limits, .own_thread = own_thread}, clock, random,
                                loop.post(), std::move(logger));
  if (!opened) {
    ADD_FAILURE() << opened.error().message;
    return nullptr;
  }
  return std::move(*opened);
}

}  // namespace ghmesh::store
