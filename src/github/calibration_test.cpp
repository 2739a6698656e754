// SPDX-License-Identifier: Apache-2.0
#include "github/calibration.hpp"

#include <gtest/gtest.h>

#include <string>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

constexpr std::string_view kHost = "api.github.com";
constexpr std::string_view kJson = "application/vnd.github+json";

class CalibrationTest : public ::testing::Test {
 protected:
  void check(const Resource& resource, bool match, std::size_t times = 1) {
    for (std::size_t i = 0; i < times; ++i) calibration.on_self_check(kHost, resource, kJson, match, clock.now());
  }
  void pass_canary(const Resource& resource) { calibration.on_canary(kHost, resource, kJson, false, clock.now()); }
  ProofPhase phase(const Resource& resource, std::string_view host = kHost, std::string_view accept = kJson) {
    return calibration.phase(host, resource, accept, clock.now());
  }
  void prove(const Resource& resource) {
    pass_canary(resource);
    check(resource, true, 20);
    ASSERT_EQ(phase(resource), ProofPhase::Proven);
  }

  ManualClock clock;
  SeededRandom random{7};
  Calibration calibration{random};
  Resource repo = classify("GET", "/repos/o/r");
  Resource labels = classify("GET", "/repos/o/r/labels");
  Resource issue = classify("GET", "/repos/o/r/issues/1");
  Resource runs = classify("GET", "/repos/o/r/actions/runs");
};

TEST_F(CalibrationTest, TwentyMatchesInARowAndACanaryProve) {
  pass_canary(repo);
  check(repo, true, 19);
  EXPECT_EQ(phase(repo), ProofPhase::Learning);
  EXPECT_EQ(calibration.missing(kHost, repo, kJson, clock.now()), 1u);
  check(labels, true);  // the same class
  EXPECT_EQ(phase(repo), ProofPhase::Proven);
  EXPECT_EQ(phase(issue), ProofPhase::Proven);
  EXPECT_EQ(calibration.missing(kHost, repo, kJson, clock.now()), 0u);
}

TEST_F(CalibrationTest, NothingIsProvenWithoutACanary) {
  check(repo, true, 100);
  EXPECT_EQ(phase(repo), ProofPhase::Learning);
  EXPECT_TRUE(calibration.canary_on_plain(kHost, repo, kJson, clock.now()));
  pass_canary(repo);
  EXPECT_EQ(phase(repo), ProofPhase::Proven);
}

TEST_F(CalibrationTest, AMismatchBreaksTheRun) {
  pass_canary(repo);
  check(repo, true, 19);
  check(repo, false);
  check(repo, true, 19);
  EXPECT_EQ(phase(repo), ProofPhase::Learning);
  check(repo, true);
  EXPECT_EQ(phase(repo), ProofPhase::Proven);
}

TEST_F(CalibrationTest, AClassSeenMatchingElsewhereStartsAtThree) {
  prove(repo);
  EXPECT_EQ(phase(runs), ProofPhase::Learning);
  pass_canary(runs);
  check(runs, true, 2);
  EXPECT_EQ(phase(runs), ProofPhase::Learning);
  check(runs, true);
  EXPECT_EQ(phase(runs), ProofPhase::Proven);

  calibration.vouch("github.corp.example");
  calibration.on_canary("github.corp.example", repo, kJson, false, clock.now());
  for (int i = 0; i < 3; ++i) calibration.on_self_check("github.corp.example", repo, kJson, true, clock.now());
  EXPECT_EQ(phase(repo, "github.corp.example"), ProofPhase::Proven);
}

TEST_F(CalibrationTest, HostsAndMediaTypesLearnApart) {
  prove(repo);
  EXPECT_EQ(phase(repo, "github.corp.example"), ProofPhase::Learning);
  EXPECT_EQ(phase(repo, kHost, "*/*"), ProofPhase::Learning);
}

TEST_F(CalibrationTest, TwoMismatchesInAHundredTrip) {
  prove(repo);
  check(repo, false);
  EXPECT_EQ(phase(repo), ProofPhase::Proven);
  check(issue, true, 50);
  check(labels, false);
  EXPECT_EQ(phase(repo), ProofPhase::Tripped);
  EXPECT_EQ(phase(issue), ProofPhase::Tripped);
  EXPECT_EQ(phase(runs), ProofPhase::Learning);
}

