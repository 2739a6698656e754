// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "crypto/random.hpp"
#include "store/posix_files.hpp"
#include "test_loop.hpp"
#include "test_records.hpp"

// kill -9 under write load: a child process writes records by a script that follows from a seed, tells after each flush
// how far it is, and dies at some moment. The parent opens the directory and knows what may be there: per key the
// state at the last flush, or that of any later operation, or nothing if it was evicted; and every byte follows from
// the record's number and version. Used by the unit test for a few cycles and by store_soak for many.

namespace ghmesh::store {

class CrashHarness {
 public:
  explicit CrashHarness(std::string directory) : directory_(std::move(directory)) {}

  struct Outcome {
    std::string wrong;  // empty: all well
    std::size_t entries = 0;
    std::uint64_t corrupt = 0;
    std::chrono::microseconds open{};
  };

  // One life and death of a writer. The process must have no other threads.
  Outcome cycle(std::uint64_t seed) {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) return {"no pipe"};
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe_ends[0]);
      write_until_killed(seed, pipe_ends[1]);
      ::_exit(1);
    }
    ::close(pipe_ends[1]);
    std::uint64_t flushed = 0;
    SeededRandom random(seed ^ 0xdead);
    for (std::uint64_t reports = 1 + random.below(12); reports > 0; --reports)
      if (::read(pipe_ends[0], &flushed, sizeof flushed) != sizeof flushed) break;
    for (std::uint64_t spin = random.below(200'000); spin > 0; --spin) asm volatile("");
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    for (std::uint64_t more = 0; ::read(pipe_ends[0], &more, sizeof more) == sizeof more;) flushed = more;
    ::close(pipe_ends[0]);
    if (!WIFSIGNALED(status)) return {"the writer ended by itself"};
    return verify(seed, flushed);
  }

 private:
  static constexpr std::uint64_t kKeys = 400;
  static constexpr std::uint64_t kOperationsPerFlush = 40;

  struct Operation {
    std::uint64_t number;
    bool remove;
    std::uint64_t version;
  };

  static Operation operation(std::uint64_t seed, std::uint64_t index) {
    SeededRandom random(seed * 1'000'003 + index);
    return {random.below(kKeys), random.below(8) == 0, 1 + (seed * 100'000 + index) % 0xffff'fff0};
  }
  static EntryPtr record(const Operation& op) {
    return test_entry(op.number, op.version, (op.version * 37) % 6000, {op.number % 5});
  }
  // Small enough that segments are finished and cleaned within a life.
  static Limits limits() { return {.disk_bytes = 6u << 20, .segment_bytes = 512u << 10, .min_free_share = 0}; }

  std::unique_ptr<DiskStore> open(TestLoop& loop, bool own_thread) {
    auto directory = open_posix_directory(directory_);
    if (!directory) return nullptr;
    auto store = DiskStore::open(std::move(*directory), {.limits = limits(), .own_thread = own_thread}, clock_, random_,
                                 loop.post(), {});
    return store ? std::move(*store) : nullptr;
  }

  void write_until_killed(std::uint64_t seed, int report) {
    TestLoop loop;
    auto store = open(loop, true);
    if (!store) return;
    for (std::uint64_t i = 0;; ++i) {
      const Operation op = operation(seed, i);
      if (op.remove)
        store->remove(test_key(op.number));
      else
        store->put(record(op));
      if ((i + 1) % kOperationsPerFlush != 0) continue;
      store->flush();
      const std::uint64_t done = i + 1;
      if (::write(report, &done, sizeof done) != sizeof done) return;
    }
  }

  Outcome verify(std::uint64_t seed, std::uint64_t flushed) {
    // Per key the versions that may be there; 0 stands for absent.
    std::map<std::uint64_t, std::set<std::uint64_t>> allowed;
    for (const auto& [number, version] : known_) allowed[number] = {version};
    for (std::uint64_t i = 0; i < flushed + 2 * kOperationsPerFlush; ++i) {
      const Operation op = operation(seed, i);
      auto& versions = allowed[op.number];
      if (i < flushed) versions.clear();
      versions.insert(op.remove ? 0 : op.version);
    }
    Outcome outcome;
    TestLoop loop;
    const auto begin = std::chrono::steady_clock::now();
    const auto store = open(loop, false);
    outcome.open = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    if (!store) return {"the store does not open"};
    known_.clear();
    for (std::uint64_t number = 0; number < kKeys && outcome.wrong.empty(); ++number) {
      EntryPtr entry;
      store->get(test_key(number), [&](EntryPtr got) { entry = std::move(got); });
      loop.settle(*store);
      if (!entry) continue;
      ++outcome.entries;
      known_[number] = entry->flags;
      if (!allowed[number].contains(entry->flags))
        outcome.wrong = "key " + std::to_string(number) + " came back in a version that was replaced or removed";
      if (!same(*entry, *record({number, false, entry->flags})))
        outcome.wrong = "key " + std::to_string(number) + " has wrong bytes";
    }
    outcome.corrupt = store->stats().corrupt_skipped;
    return outcome;
  }

  std::string directory_;
  SystemClock clock_;
  crypto::SecureRandom random_;
  std::map<std::uint64_t, std::uint64_t> known_;  // number → version, as last read
};

}  // namespace ghmesh::store
