// SPDX-License-Identifier: Apache-2.0
#include "io/work_pool.hpp"

#include <pthread.h>

#include <string>

namespace ghmesh::io {
namespace {
constexpr std::size_t kMaxWaitingJobs = 1024;
}

WorkPool::WorkPool(std::size_t threads, std::string_view name) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { work(); });
    pthread_setname_np(threads_.back().native_handle(), std::string(name.substr(0, 15)).c_str());
  }
}

WorkPool::~WorkPool() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  more_.notify_all();
}

bool WorkPool::submit(std::move_only_function<void()> job) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ || jobs_.size() >= kMaxWaitingJobs) return false;
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
  return true;
}

void WorkPool::work() {
  while (true) {
    std::move_only_function<void()> job;
    {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace ghmesh::io
