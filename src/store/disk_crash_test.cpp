// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include "crash_harness.hpp"
#include "temporary_directory.hpp"

namespace ghmesh::store {
namespace {

TEST(DiskCrash, KillNineUnderWriteLoadLeavesNoWrongByte) {
  const TemporaryDirectory directory;
  CrashHarness harness(directory.path() + "/store");
  std::size_t most = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const CrashHarness::Outcome outcome = harness.cycle(seed);
    ASSERT_EQ(outcome.wrong, "") << "seed " << seed;
    // At most the record that was being written, and the hint likewise.
    EXPECT_LE(outcome.corrupt, 2u) << "seed " << seed;
    most = std::max(most, outcome.entries);
  }
  EXPECT_GT(most, 150u);
}

}  // namespace
}  // namespace ghmesh::store
