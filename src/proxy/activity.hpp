// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "proxy/stats.hpp"

// Where the node's time and its tokens' quota go: one row per kind of resource, and short lists of the slowest and the
// costliest requests. Fed with every answered request; what it keeps is bounded and loses nothing that is counted in
// stats.hpp. Paths are kept without their query, which may carry a credential. Loop thread.

namespace ghmesh::proxy {

// One client request and what became of it. Views are valid during the call that hands it over.
struct Answered {
  AnswerKind kind = AnswerKind::Error;
  RequestClass cls = RequestClass::Other;
  std::string_view method;
  std::string_view path;  // without query; empty for other hosts than the upstream
  int status = 0;         // the client's
  Tally spent;
  double seconds = 0;
  TimePoint now{};
};

struct ClassRow {
  std::array<std::uint64_t, kAnswerKinds> answers{};
  std::uint64_t upstream_calls = 0;
  std::uint64_t charged = 0;
  std::uint64_t direct = 0;  // what clients that ask GitHub themselves would have been charged
  double seconds = 0;        // of all answers
  // By metrics::Histogram::kBounds, the last one beyond them.
  std::array<std::uint64_t, metrics::Histogram::kBounds.size() + 1> latency{};

  std::uint64_t requests() const;
  // Answers from something that was held or proved, of all; 0 while there are none.
  double hit_rate() const;
};

class Activity {
 public:
  explicit Activity(const Clock& clock) : clock_(clock) {}

  void note(const Answered& answered);
  // Told of every request; empty for nobody. Costs nothing while nobody listens.
  void observe(std::function<void(const Answered&)> observer) { observer_ = std::move(observer); }

  const ClassRow& row(RequestClass cls) const { return rows_[static_cast<std::size_t>(cls)]; }

  struct Slow {
    std::string method, path;
    AnswerKind kind{};
    RequestClass cls{};
    int status = 0;
    double seconds = 0;
    WallTime at{};
    TimePoint noted{};
  };
  // Of the last kSlowAge, the slowest first, at most kSlow.
  std::vector<Slow> slowest() const;

  struct Costly {
    std::string method, path;
    RequestClass cls{};
    std::uint64_t requests = 0;  // that reached the upstream
    std::uint64_t charged = 0;
    // The count may be too high by so much: the place was another path's before (space-saving, Metwally et al. 2005).
    std::uint64_t error = 0;
  };
  // The most charged first, at most kCostly.
  std::vector<Costly> costliest() const;

  static constexpr std::size_t kSlow = 20;  // what a person reads
  static constexpr Duration kSlowAge = std::chrono::hours(1);
  static constexpr std::size_t kCostly = 20;
  // Paths counted for that list: every path with more than 1/512 of all charges is surely among them.
  static constexpr std::size_t kCountedPaths = 512;
  static constexpr std::size_t kPathBytes = 512;  // longer ones are cut

 private:
  void note_slow(const Answered& answered);
  void note_cost(const Answered& answered);

  const Clock& clock_;
  std::function<void(const Answered&)> observer_;
  std::array<ClassRow, kRequestClasses> rows_{};
  std::vector<Slow> slow_;
  double slow_floor_ = 0;   // what a request must exceed once the list is full
  TimePoint slow_until_{};  // when the oldest of the list goes
  std::vector<Costly> costly_;
};

}  // namespace ghmesh::proxy
