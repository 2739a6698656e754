// SPDX-License-Identifier: Apache-2.0
#include "index.hpp"

#include <gtest/gtest.h>

#include <map>

#include "test_records.hpp"

namespace ghmesh::store {
namespace {

Index::Slot slot(std::uint64_t n, std::uint32_t offset) { return {.key = test_key(n), .where = {1, offset, 128}}; }

TEST(Index, AgreesWithAMapUnderRandomUse) {
  Index index;
  std::map<std::uint64_t, std::uint32_t> model;
  SeededRandom random(3);
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    // Grows for a while, then shrinks.
    const std::uint64_t n = random.below(5'000);
    const bool add = random.below(10) < (i < 30'000 ? 7u : 3u);
    Index::Slot* found = index.find(test_key(n));
    ASSERT_EQ(found != nullptr, model.contains(n));
    if (found != nullptr) ASSERT_EQ(found->where.offset, model[n]);
    if (add && found == nullptr) {
      index.insert(slot(n, i));
      model[n] = i;
    } else if (!add && found != nullptr) {
      index.erase(found);
      model.erase(n);
    }
    ASSERT_EQ(index.size(), model.size());
  }
  std::size_t visited = 0;
  for (std::size_t shard = 0; shard < Index::kShards; ++shard)
    index.for_each(shard, [&](const Index::Slot&) { ++visited; });
  EXPECT_EQ(visited, model.size());
}

TEST(Index, InsertReturnsTheSlotOfThatKey) {
  Index index;
  for (std::uint64_t n = 0; n < 5'000; ++n) ASSERT_EQ(index.insert(slot(n, 7)).key, test_key(n));
}

TEST(Index, KeysThatShareTheirHomeAreFound) {
  // Equal first bytes: one shard, one home, one long chain around the end.
  Index index;
  std::vector<Key> keys;
  for (std::uint8_t i = 0; i < 60; ++i) {
    Key key{};
    std::fill_n(key.begin(), 8, std::uint8_t{0xff});
    key[31] = i;
    keys.push_back(key);
    index.insert({.key = key, .where = {1, i, 128}});
  }
  for (std::size_t i = 0; i < keys.size(); i += 2) index.erase(index.find(keys[i]));
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(index.find(keys[i]) != nullptr, i % 2 == 1);
}

TEST(Index, StaysBelowItsMemoryPerEntry) {
  Index index;
  for (std::uint64_t n = 0; n < 200'000; ++n) {
    index.insert(slot(n, 1));
    if (n > 20'000 && n % 1000 == 0) ASSERT_LE(index.memory_bytes() / index.size(), 100u) << n;
  }
}

TEST(GroupSets, EqualListsShareAnId) {
  GroupSets sets;
  const std::vector<GroupId> one{1, 2};
  const std::vector<GroupId> two{2, 1};
  const auto a = sets.acquire(one);
  EXPECT_EQ(sets.acquire(one), a);
  const auto b = sets.acquire(two);
  EXPECT_NE(a, b);
  EXPECT_EQ(sets.acquire({}), GroupSets::kNone);
  sets.release(a);
  EXPECT_EQ(sets.count(), 2u);
  sets.release(a);
  EXPECT_EQ(sets.count(), 1u);
  EXPECT_EQ(sets.acquire(two), b);
}

TEST(GroupSets, ARetiredListIsDeadAndItsSuccessorIsNot) {
  GroupSets sets;
  const std::vector<GroupId> list{1, 2};
  const std::vector<GroupId> other{3};
  const auto a = sets.acquire(list);
  sets.acquire(list);
  const auto c = sets.acquire(other);
  EXPECT_EQ(sets.retire(2), 2u);
  EXPECT_EQ(sets.retire(2), 0u);
  EXPECT_TRUE(sets.dead(a));
  EXPECT_FALSE(sets.dead(c));
  const auto again = sets.acquire(list);
  EXPECT_NE(again, a);
  EXPECT_FALSE(sets.dead(again));
  sets.release(a);
  sets.release(a);
  EXPECT_EQ(sets.count(), 2u);
  EXPECT_FALSE(sets.dead(sets.acquire(std::vector<GroupId>{9})));
}

}  // namespace
}  // namespace ghmesh::store