TEST_F(CalibrationTest, MismatchesMoreThanAHundredChecksApartDoNot) {
  prove(repo);
  check(repo, false);
  check(issue, true, 100);
  check(labels, false);
  EXPECT_EQ(phase(repo), ProofPhase::Proven);
}

TEST_F(CalibrationTest, OneOddFamilyIsSetAsideAlone) {
  prove(repo);
  check(labels, false);
  check(labels, false);
  EXPECT_EQ(phase(labels), ProofPhase::Tripped);
  EXPECT_EQ(phase(repo), ProofPhase::Proven);
  check(labels, false, 50);
  EXPECT_EQ(phase(repo), ProofPhase::Proven);
}

TEST_F(CalibrationTest, DriftTripsWithinFourRequestsWhateverTheOrder) {
  const Resource* order[] = {&labels, &labels, &issue, &repo};
  prove(repo);
  std::size_t requests = 0;
  for (const Resource* resource : order) {
    if (phase(repo) != ProofPhase::Proven) break;
    check(*resource, false);
    ++requests;
  }
  EXPECT_EQ(phase(repo), ProofPhase::Tripped);
  EXPECT_LE(requests, 4u);
}

TEST_F(CalibrationTest, ComesBackWithDoublingDelayUpToADay) {
  const auto trip = [&] {
    prove(repo);
    check(repo, false);
    check(issue, false);
    ASSERT_EQ(phase(repo), ProofPhase::Tripped);
  };
  Duration expected = 5min;
  for (int round = 0; round < 12; ++round) {
    trip();
    clock.advance(expected - 1s);
    EXPECT_EQ(phase(repo), ProofPhase::Tripped) << round;
    clock.advance(1s);
    EXPECT_EQ(phase(repo), ProofPhase::Learning) << round;
    expected = std::min<Duration>(expected * 2, 24h);
  }
  EXPECT_EQ(expected, Duration(24h));
}

TEST_F(CalibrationTest, ACanaryAnswered304TripsEverythingAtOnce) {
  prove(repo);
  calibration.vouch("other.example");
  calibration.on_canary(kHost, runs, kJson, true, clock.now());
  EXPECT_EQ(phase(repo), ProofPhase::Tripped);
  EXPECT_EQ(phase(runs), ProofPhase::Tripped);
  EXPECT_EQ(phase(issue, "other.example", "*/*"), ProofPhase::Tripped);
  EXPECT_EQ(calibration.trips(), 1u);
  clock.advance(5min);
  EXPECT_EQ(phase(repo), ProofPhase::Learning);
}

TEST_F(CalibrationTest, CanariesAreOneIn256OfPeerProofsAndRandom) {
  std::size_t canaries = 0;
  for (int i = 0; i < 25600; ++i) canaries += calibration.canary_before_peer_proof() ? 1 : 0;
  EXPECT_GT(canaries, 60u);
  EXPECT_LT(canaries, 145u);
  EXPECT_NE(calibration.make_canary(), calibration.make_canary());
  EXPECT_EQ(calibration.make_canary().size(), 64u);
}

TEST_F(CalibrationTest, TellsItsState) {
  prove(repo);
  const std::vector<ProofCellView> cells = calibration.cells(clock.now());
  ASSERT_EQ(cells.size(), 1u);
  EXPECT_EQ(cells[0].host, kHost);
  EXPECT_EQ(cells[0].media_type, kJson);
  EXPECT_EQ(cells[0].cls, ResourceClass::Default);
  EXPECT_EQ(cells[0].phase, ProofPhase::Proven);
  EXPECT_EQ(cells[0].matches, 20u);
}

TEST_F(CalibrationTest, MadeUpMediaTypesDoNotGrowIt) {
  for (std::size_t i = 0; i < kLimits.max_proof_cells + 100; ++i)
    calibration.on_self_check(kHost, repo, "application/" + std::to_string(i), false, clock.now());
  EXPECT_LE(calibration.cells(clock.now()).size(), kLimits.max_proof_cells);
}

}  // namespace
}  // namespace ghmesh::github
