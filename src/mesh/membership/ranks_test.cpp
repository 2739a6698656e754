// SPDX-License-Identifier: Apache-2.0
#include "mesh/membership/ranks.hpp"

#include <gtest/gtest.h>

#include <map>

namespace ghmesh::mesh {
namespace {

PeerId peer(std::uint32_t n) {
  std::array<std::uint8_t, 6> raw{0, 4};
  store_be(raw.data() + 2, n);
  return *PeerId::decode(raw);
}

TEST(Ranks, TheSameForEverybodyInAnyOrder) {
  Ranks up, down;
  for (std::uint32_t i = 0; i < 40; ++i) up.set(peer(i), i % 5 == 0 ? kStableWeight : 1);
  for (std::uint32_t i = 60; i-- > 0;) down.set(peer(i), i % 5 == 0 ? kStableWeight : 1);
  for (std::uint32_t i = 40; i < 60; ++i) down.set(peer(i), 0);
  for (std::uint8_t p = 0; p < kPartitions; ++p) {
    EXPECT_EQ(up.of(p), down.of(p));
    EXPECT_EQ(up.of(p).size(), kRanks);
  }
}

TEST(Ranks, AJoinOrALeaveMovesOnlyItsOwnShare) {
  Ranks ranks;
  for (std::uint32_t i = 0; i < 50; ++i) ranks.set(peer(i), 1);
  const Ranks before = ranks;
  ranks.set(peer(99), 1);
  int moved = 0;
  for (std::uint8_t p = 0; p < kPartitions; ++p) {
    if (ranks.of(p) == before.of(p)) continue;
    ++moved;
    EXPECT_LT(ranks.rank_of(peer(99), p), kRanks) << "a row changed without the new member in it";
  }
  EXPECT_LT(moved, 14);  // 3 × 64 / 51 expected
  const auto changed = ranks.set(peer(99), 0);
  EXPECT_EQ(static_cast<int>(changed.size()), moved);
  for (std::uint8_t p = 0; p < kPartitions; ++p) EXPECT_EQ(ranks.of(p), before.of(p));
}

TEST(Ranks, StableMembersOwnEightTimesAsMuch) {
  Ranks ranks;
  for (std::uint32_t i = 0; i < 8; ++i) ranks.set(peer(i), 1);
  for (std::uint32_t i = 100; i < 108; ++i) ranks.set(peer(i), kStableWeight);
  int stable = 0;
  for (std::uint8_t p = 0; p < kPartitions; ++p) stable += ranks.of(p)[0] >= peer(100) ? 1 : 0;
  EXPECT_GT(stable, 48);
}

TEST(Ranks, FewMembersMakeShortRows) {
  Ranks ranks;
  EXPECT_TRUE(ranks.of(std::uint8_t{0}).empty());
  ranks.set(peer(1), 1);
  EXPECT_EQ(ranks.of(std::uint8_t{5}), (Ranks::Row{peer(1)}));
  EXPECT_TRUE(ranks.set(peer(1), 1).empty());
}

}  // namespace
}  // namespace ghmesh::mesh
