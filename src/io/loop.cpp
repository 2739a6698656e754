// SPDX-License-Identifier: Apache-2.0
#include "io/loop.hpp"

#include <utility>

namespace ghmesh::io {

void TimerNode::arm_at(TimePoint when) {
  if (armed()) {
    if (when_ == when) return;
    loop_.heap_remove(*this);
  }
  when_ = when;
  loop_.heap_insert(*this);
}

void TimerNode::arm_after(Duration delay) {
  arm_at(loop_.now() + std::chrono::duration_cast<TimePoint::duration>(delay));
}

void TimerNode::disarm() {
  if (armed()) loop_.heap_remove(*this);
}

namespace {
// From a socket's reader through the muxer to whoever answers, and back to the writer.
constexpr int kReadyPerBatch = 4;
}  // namespace

bool Loop::run_batch() {
  if (!has_work()) return false;
  std::vector<std::move_only_function<void()>> actions;
  actions.swap(posted_);
  for (int i = 0; i < kReadyPerBatch && !ready_.empty(); ++i) {
    IntrusiveList<Waiter> ready;
    ready.splice_back(ready_);
    while (!ready.empty()) ready.pop_front().run();
  }
  for (auto& action : actions) action();
  return true;
}

bool Loop::fire_timers(TimePoint now) {
  bool fired = false;
  // No more than there are: one that arms itself for a time that has passed must not keep the loop from its sockets.
  for (std::size_t left = heap_.size(); left > 0 && !heap_.empty() && heap_.front()->when_ <= now; --left) {
    TimerNode& node = *heap_.front();
    heap_remove(node);
    node.fire();
    fired = true;
  }
  return fired;
}

// A binary heap whose members know their index, so that a timer moves or leaves in O(log n) without a search.

void Loop::heap_place(std::size_t index, TimerNode* node) {
  heap_[index] = node;
  node->index_ = index;
}

void Loop::heap_up(std::size_t index) {
  TimerNode* node = heap_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (heap_[parent]->when_ <= node->when_) break;
    heap_place(index, heap_[parent]);
    index = parent;
  }
  heap_place(index, node);
}

void Loop::heap_down(std::size_t index) {
  TimerNode* node = heap_[index];
  while (true) {
    std::size_t child = index * 2 + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1]->when_ < heap_[child]->when_) ++child;
    if (node->when_ <= heap_[child]->when_) break;
    heap_place(index, heap_[child]);
    index = child;
  }
  heap_place(index, node);
}

void Loop::heap_insert(TimerNode& node) {
  heap_.push_back(&node);
  node.index_ = heap_.size() - 1;
  heap_up(node.index_);
}

void Loop::heap_remove(TimerNode& node) {
  const std::size_t index = node.index_;
  TimerNode* last = heap_.back();
  heap_.pop_back();
  node.index_ = TimerNode::kNotArmed;
  if (last == &node) return;
  heap_place(index, last);
  heap_up(index);
  heap_down(last->index_);
}

}  // namespace ghmesh::io
