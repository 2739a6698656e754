// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.hpp"

namespace ghmesh {

// Where random octets come from. crypto/random.hpp has the secure one; scenarios use the seeded one below so that a
// failing seed reproduces. Keys and nonces take only the secure one.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableByteView out) = 0;

  std::uint64_t next_u64() {
    std::uint8_t raw[8];
    fill(raw);
    return load_le<std::uint64_t>(raw);
  }
  // Uniform in [0, bound); bound > 0. The bias of a 64-bit remainder is below 2^-32 for the bounds used here.
  std::uint64_t below(std::uint64_t bound) { return next_u64() % bound; }
};

// SplitMix64: small, fast, good enough to schedule faults; never for keys.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableByteView out) override {
    for (std::size_t i = 0; i < out.size();) {
      std::uint8_t raw[8];
      store_le(raw, step());
      for (std::size_t j = 0; j < 8 && i < out.size(); ++j) out[i++] = raw[j];
    }
  }

 private:
  std::uint64_t step() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

}  // namespace ghmesh
