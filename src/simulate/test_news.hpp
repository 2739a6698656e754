// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulator.hpp"

// How fast members hear of each other: the test wants it of a hundred, the bench of a thousand.

namespace ghmesh::simulate {

struct NewsTimes {
  Duration joined{}, left{};  // until 99 % of the members knew
  bool complete = true;       // before the news, everybody knew everybody
};

inline std::size_t who_knows(Simulator& simulator, const PeerId& peer, bool as_living) {
  std::size_t count = 0;
  for (const NodeIndex node : simulator.live()) {
    const Member* member = simulator.mesh(node).member(peer);
    const bool lives =
        member != nullptr && (member->state == MemberState::Alive || member->state == MemberState::Suspect);
    if (lives == as_living) ++count;
  }
  return count;
}

inline Duration spread(Simulator& simulator, const PeerId& peer, bool as_living) {
  const TimePoint began = simulator.now();
  // Of those that live now: who leaves is one of them for a moment more.
  const auto enough = [&] { return (simulator.live().size() * 99 + 99) / 100; };
  while (simulator.now() < began + 10s && who_knows(simulator, peer, as_living) < enough()) simulator.run_for(20ms);
  return simulator.now() - began;
}

inline NewsTimes measure_news(std::size_t members, std::uint64_t seed) {
  Simulator simulator(seed);
  for (std::size_t i = 0; i < members; ++i) {
    simulator.join();
    simulator.run_for(5ms);
  }
  simulator.run_for(20s);
  NewsTimes times;
  const NodeIndex leaver = members / 2;
  const PeerId leaving = simulator.mesh(leaver).self().peer;
  const PeerId joining = simulator.mesh(simulator.join()).self().peer;
  times.joined = spread(simulator, joining, true);
  simulator.run_for(8s);
  simulator.stop(leaver);
  simulator.run_for(900ms);  // it hands over, and then says good-bye
  times.complete = who_knows(simulator, leaving, true) >= members && who_knows(simulator, joining, true) >= members;
  times.left = spread(simulator, leaving, false);
  return times;
}

}  // namespace ghmesh::simulate
