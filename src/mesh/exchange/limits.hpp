// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"

namespace ghmesh::mesh {

// What GitHub lets all holders of one token do together (github/pacing.hpp says why), and bounds of keeping it.
struct DrawLimits {
  double per_second = 12;
  double burst = 160;
  std::size_t in_flight = 60;
  double writes_per_second = 1.2;
  double writes_burst = 8;
  std::uint32_t waiting = 4096;  // of one member
  std::size_t buckets = 1024;    // the job tokens of an hour

  // A member is told news this long after it spoke last.
  static constexpr Duration kListens = 30s;
  // A bucket, or a member's word of it, that nobody touched for so long is forgotten: every window is over by then.
  static constexpr Duration kForget = 2h;
  // Beside the members that live, so many that left stay known with what they saw and spent.
  static constexpr std::size_t kGone = 64;
};

struct ExchangeLimits {
  // What a member keeps for the mesh: 1,000 keys of 22 KiB, and a quarter more, on each of two ranks among three
  // members.
  std::size_t shelf_bytes = 64u << 20;
  std::size_t shelf_entries = 100'000;
  std::size_t ledger_keys = 200'000;  // 32 bytes each

  // A first answer takes one round trip, 2 ms on one network; after seven of them rank 2 is asked as well.
  Duration first_answer = 15ms;
  // No peer path may add more than this to a request.
  Duration patience = 50ms;
  // The same when this node has gone alone too often and the others are seen to live: an owner that is slow for all
  // must not send everybody to GitHub.
  Duration patience_over_budget = 200ms;
  double alone_per_second = 1;
  double alone_burst = 5;
  // Both are for so many members together; a larger fleet shares them.
  double alone_members = 5;
  // After so many searches in a row without any answer the mesh is tried once a second only.
  unsigned bypass_after = 3;
  // While someone else fetches: heartbeats, how many may be missed, and the end of any wait; a fetch that waits for its
  // turn at GitHub may take longer, and for it the time counts that --max-queue gives a request.
  Duration beat = 50ms;
  Duration missed_beats = 150ms;
  Duration longest_wait = 5s;
  Duration longest_queue = 32s;  // of --max-queue 30
  // After so long a wait for somebody's fetch rank 2 is asked whether it knows of it, too: an owner that only says so
  // would hold up everybody. Whom rank 2 proves wrong is not asked for so long, doubling.
  Duration second_opinion = 1s;
  Duration disbelief = 5min;
  Duration max_disbelief = 1h;
  // A fetch that says nothing for this long has died (twice GitHub's p99); it says Hold more often than that, and ends.
  Duration lease = 600ms;
  Duration hold_every = 250ms;
  Duration longest_fetch = 35s;
  // When a lease ends, whoever gave it gives it to the next, and whoever has its shadow hears of that before it would
  // do the same.
  Duration first_move = 100ms;
  // What takes long is spoken of less often; a member that dies meanwhile is noticed that much later.
  Duration longest_silence = 2s;
  // Asking the other ranks, then everybody, before a charge.
  Duration peek = 15ms;
  Duration who_has = 12ms;
  // Until the copy of a partition that has just become ours is here, when those who had it are slow to answer.
  Duration copy_wait = 100ms;
  // Who came last while a fleet was founded has met the others so long after.
  Duration meeting = 1s;
  // A member that did not answer is passed over this long, doubling while it goes on.
  Duration doubt = 2s;
  Duration max_doubt = 60s;
  // Uncacheable answers, and refused ones.
  Duration pass = 60s;
  Duration negative = 15s;
  // A write is told to everybody before its answer goes to the client, but not for ever.
  Duration invalidate_wait = 100ms;
  Duration remember_invalidated = 40s;
  Duration repair_timeout = 2s;
  Duration ledger_every = 1s;

  // An operator's question, not a client's: a loaded peer may take its time.
  Duration probe = 2s;
  std::size_t probes = 1024;

  std::size_t searches = 4096;
  std::size_t flights = 16'384;
  std::size_t waiters = 1024;  // per key
  std::size_t relays = 4096;
  std::size_t pauses = 1024;
  // One other's word stops us this long; that of three this long, and each one more as long again; GitHub's own until
  // the reset.
  Duration uncorroborated_pause = 30s;
  Duration corroborated_pause = 5min;
  DrawLimits draws;

  // When the next heartbeat follows in a wait of that age, and the next Hold in a fetch.
  Duration next_beat(Duration age) const { return std::clamp(age / 2, beat, std::max(beat, longest_silence)); }
  Duration next_hold(Duration age) const {
    return std::clamp(age / 4, hold_every, std::max(hold_every, longest_silence));
  }
  // Silence after which whoever promised the next word within that is not waited for any more.
  Duration missed_beats_after(Duration promised) const {
    return missed_beats + std::clamp(promised - beat, Duration::zero(), longest_silence);
  }
  Duration lease_after(Duration promised) const {
    return lease + 2 * std::clamp(promised - hold_every, Duration::zero(), longest_silence);
  }

  // Another patience (--mesh-patience): every wait for other members grows and shrinks with it, so that far members and
  // slow machines are given the time that they need. How often something is said stays.
  static ExchangeLimits for_patience(Duration patience) {
    ExchangeLimits limits;
    const ExchangeLimits usual;
    // In a product of two times nanoseconds do not fit: 5 s of each is over 2^63 already.
    const double factor = static_cast<double>(patience.count()) / static_cast<double>(usual.patience.count());
    const auto scaled = [&](Duration wait) { return std::chrono::duration_cast<Duration>(wait * factor); };
    limits.patience = patience;
    limits.first_answer = scaled(usual.first_answer);
    limits.patience_over_budget = scaled(usual.patience_over_budget);
    limits.peek = scaled(usual.peek);
    limits.who_has = scaled(usual.who_has);
    limits.copy_wait = scaled(usual.copy_wait);
    limits.first_move = scaled(usual.first_move);
    limits.invalidate_wait = scaled(usual.invalidate_wait);
    // These cover something that is said at a fixed pace, or a fetch of any length: they are never less.
    limits.second_opinion = std::max(usual.second_opinion, 2 * patience);
    limits.missed_beats = std::max(usual.missed_beats, scaled(usual.missed_beats));
    limits.lease = std::max(usual.lease, std::min(scaled(usual.lease), usual.longest_fetch));
    limits.longest_wait = std::max(usual.longest_wait, std::min(scaled(usual.longest_wait), usual.longest_fetch));
    return limits;
  }
};

}  // namespace ghmesh::mesh
