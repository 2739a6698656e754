// SPDX-License-Identifier: Apache-2.0
#include "http/wire/patience.hpp"

#include <gtest/gtest.h>

namespace ghmesh::http::wire {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{1h};

TEST(Patience, IsUsedUpByWaitingAlone) {
  Patience patience(30s);
  EXPECT_EQ(patience.ends(), TimePoint::max());
  patience.waits(kStart);
  EXPECT_EQ(patience.ends(), kStart + 30s);
  patience.waits(kStart + 10s);
  EXPECT_EQ(patience.ends(), kStart + 30s);
  patience.rests(kStart + 10s);
  patience.rests(kStart + 15s);
  EXPECT_EQ(patience.ends(), TimePoint::max());
  patience.waits(kStart + 100s);
  EXPECT_EQ(patience.ends(), kStart + 120s);
}

TEST(Patience, OctetsGiveSomeBackAndNoMoreThanThereWas) {
  Patience patience(30s);
  patience.waits(kStart);
  patience.moved(kMinRate, kStart + 20s);
  EXPECT_EQ(patience.ends(), kStart + 31s);
  patience.moved(1'000'000, kStart + 25s);
  EXPECT_EQ(patience.ends(), kStart + 55s);
  patience.rests(kStart + 25s);
  patience.moved(1'000'000, kStart + 26s);
  patience.waits(kStart + 27s);
  EXPECT_EQ(patience.ends(), kStart + 57s);
}

TEST(Patience, LastsAtTheFloorAndNotBelowIt) {
  for (const std::size_t rate : {kMinRate - 24, kMinRate}) {
    Patience patience(30s);
    patience.waits(kStart);
    TimePoint now = kStart;
    int seconds = 0;
    for (; seconds < 10'000 && now < patience.ends(); ++seconds) patience.moved(rate, now += 1s);
    if (rate < kMinRate)
      EXPECT_NEAR(seconds, 30 * 1024.0 / 24, 60);
    else
      EXPECT_EQ(seconds, 10'000);
  }
}

}  // namespace
}  // namespace ghmesh::http::wire
