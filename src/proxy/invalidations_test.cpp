// SPDX-License-Identifier: Apache-2.0
#include "proxy/invalidations.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace ghmesh::proxy {
namespace {

using namespace std::chrono_literals;

class InvalidationsTest : public testing::Test {
 protected:
  InvalidationsTest() {
    store::TieredOptions options;
    auto opened = store::TieredStore::open(std::move(options), clock_, random_, [](auto) {}, {});
    EXPECT_TRUE(opened);
    store_ = std::move(*opened);
    floor_key_.fill(7);
  }

  ManualClock clock_;
  SeededRandom random_{1};
  std::unique_ptr<store::TieredStore> store_;
  store::Key floor_key_{};
  const WallTime noon_ = WallTime(std::chrono::hours(500'000));
};

TEST_F(InvalidationsTest, AWriteDoubtsWhatWasReceivedBeforeAndInItsMoment) {
  Invalidations writes(*store_, floor_key_);
  EXPECT_FALSE(writes.doubts({1}, noon_ - 1h));
  writes.touch({1, 2}, noon_);
  EXPECT_TRUE(writes.doubts({1}, noon_ - 1ms));
  EXPECT_TRUE(writes.doubts({2}, noon_)) << "which of the two came first is not known";
  EXPECT_TRUE(writes.doubts({9, 2}, noon_ - 1ms)) << "one of its groups is enough";
  EXPECT_FALSE(writes.doubts({1}, noon_ + 1ms));
  EXPECT_FALSE(writes.doubts({3}, noon_ - 1ms));
}

TEST_F(InvalidationsTest, AfterARestartAllThatIsOlderThanTheLastWriteIsDoubted) {
  {
    Invalidations before(*store_, floor_key_);
    before.touch({1}, noon_ - 1h);
    before.touch({2}, noon_);
  }
  const Invalidations after(*store_, floor_key_);
  EXPECT_TRUE(after.doubts({3}, noon_ - 1ms)) << "which groups were touched is forgotten";
  EXPECT_TRUE(after.doubts({3}, noon_));
  EXPECT_FALSE(after.doubts({3}, noon_ + 1ms));
}

TEST_F(InvalidationsTest, DoubtingAllIsForThisRun) {
  {
    Invalidations writes(*store_, floor_key_);
    writes.touch_all(noon_);
    EXPECT_TRUE(writes.doubts({1}, noon_));
    EXPECT_FALSE(writes.doubts({1}, noon_ + 1ms));
    writes.touch_all(noon_ - 1h);
    EXPECT_TRUE(writes.doubts({1}, noon_)) << "an earlier one takes nothing back";
  }
  EXPECT_FALSE(Invalidations(*store_, floor_key_).doubts({1}, noon_));
}

TEST_F(InvalidationsTest, ATableThatIsFullDoubtsEverythingBefore) {
  Invalidations writes(*store_, floor_key_);
  std::vector<store::GroupId> many(16 * 1024);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = 100 + i;
  writes.touch(many, noon_ - 1h);
  EXPECT_FALSE(writes.doubts({1}, noon_ - 2h));
  writes.touch({2}, noon_);
  EXPECT_TRUE(writes.doubts({1}, noon_ - 1ms)) << "nothing that was touched may be believed again";
  EXPECT_FALSE(writes.doubts({1}, noon_ + 1ms));
}

}  // namespace
}  // namespace ghmesh::proxy
