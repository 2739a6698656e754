// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "test_news.hpp"

namespace ghmesh::simulate {
namespace {

TEST(News, ReachesEverybodyInTwoSeconds) {
  const auto look = [](std::size_t members, std::uint64_t seed) {
    const NewsTimes times = measure_news(members, seed);
    const auto who = [&] { return std::to_string(members) + " members, seed " + std::to_string(seed); };
    EXPECT_TRUE(times.complete) << who();
    EXPECT_GT(times.joined, 0ms) << who();
    EXPECT_LE(times.joined, 2s) << who();
    EXPECT_GT(times.left, 0ms) << who();
    EXPECT_LE(times.left, 2s) << who();
  };
  for (std::uint64_t seed = 1; seed <= 10; ++seed) look(50, seed);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) look(100, seed);
}

}  // namespace
}  // namespace ghmesh::simulate
