// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "test_news.hpp"

namespace ghmesh::mesh::simulate {
namespace {

TEST(News, ReachesAHundredMembersInTwoSeconds) {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const NewsTimes times = measure_news(100, seed);
    EXPECT_TRUE(times.complete);
    EXPECT_GT(times.joined, 0ms);
    EXPECT_LE(times.joined, 2s);
    EXPECT_GT(times.left, 0ms);
    EXPECT_LE(times.left, 2s);
  }
}

}  // namespace
}  // namespace ghmesh::mesh::simulate
