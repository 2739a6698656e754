// SPDX-License-Identifier: Apache-2.0
#include "base/intrusive_list.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace ghmesh {
namespace {

struct Item : ListNode {
  explicit Item(int v) : value(v) {}
  int value;
};

TEST(IntrusiveList, KeepsOrderAndForgetsTheDestroyed) {
  IntrusiveList<Item> list;
  Item one(1), three(3);
  auto two = std::make_unique<Item>(2);
  list.push_back(one);
  list.push_back(*two);
  list.push_back(three);
  two.reset();
  std::vector<int> seen;
  list.for_each([&](Item& item) { seen.push_back(item.value); });
  EXPECT_EQ(seen, (std::vector<int>{1, 3}));
  EXPECT_EQ(list.pop_front().value, 1);
  EXPECT_FALSE(one.linked());
}

TEST(IntrusiveList, SpliceMovesAllMembers) {
  IntrusiveList<Item> a, b;
  Item one(1), two(2);
  a.push_back(one);
  b.push_back(two);
  a.splice_back(b);
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(a.pop_front().value, 1);
  EXPECT_EQ(a.pop_front().value, 2);
  EXPECT_TRUE(a.empty());
}

TEST(IntrusiveList, MembersOutliveTheList) {
  Item one(1);
  {
    IntrusiveList<Item> list;
    list.push_back(one);
  }
  EXPECT_FALSE(one.linked());
}

}  // namespace
}  // namespace ghmesh
