// SPDX-License-Identifier: Apache-2.0
#include "store/memory_store.hpp"

#include <gtest/gtest.h>

#include "test_records.hpp"

namespace ghmesh::store {
namespace {

constexpr std::size_t kBody = 1000;

Limits room_for(std::size_t records) {
  return {.memory_bytes = records * (MemoryStore::cost_of(*test_entry(0, 0, kBody)) + 4)};
}

TEST(MemoryStore, AHitCopiesNothing) {
  MemoryStore store(room_for(100));
  const EntryPtr entry = test_entry(1);
  store.put(entry);
  EXPECT_EQ(store.find(test_key(1)).get(), entry.get());
}

TEST(MemoryStore, AReaderKeepsWhatWasEvicted) {
  MemoryStore store(room_for(20));
  store.put(test_entry(1, 1, kBody));
  const EntryPtr held = store.find(test_key(1));
  store.clear();
  EXPECT_TRUE(same(*held, *test_entry(1, 1, kBody)));
}

TEST(MemoryStore, AScanDoesNotPushOutWhatIsReadOften) {
  MemoryStore store(room_for(200));
  for (std::uint64_t n = 0; n < 100; ++n) store.put(test_entry(n, 0, kBody));
  for (std::uint64_t n = 0; n < 100; ++n) EXPECT_TRUE(store.find(test_key(n)));
  // Ten times the cache, each page read once.
  for (std::uint64_t n = 1000; n < 3000; ++n) store.put(test_entry(n, 0, kBody));
  std::size_t kept = 0;
  for (std::uint64_t n = 0; n < 100; ++n) kept += store.contains(test_key(n)) ? 1 : 0;
  EXPECT_EQ(kept, 100u);
}

TEST(MemoryStore, WhatIsReadOftenOutlivesTheFirstFilling) {
  MemoryStore store(room_for(100));
  store.put(test_entry(0, 0, kBody));
  // Everything is read once, by whoever comes next; the first record by all of them.
  for (std::uint64_t n = 1; n < 300; ++n) {
    store.put(test_entry(n, 0, kBody));
    EXPECT_TRUE(store.find(test_key(n)));
    ASSERT_TRUE(store.find(test_key(0))) << n;
  }
}

TEST(MemoryStore, WhatComesBackSoonIsKept) {
  MemoryStore store(room_for(100));
  for (std::uint64_t n = 0; n < 200; ++n) store.put(test_entry(n, 0, kBody));
  const std::uint64_t evicted = 195 - 100;
  ASSERT_FALSE(store.contains(test_key(evicted)));
  store.put(test_entry(evicted, 0, kBody));  // its ghost remembers it: straight to the main queue
  for (std::uint64_t n = 1000; n < 1080; ++n) store.put(test_entry(n, 0, kBody));
  EXPECT_TRUE(store.contains(test_key(evicted)));
}

TEST(MemoryStore, AGhostIsForgottenAfterAsManyBytesAsTheMainQueueHolds) {
  GhostTable ghost(10'000, 64);
  ghost.remember(test_key(1), 1000);
  EXPECT_TRUE(ghost.take(test_key(1)));
  EXPECT_FALSE(ghost.take(test_key(1)));
  ghost.remember(test_key(1), 1000);
  for (std::uint64_t n = 2; n < 12; ++n) ghost.remember(test_key(n), 1000);
  EXPECT_FALSE(ghost.take(test_key(1)));
  EXPECT_TRUE(ghost.take(test_key(11)));
}

TEST(MemoryStore, NoRecordTakesMoreThanItsShare) {
  MemoryStore store(room_for(100));
  const std::size_t limit = store.capacity() / 8;
  store.put(test_entry(1, 1, 10));
  store.put(test_entry(1, 2, limit + 1));
  EXPECT_FALSE(store.contains(test_key(1)));  // nor is the older version left
  store.put(test_entry(2, 1, limit - MemoryStore::kOverhead - 200));
  EXPECT_TRUE(store.contains(test_key(2)));
}

TEST(MemoryStore, AVersionThatGrowsInPlaceStaysInsideTheBound) {
  MemoryStore store(room_for(100));
  for (int round = 0; round < 5; ++round)
    for (std::uint64_t n = 0; n < 100; ++n) {
      store.put(test_entry(n, static_cast<std::uint64_t>(round), kBody * (1 + (n + static_cast<unsigned>(round)) % 7)));
      ASSERT_LE(store.stats().memory_bytes, room_for(100).memory_bytes);
    }
}

TEST(MemoryStore, NoRoomAtAllStoresNothing) {
  MemoryStore store({.memory_bytes = 0});
  store.put(test_entry(1));
  EXPECT_EQ(store.stats().entries, 0u);
}

}  // namespace
}  // namespace ghmesh::store
