// SPDX-License-Identifier: Apache-2.0
#include "io/task.hpp"

#include <array>
#include <new>

namespace ghmesh::io::detail {
namespace {

// Sanitizers see through plain allocation only, so under them every frame is a fresh one.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define GHMESH_PLAIN_FRAMES 1
#endif
#endif

#ifndef GHMESH_PLAIN_FRAMES
constexpr std::size_t kClassBytes = 256;
constexpr std::size_t kClasses = 16;       // frames up to 4 KiB
constexpr std::size_t kKeptPerClass = 64;  // at most 2.2 MiB a thread, and only after a burst that used them

struct FreeFrame {
  FreeFrame* next;
};

struct FreeLists {
  std::array<FreeFrame*, kClasses> head{};
  std::array<std::size_t, kClasses> kept{};
  ~FreeLists() {
    for (FreeFrame*& list : head)
      while (list != nullptr) {
        FreeFrame* next = list->next;
        ::operator delete(list);
        list = next;
      }
  }
};

thread_local FreeLists free_lists;

std::size_t class_of(std::size_t size) { return (size + kClassBytes - 1) / kClassBytes - 1; }
#endif

}  // namespace

void* allocate_frame(std::size_t size) {
#ifndef GHMESH_PLAIN_FRAMES
  const std::size_t index = class_of(size);
  if (index < kClasses) {
    if (FreeFrame* frame = free_lists.head[index]) {
      free_lists.head[index] = frame->next;
      --free_lists.kept[index];
      return frame;
    }
    return ::operator new((index + 1) * kClassBytes);
  }
#endif
  return ::operator new(size);
}

void free_frame(void* frame, [[maybe_unused]] std::size_t size) noexcept {
#ifndef GHMESH_PLAIN_FRAMES
  const std::size_t index = class_of(size);
  if (index < kClasses && free_lists.kept[index] < kKeptPerClass) {
    free_lists.head[index] = new (frame) FreeFrame{free_lists.head[index]};
    ++free_lists.kept[index];
    return;
  }
#endif
  ::operator delete(frame);
}

}  // namespace ghmesh::io::detail
