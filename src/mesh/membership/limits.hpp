// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"

namespace ghmesh::mesh {

struct MembershipLimits {
  // The full table of 1,000 members is about 200 KB; four times that is still nothing, more is an attack.
  std::size_t members = 4096;
  // SWIM's period and its first answer: memberlist's values for one network.
  Duration probe_every = 1s;
  Duration probe_timeout = 300ms;
  std::size_t indirect_probes = 3;
  // News is passed on this often to that many, each item 3 log10(N) times: 99 % of 1,000 members know in 1.4 s.
  Duration gossip_every = 200ms;
  std::size_t gossip_to = 3;
  std::size_t gossip_updates = 16;
  // From suspicion to death: alone, and once two others suspect the same.
  Duration suspicion = 4s;
  Duration suspicion_confirmed = 1s;
  // A whole difference of views is exchanged at most this often, and at once with the first contact.
  Duration sync_every = 15s;
  // The same when no news is on its way here, so that the difference is a loss.
  Duration sync_quiet = 4s;
  // Ends younger than this are named in a difference of views: older ones are no news to anybody but who takes the dead
  // for living, and that one names him itself.
  Duration name_dead = 1min;
  // Both in a fleet's first seconds, when everybody is news to everybody, and asked already.
  Duration founding_gossip_every = 50ms;
  Duration founding_sync_quiet = 500ms;
  // Longer than news takes to everybody, so that a join never splits views; for members that own keys. Those that came
  // within it of the oldest began together: somebody must own keys from the start.
  Duration owner_age = 5s;
  // A member that died is asked again now and then, so that a split heals; forgotten after the last.
  Duration revive_every = 3s;
  Duration forget_dead = 15min;
  // Nobody is suspected faster than this many times slower by a node that is itself unwell.
  unsigned max_unwell = 8;
};

}  // namespace ghmesh::mesh
