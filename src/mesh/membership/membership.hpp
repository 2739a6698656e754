// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "limits.hpp"
#include "mesh/wire/message.hpp"

// Who is in the mesh: SWIM (Das, Gupta, Motivala 2002) with Lifeguard's damping (Dadgar et al. 2018). A member is
// probed in turn; one that does not answer, not even through three others, is suspected, and dead when nobody refutes
// that. Views are compared by digest first and only their difference is exchanged. No IO: messages and `now` in,
// messages and changes out. One thread.

namespace ghmesh::mesh {

struct Outgoing {
  PeerId to;
  Message message;
};

struct Member {
  PeerId peer = nobody();
  std::uint32_t incarnation = 0;
  MemberState state = MemberState::Alive;
  bool reachable = false;  // others can dial it
  bool stable = false;     // declared to live long
  bool draining = false;   // about to leave
  TimePoint joined{};
  TimePoint since{};  // of the state
  std::vector<Bytes> addresses;
  std::vector<PeerId> accusers;  // who suspects it besides us
  std::uint32_t edition = 0;     // of this entry, for what is passed on of it
  bool is_news = false;

  bool in_mesh() const { return state == MemberState::Alive || state == MemberState::Suspect; }
};

struct SelfDescription {
  PeerId peer = nobody();
  std::vector<Bytes> addresses;
  bool reachable = true;
  bool stable = false;
};

class Membership {
 public:
  Membership(SelfDescription self, MembershipLimits limits, Random& random, TimePoint now);

  // A peer that proved the mesh secret on a connection, from any source of peers.
  void on_admitted(const PeerId& peer, std::vector<Bytes> addresses, TimePoint now);
  // The data path got no answer from it: look at once.
  void doubt(const PeerId& peer, TimePoint now);
  // Ping, Pong, PingRequest, News, Sync; the others are ignored. counters is what a Ping brought, for the fleet.
  void on_message(const PeerId& from, const Message& message, TimePoint now);
  void tick(TimePoint now);
  TimePoint next_deadline() const;

  void set_reachable(bool reachable, TimePoint now);
  void drain(TimePoint now);  // told to all; ownership moves away
  void leave(TimePoint now);  // the last word

  std::vector<Outgoing> take_outgoing() { return std::exchange(outgoing_, {}); }
  // Members whose entry changed, perhaps named twice; look them up.
  std::vector<PeerId> take_changed(TimePoint now);

  const Member* find(const PeerId& peer) const;
  const Member& self() const { return self_; }
  // Others, in no order; dead ones too while they are remembered.
  const std::unordered_map<PeerId, Member>& members() const { return members_; }
  std::size_t live_count() const { return live_; }  // others in the mesh
  // Whoever is old enough, or came so soon after the oldest that they started the fleet together.
  bool owns_keys(const Member& member, TimePoint now) const;
  // The first seconds of a fleet: members become owners as they come.
  bool founding(TimePoint now) const { return founded_by_ > now; }
  TimePoint founded_by() const { return founded_by_; }  // their end, or long ago
  // Random others in the mesh, at most count.
  std::vector<PeerId> sample(std::size_t count);
  std::uint64_t digest() const { return digest_; }
  // What to add to the next pings, and to every one from now on: each round of probes asks every member once.
  void set_counters(std::vector<CounterRow> rows) { counters_ = std::move(rows); }
  void set_own_counters(CounterRow row) { own_counters_ = std::move(row); }

 private:
  struct Rumour {
    PeerId peer;
    std::uint32_t edition;  // of the member's entry
  };
  struct Probe {
    PeerId target = nobody();
    std::uint32_t sequence = 0;
    TimePoint ask_others_at{};
    TimePoint ends{};
    bool asked_others = false;
    bool open = false;
  };
  struct Relayed {
    PeerId asker;
    std::uint32_t their_sequence;
    std::uint32_t our_sequence;
    TimePoint until;
  };

  void start_probe(TimePoint now);
  void probe(const PeerId& target, TimePoint now);
  void end_probe(TimePoint now);
  void gossip(TimePoint now);
  void forget_longest_gone();
  void revive_someone(TimePoint now);
  void expire(TimePoint now);
  void apply(const MemberUpdate& update, const PeerId& from, TimePoint now);
  void apply_about_self(const MemberUpdate& update, TimePoint now);
  void set_state(Member& member, MemberState state, TimePoint now);
  Member* known(const PeerId& peer);
  void announce(const PeerId& peer);
  void announce_self(TimePoint now);
  void count_digest(const Member& member);
  void look_for_first(const PeerId& changed);
  TimePoint end_of_founding(TimePoint now) const;
  MemberUpdate describe(const Member& member, TimePoint now) const;
  std::vector<MemberUpdate> pick_news(std::size_t count, TimePoint now, const PeerId* about = nullptr);
  void send_ping(const PeerId& to, std::uint32_t sequence, TimePoint now);
  void send_sync(const PeerId& to, bool answer, TimePoint now);
  void on_sync(const PeerId& from, const Sync& sync, TimePoint now);
  void compare(const PeerId& from, std::uint64_t digest, TimePoint now);
  void send(const PeerId& to, Message message) { outgoing_.push_back({to, std::move(message)}); }
  Duration slowed(Duration by) const { return by * (1 + unwell_); }
  unsigned resend_limit() const;

  MembershipLimits limits_;
  Random& random_;
  Member self_;
  std::unordered_map<PeerId, Member> members_;
  std::vector<PeerId> order_;  // of probing: all others, shuffled each round
  std::size_t next_in_order_ = 0;
  std::size_t live_ = 0;
  std::uint64_t digest_ = 0;
  std::vector<std::deque<Rumour>> rumours_;            // by how often they were sent
  std::size_t news_ = 0;                               // members whose entry is still passed on
  std::deque<std::pair<TimePoint, PeerId>> suspects_;  // when to look at them
  std::deque<std::pair<TimePoint, PeerId>> coming_of_age_;
  std::deque<std::pair<TimePoint, PeerId>> gone_;  // dead or left, and since when
  Probe probe_;
  std::vector<Relayed> relayed_;
  std::uint32_t sequence_ = 0;
  unsigned unwell_ = 0;
  TimePoint next_probe_{};
  TimePoint next_gossip_{};
  TimePoint next_revival_{};
  TimePoint last_sync_{};
  bool met_anyone_ = false;
  struct First {
    PeerId peer;
    TimePoint joined;
  };
  std::optional<First> first_;               // the oldest of those that may own keys
  TimePoint founded_by_ = TimePoint::min();  // who joined until then owns keys at any age
  std::vector<CounterRow> counters_;
  CounterRow own_counters_;
  std::vector<Outgoing> outgoing_;
  std::vector<PeerId> changed_;
};

}  // namespace ghmesh::mesh
