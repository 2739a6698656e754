// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include "simulator.hpp"

namespace ghmesh::simulate {

inline constexpr std::uint32_t kKey = 7;

// Some members that know each other, an origin 100 ms away whose answers change only by hand.
struct Scene : Simulator {
  explicit Scene(std::uint64_t seed, std::size_t nodes = 10, Duration age = 10s, const ExchangeLimits& limits = {})
      : Simulator(seed) {
    exchange = limits;
    for (std::uint32_t key = 0; key < 200; ++key) set_change_interval(key, 10000h);
    upstream_fixed = 100ms;
    for (std::size_t i = 0; i < nodes; ++i) {
      join();
      run_for(50ms);
    }
    run_for(age);
    reset_totals();
  }
  // A node that is neither rank 1 nor rank 2 nor rank 3 of the key.
  NodeIndex outsider(std::uint32_t key, std::size_t which = 0) {
    for (const NodeIndex node : live()) {
      bool ranked = false;
      for (std::size_t r = 0; r < 3; ++r) ranked |= rank(node, key, r) == node;
      if (!ranked && which-- == 0) return node;
    }
    ADD_FAILURE() << "no outsider";
    return 0;
  }
  // A key whose three ranks leave outsiders; every one does with ten nodes.
  NodeIndex owner(std::uint32_t key) { return *rank(live().front(), key, 0); }
  NodeIndex second(std::uint32_t key) { return *rank(live().front(), key, 1); }

  Answer ask(NodeIndex node, std::uint32_t key, Duration patience = 10s) {
    std::optional<Answer> got;
    request(node, key, [&](const Answer& answer) { got = answer; });
    const TimePoint until = now() + patience;
    while (!got && now() < until) run_for(1ms);
    EXPECT_TRUE(got) << "no answer";
    return got.value_or(Answer{});
  }
};

}  // namespace ghmesh::simulate
