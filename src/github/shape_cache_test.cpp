// SPDX-License-Identifier: Apache-2.0
#include "github/shape_cache.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ghmesh::github {
namespace {

std::shared_ptr<const Bytes> body(std::string_view text) { return std::make_shared<const Bytes>(to_bytes(text)); }

TEST(ShapeCache, SaysWhatTheBytesSay) {
  ShapeCache cache;
  const auto list = body("[1,2,3]");
  const auto object = body("{}");
  const auto broken = body("{}{}");
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(cache.of(list)->array_length, 3u);
    EXPECT_EQ(cache.of(object)->array_length, std::nullopt);
    EXPECT_FALSE(cache.of(broken));
  }
}

TEST(ShapeCache, ADeadBodyIsNeverTakenForAnother) {
  ShapeCache cache;
  // Sooner or later an allocator gives an address again.
  for (std::size_t i = 0; i < 5000; ++i) {
    std::string text = "[0";
    for (std::size_t n = 1; n < i % 7 + 1; ++n) text += ",0";
    const auto one = body(text + "]");
    ASSERT_EQ(cache.of(one)->array_length, i % 7 + 1);
    const auto bad = body(text);
    ASSERT_FALSE(cache.of(bad));
  }
}

TEST(ShapeCache, TwoBodiesOfOneOwnerAreTwo) {
  struct Pair {
    Bytes first = to_bytes("[1]"), second = to_bytes("[1,2]");
  };
  const auto pair = std::make_shared<const Pair>();
  ShapeCache cache;
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(cache.of({pair, &pair->first})->array_length, 1u);
    EXPECT_EQ(cache.of({pair, &pair->second})->array_length, 2u);
  }
}

TEST(ShapeCache, KeepsNoBodyAlive) {
  ShapeCache cache;
  auto one = body("[]");
  const std::weak_ptr<const Bytes> watch = one;
  cache.of(one);
  one.reset();
  EXPECT_TRUE(watch.expired());
}

TEST(ShapeCache, ACopyIsKnownOnceItIsSaid) {
  ShapeCache cache;
  const auto copy = body("not looked at");
  cache.put(copy, JsonShape{4});
  EXPECT_EQ(cache.of(copy)->array_length, 4u);
}

}  // namespace
}  // namespace ghmesh::github
