// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "store/record.hpp"

// S3-FIFO's ghost queue: which keys left the small queue lately. "Lately" is counted in bytes evicted since then, so
// the queue is as long as the main queue is large. A 4-way table of fingerprints instead of a list: 16 bytes each,
// fixed at construction, and forgetting costs nothing. A false match (2^-48 a look-up) promotes a record that did not
// earn it.

namespace ghmesh::store {

class GhostTable {
 public:
  GhostTable(std::size_t window_bytes, std::size_t expected_entries)
      : window_bytes_(window_bytes), slots_(std::bit_ceil(std::max<std::size_t>(expected_entries, kWays))) {}

  void remember(const Key& key, std::size_t bytes) {
    evicted_bytes_ += bytes;
    Slot* set = set_of(key);
    Slot* oldest = std::min_element(set, set + kWays, [](const Slot& a, const Slot& b) { return a.when < b.when; });
    *oldest = {fingerprint(key), evicted_bytes_};
  }

  // True once per remembered key.
  bool take(const Key& key) {
    Slot* set = set_of(key);
    for (Slot* slot = set; slot != set + kWays; ++slot) {
      if (slot->when == 0 || slot->fingerprint != fingerprint(key)) continue;
      const bool recent = evicted_bytes_ - slot->when < window_bytes_;
      *slot = {};
      return recent;
    }
    return false;
  }

  std::size_t memory_bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  static constexpr std::size_t kWays = 4;
  struct Slot {
    std::uint64_t fingerprint = 0;
    std::uint64_t when = 0;  // 0: empty
  };

  static std::uint64_t fingerprint(const Key& key) { return load_le<std::uint64_t>(key.data() + 8); }
  Slot* set_of(const Key& key) {
    const std::size_t sets = slots_.size() / kWays;
    return &slots_[(load_le<std::uint64_t>(key.data()) & (sets - 1)) * kWays];
  }

  const std::size_t window_bytes_;
  std::vector<Slot> slots_;
  std::uint64_t evicted_bytes_ = 0;
};

}  // namespace ghmesh::store
