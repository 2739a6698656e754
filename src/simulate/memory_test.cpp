// SPDX-License-Identifier: Apache-2.0
// What one member keeps of the fleet that it knows: its state machine alone, no sockets, no bodies.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "simulate/simulator.hpp"

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

namespace {
std::int64_t allocated_bytes() { return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes()); }
}  // namespace
#else
namespace {
std::atomic<std::int64_t> allocated = 0;
std::int64_t allocated_bytes() { return allocated; }
}  // namespace

// Counted for this program alone; a sanitizer has its own operators, and counts by itself.
void* operator new(std::size_t size) {
  void* at = std::malloc(size);
  if (at == nullptr) std::abort();
  allocated += static_cast<std::int64_t>(::malloc_usable_size(at));
  return at;
}
void operator delete(void* at) noexcept {
  allocated -= static_cast<std::int64_t>(::malloc_usable_size(at));
  std::free(at);
}
void operator delete(void* at, std::size_t) noexcept { operator delete(at); }
#endif

namespace ghmesh::simulate {
namespace {

double bytes_a_member(std::size_t members) {
  const std::int64_t before = allocated_bytes();
  Simulator simulator(1);
  for (std::size_t i = 0; i < members; ++i) {
    simulator.join();
    simulator.run_for(10ms);
  }
  simulator.run_for(20s);
  return static_cast<double>(allocated_bytes() - before) / static_cast<double>(members);
}

// A runner's node shall be as small in a fleet of a thousand: so much for itself, so much for each other one it knows.
TEST(Memory, AMemberKeepsHalfAKilobyteOfEachOther) {
  const double few = bytes_a_member(20), many = bytes_a_member(120);
  const double of_each_other = (many - few) / 100;
  RecordProperty("bytes_of_each_other", static_cast<int>(of_each_other));
  EXPECT_GT(of_each_other, 100) << "it knows them";
  EXPECT_LE(of_each_other, 640);
  EXPECT_LE(few, 80'000);
}

}  // namespace
}  // namespace ghmesh::simulate
