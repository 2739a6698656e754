// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "base/random.hpp"
#include "limits.hpp"
#include "mesh/wire/message.hpp"

// Whether a member really keeps and gives back: an entry that nobody asks for is put on its shelf and looked at again,
// over the same messages as any answer. At most one such entry of each member lies on each other's shelf. One thread.

namespace ghmesh::mesh {

struct ProbeDone {
  std::uint64_t id = 0;
  PeerId peer = nobody();
  bool returned = false;  // every byte; false: other bytes, or nothing within the limit
  Duration took{};
};

class Prober {
 public:
  // Puts made messages where send() of the caller takes them.
  struct Begun {
    std::uint64_t id = 0;
    Put put;
    Peek peek;
  };
  Prober(Random& random, const ExchangeLimits& limits);

  Begun begin(const PeerId& peer, std::int64_t wall_ms, TimePoint now);
  // True if it was the answer to a probe.
  bool on_found(const PeerId& from, const Found& found, TimePoint now);
  void tick(TimePoint now);
  TimePoint next_deadline() const;
  std::vector<ProbeDone> take_done() { return std::exchange(done_, {}); }

 private:
  struct Open {
    ProbeDone probe;
    Version version{};
    TimePoint began{};
    TimePoint until{};
  };
  Random& random_;
  const ExchangeLimits& limits_;
  LookupKey key_{};
  TokenTag tag_{};
  std::vector<Open> open_;
  std::vector<ProbeDone> done_;
};

}  // namespace ghmesh::mesh
