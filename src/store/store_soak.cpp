// SPDX-License-Identifier: Apache-2.0
// store_soak CYCLES [DIRECTORY]: kill -9 under write load, many times over. Exit 0: not one wrong byte.
#include <cstdio>
#include <cstdlib>

#include "crash_harness.hpp"
#include "temporary_directory.hpp"

int main(int argc, char** argv) {
  using ghmesh::store::CrashHarness;
  const long cycles = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 1000;
  const ghmesh::store::TemporaryDirectory own;
  CrashHarness harness(argc > 2 ? argv[2] : own.path() + "/store");
  std::uint64_t corrupt = 0;
  std::chrono::microseconds slowest{};
  for (long i = 1; i <= cycles; ++i) {
    const CrashHarness::Outcome outcome = harness.cycle(static_cast<std::uint64_t>(i));
    if (!outcome.wrong.empty()) {
      std::printf("cycle %ld: %s\n", i, outcome.wrong.c_str());
      return 1;
    }
    corrupt += outcome.corrupt;
    slowest = std::max(slowest, outcome.open);
    if (i % 100 == 0 || i == cycles)
      std::printf("%ld cycles, %llu torn records skipped, slowest start %.1f ms\n", i,
                  static_cast<unsigned long long>(corrupt), static_cast<double>(slowest.count()) / 1000);
    std::fflush(stdout);
  }
  return 0;
}
