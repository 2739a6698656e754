// SPDX-License-Identifier: Apache-2.0
#include "github/calibration_state.hpp"

#include <gtest/gtest.h>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

constexpr std::string_view kHost = "github.corp.example";
constexpr std::string_view kJson = "application/vnd.github+json";

class CalibrationStateTest : public ::testing::Test {
 protected:
  void check(Calibration& of, const Resource& resource, bool match, int times = 1) {
    for (int i = 0; i < times; ++i) of.on_self_check(kHost, resource, kJson, match, clock.now());
  }
  void prove(Calibration& of) {
    of.on_canary(kHost, repo, kJson, false, clock.now());
    check(of, repo, true, 20);
    ASSERT_EQ(phase(of), ProofPhase::Proven);
  }
  ProofPhase phase(Calibration& of) { return of.phase(kHost, repo, kJson, clock.now()); }
  // As a restart does it: through the bytes.
  void carry_over(const Calibration& from, Calibration& to, Duration off = {}) {
    const Bytes bytes = encode(from.state(clock.now(), clock.wall_now()));
    clock.advance(off);
    const auto state = decode_calibration(bytes);
    ASSERT_TRUE(state);
    to.restore(*state, clock.now(), clock.wall_now());
  }

  ManualClock clock;
  SeededRandom random{7};
  Calibration before{random};
  Calibration after{random};
  Resource repo = classify("GET", "/repos/o/r");
  Resource labels = classify("GET", "/repos/o/r/labels");
};

TEST_F(CalibrationStateTest, WhatWasProvenIsProvenAfterARestart) {
  prove(before);
  carry_over(before, after, std::chrono::hours(23));
  EXPECT_EQ(phase(after), ProofPhase::Proven);
  EXPECT_EQ(after.phase("api.github.com", repo, kJson, clock.now()), ProofPhase::Learning);
  // And trips as it would have.
  check(after, repo, false);
  check(after, labels, false);
  EXPECT_EQ(phase(after), ProofPhase::Tripped);
}

TEST_F(CalibrationStateTest, AfterADayItIsOnlyVouchedFor) {
  prove(before);
  carry_over(before, after, std::chrono::hours(25));
  EXPECT_EQ(phase(after), ProofPhase::Learning);
  EXPECT_EQ(after.missing(kHost, repo, kJson, clock.now()), 3u);
}

TEST_F(CalibrationStateTest, ATrippedClassStaysTrippedAndDoublesOn) {
  prove(before);
  for (int i = 0; i < 2; ++i) check(before, i == 0 ? repo : labels, false);
  ASSERT_EQ(phase(before), ProofPhase::Tripped);
  carry_over(before, after, std::chrono::minutes(4));
  EXPECT_EQ(phase(after), ProofPhase::Tripped);
  clock.advance(std::chrono::seconds(61));
  EXPECT_EQ(phase(after), ProofPhase::Learning);
  prove(after);
  for (int i = 0; i < 2; ++i) check(after, i == 0 ? repo : labels, false);
  clock.advance(std::chrono::minutes(9));
  EXPECT_EQ(phase(after), ProofPhase::Tripped);  // five minutes the first time, ten now
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(phase(after), ProofPhase::Learning);
}

TEST_F(CalibrationStateTest, ACanaryAnswered304IsRemembered) {
  prove(before);
  before.on_canary(kHost, repo, kJson, true, clock.now());
  after.vouch(kHost);
  carry_over(before, after, std::chrono::minutes(1));
  EXPECT_EQ(phase(after), ProofPhase::Tripped);
  EXPECT_EQ(after.phase("api.github.com", labels, kJson, clock.now()), ProofPhase::Tripped);
  clock.advance(std::chrono::minutes(5));
  EXPECT_EQ(after.missing(kHost, repo, kJson, clock.now()), 20u);
}

TEST_F(CalibrationStateTest, AFamilyThatWasSetAsideStaysAside) {
  prove(before);
  check(before, labels, false, 2);
  ASSERT_EQ(before.phase(kHost, labels, kJson, clock.now()), ProofPhase::Tripped);
  carry_over(before, after, std::chrono::hours(1));
  EXPECT_EQ(after.phase(kHost, labels, kJson, clock.now()), ProofPhase::Tripped);
  EXPECT_EQ(phase(after), ProofPhase::Proven);
}

TEST_F(CalibrationStateTest, AClockThatWentBackGivesNoCredit) {
  prove(before);
  const Bytes bytes = encode(before.state(clock.now(), clock.wall_now()));
  clock.step_wall(-std::chrono::hours(1));
  after.restore(*decode_calibration(bytes), clock.now(), clock.wall_now());
  EXPECT_EQ(phase(after), ProofPhase::Learning);
}

TEST_F(CalibrationStateTest, WhatThisRunHasSeenCountsForMore) {
  prove(before);
  check(after, repo, false);
  carry_over(before, after);
  EXPECT_EQ(phase(after), ProofPhase::Learning);
}

TEST_F(CalibrationStateTest, SaysWhenThereIsNews) {
  int told = 0;
  prove(before);
  before.on_change([&] { ++told; });
  check(before, repo, true, 5);
  EXPECT_EQ(told, 0);
  check(before, repo, false);
  check(before, labels, false);
  EXPECT_EQ(told, 1);
  clock.advance(std::chrono::minutes(11));
  check(before, repo, true);
  EXPECT_EQ(told, 2);
}

TEST_F(CalibrationStateTest, BytesOfAnotherVersionCutOrTooManyAreRefused) {
  prove(before);
  check(before, labels, false, 2);
  const Bytes bytes = encode(before.state(clock.now(), clock.wall_now()));
  ASSERT_TRUE(decode_calibration(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_calibration(ByteView(bytes).first(size))) << size;
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_calibration(longer));
  Bytes later = bytes;
  later[0] = 2;
  EXPECT_FALSE(decode_calibration(later));
  // A trip that claims a year, whoever wrote it, lasts a day.
  CalibrationState hostile;
  hostile.saved = clock.wall_now();
  hostile.cells.push_back({std::string(kHost), std::string(kJson), repo.cls, ProofPhase::Tripped,
                           std::chrono::hours(24 * 365), std::chrono::hours(24 * 365)});
  after.restore(*decode_calibration(encode(hostile)), clock.now(), clock.wall_now());
  EXPECT_EQ(phase(after), ProofPhase::Tripped);
  clock.advance(std::chrono::hours(24));
  EXPECT_EQ(phase(after), ProofPhase::Learning);
}

TEST_F(CalibrationStateTest, TripsComeFirstWhenThereIsNoRoomForAll) {
  CalibrationState state;
  for (std::size_t i = 0; i < kMaxSavedCells + 10; ++i)
    state.cells.push_back({"host-" + std::to_string(i),
                           std::string(kJson),
                           ResourceClass::Default,
                           i == kMaxSavedCells + 5 ? ProofPhase::Tripped : ProofPhase::Proven,
                           Duration(1),
                           {}});
  const auto read = decode_calibration(encode(state));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->cells.size(), kMaxSavedCells);
  EXPECT_EQ(read->cells.front().phase, ProofPhase::Tripped);
}

}  // namespace
}  // namespace ghmesh::github
