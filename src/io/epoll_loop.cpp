// SPDX-License-Identifier: Apache-2.0
#include "io/epoll_loop.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/check.hpp"

namespace ghmesh::io {

Descriptor::Descriptor(EpollLoop& loop, int fd, bool shared) : loop_(loop), fd_(fd), shared_(shared) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = this;
  GHMESH_CHECK(::epoll_ctl(loop_.epoll_, EPOLL_CTL_ADD, fd_, &event) == 0);
}

// Closing takes the descriptor out of epoll; events already fetched are looked at before any user code runs, so none
// can name a destroyed Descriptor. A socket that another process holds too stays in epoll when it is closed here: it
// has to be taken out by hand.
Descriptor::~Descriptor() {
  if (shared_) ::epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  ::close(fd_);
}

void Descriptor::wait_readable(Waiter& waiter) {
  readers_.push_back(waiter);
  if (readable_) loop_.make_ready(waiter);
}

void Descriptor::wait_writable(Waiter& waiter) {
  writers_.push_back(waiter);
  if (writable_) loop_.make_ready(waiter);
}

void Descriptor::wake_all() {
  while (!readers_.empty()) loop_.make_ready(readers_.front());
  while (!writers_.empty()) loop_.make_ready(writers_.front());
}

void Descriptor::on_events(std::uint32_t events) {
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    readable_ = true;
    while (!readers_.empty()) loop_.make_ready(readers_.front());
  }
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
    writable_ = true;
    while (!writers_.empty()) loop_.make_ready(writers_.front());
  }
}

EpollLoop::EpollLoop() : turn_began_(clock_.now()), turn_ended_(turn_began_) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  GHMESH_CHECK(epoll_ >= 0 && wake_ >= 0);
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  GHMESH_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) == 0);
}

EpollLoop::~EpollLoop() {
  ::close(wake_);
  ::close(epoll_);
}

void EpollLoop::post_from_any_thread(std::move_only_function<void()> action) {
  {
    const std::scoped_lock lock(foreign_mutex_);
    foreign_.push_back(std::move(action));
    if (foreign_.size() > 1) return;  // the loop has been woken for the first one
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void EpollLoop::take_foreign() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake_, &count, sizeof count);
  std::vector<std::move_only_function<void()>> actions;
  {
    const std::scoped_lock lock(foreign_mutex_);
    actions.swap(foreign_);
  }
  for (auto& action : actions) post(std::move(action));
}

void EpollLoop::turn(TimePoint latest) {
  int timeout_ms = 0;
  if (!has_work()) {
    const TimePoint wake_at = std::min(latest, next_timer());
    if (wake_at == TimePoint::max()) {
      timeout_ms = -1;
    } else {
      // Rounded up: waking early would only spin until the timer is due.
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake_at - turn_ended_);
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    }
  }
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout_ms);
  turn_began_ = clock_.now();
  turn_wall_.reset();
  // First only mark what is ready, then run it: running may destroy descriptors named later in this batch.
  for (int i = 0; i < count; ++i) {
    if (events[static_cast<std::size_t>(i)].data.ptr == nullptr) {
      take_foreign();
    } else {
      static_cast<Descriptor*>(events[static_cast<std::size_t>(i)].data.ptr)
          ->on_events(events[static_cast<std::size_t>(i)].events);
    }
  }
  fire_timers(turn_began_);
  run_batch();
  turn_ended_ = clock_.now();
  longest_turn_ = std::max(longest_turn_, Duration(turn_ended_ - turn_began_));
}

void EpollLoop::run() {
  stopped_ = false;
  turn_ended_ = clock_.now();
  while (!stopped_) turn(TimePoint::max());
}

bool EpollLoop::run_until(const std::function<bool()>& done, Duration limit) {
  turn_ended_ = clock_.now();
  const TimePoint end = turn_ended_ + std::chrono::duration_cast<TimePoint::duration>(limit);
  while (!done()) {
    if (turn_ended_ >= end) return false;
    turn(end);
  }
  return true;
}

Duration EpollLoop::take_longest_turn() { return std::exchange(longest_turn_, Duration{0}); }

struct SignalWatcher::State final : Waiter {
  State(EpollLoop& loop, int fd, std::move_only_function<void(int)> a) : descriptor(loop, fd), action(std::move(a)) {
    descriptor.wait_readable(*this);
  }
  void run() override {
    signalfd_siginfo info{};
    while (::read(descriptor.fd(), &info, sizeof info) == sizeof info) action(static_cast<int>(info.ssi_signo));
    descriptor.set_empty();
    descriptor.wait_readable(*this);
  }
  Descriptor descriptor;
  std::move_only_function<void(int)> action;
};

SignalWatcher::SignalWatcher(EpollLoop& loop, std::vector<int> signals, std::move_only_function<void(int)> action) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  GHMESH_CHECK(fd >= 0);
  state_ = std::make_unique<State>(loop, fd, std::move(action));
}

SignalWatcher::~SignalWatcher() = default;

}  // namespace ghmesh::io
