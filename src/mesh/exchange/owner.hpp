// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <optional>
#include <unordered_map>

#include "bus.hpp"
#include "timers.hpp"

// The answering side: a member asked for a key that it owns (rank 1) or stands behind (ranks 2 and 3). Per key at most
// one fetch is under way in the fleet; everybody else waits, with heartbeats. Before a fetch that would be charged, the
// other ranks and then all members are asked for a lost body. Private to the room; one thread.

namespace ghmesh::mesh {

class Owner {
 public:
  explicit Owner(Bus& bus) : bus_(bus) {}

  void on_ask(const PeerId& from, const Ask& ask, TimePoint now);
  // An answer to an Ask that we relayed. False: not ours.
  bool on_relayed_answer(const PeerId& from, std::uint64_t id, const Message& answer, TimePoint now);
  void on_put(const PeerId& from, const Put& put, TimePoint now);
  void on_renew(const PeerId& from, const Renew& renew, TimePoint now);
  void on_release(const PeerId& from, const Release& release, TimePoint now);
  void on_hold(const PeerId& from, const Hold& hold, TimePoint now);
  void on_shadow(const PeerId& from, const Shadow& shadow, TimePoint now);
  // fetched_here: the asker was told that this node is the one that fetches.
  void on_peek(const PeerId& from, const Peek& peek, bool fetched_here, TimePoint now);
  void on_found(const PeerId& from, const Found& found, TimePoint now);
  void on_who_has(const PeerId& from, const WhoHas& question, TimePoint now);
  void on_have(const PeerId& from, const Have& have, TimePoint now);
  // The ranks of a partition changed, already in the bus: who comes up hears of the leases that were given here.
  void on_change(const Ranks::Change& change, TimePoint now);
  // To somebody who comes to own the partition: who is fetching what just now, so that nobody fetches it again.
  void tell_leases(const PeerId& to, std::uint8_t partition, TimePoint now);
  // A part of the partition's copy has come, or its end.
  void on_copied(std::uint8_t partition, TimePoint now);
  void on_disconnected(const PeerId& peer, TimePoint now);
  void tick(TimePoint now);
  TimePoint next_deadline();

  std::size_t flights() const { return flights_.size(); }
  // Known but lost keys that everybody was asked for.
  std::uint64_t asked_everybody() const { return asked_everybody_; }

 private:
  struct Waiter {
    PeerId reply_to = nobody();
    PeerId asker = nobody();  // another one than reply_to if that relayed
    std::uint64_t ask = 0;
    TokenTag tag{};
    Version have{};
  };
  enum class Stage : std::uint8_t { Peeking, AskingAll, Leased };
  struct Flight {
    Stage stage = Stage::Peeking;
    std::uint64_t lease = 0;
    Waiter holder;
    bool shadow = false;            // granted by another owner
    PeerId shadowed_by = nobody();  // to whom the holder holds it as well
    bool asked_all = false;
    bool awaits_copy = false;
    bool queued = false;  // its holder waits for its turn
    bool heard = false;   // its holder spoke to us
    TimePoint granted{};
    TimePoint deadline{};
    TimePoint look = TimePoint::max();  // when all are asked about a lease that another gave
    TimePoint next_beat{};
    std::uint64_t peek = 0;
    std::vector<PeerId> open;  // who was asked by that peek and may still answer
    std::deque<Waiter> waiters;
  };
  struct Relay {
    PeerId from = nobody();
    PeerId to = nobody();
    Ask ask;
    TimePoint until{};
  };

  static std::uint32_t ms(Duration duration);  // as messages carry it

  bool answer_if_fresh(const Waiter& waiter, const LookupKey& key, TimePoint now);
  bool relay(const PeerId& from, const Ask& ask, TimePoint now);
  void decide_here(std::uint64_t relayed, TimePoint now);
  void relays_disconnected(const PeerId& peer, TimePoint now);
  void tick_relays(TimePoint now);
  void start(const LookupKey& key, const Waiter& waiter, TimePoint now);
  void join(Flight& flight, const LookupKey& key, const Waiter& waiter, TimePoint now);
  void peek_at(const PeerId& peer, Flight& flight, const LookupKey& key, TimePoint now);
  void peek_others(Flight& flight, const LookupKey& key, TimePoint now);
  Wait wait_of(const Flight& flight, const Waiter& waiter, Duration next) const;
  void tell_to_wait(const Flight& flight, Duration next);
  void look_soon(Flight& flight, const LookupKey& key, TimePoint now);
  void look_again(Flight& flight, const LookupKey& key, TimePoint now);
  void begin_peek(Flight& flight, TimePoint now);
  void peek_everybody(Flight& flight, const LookupKey& key, TimePoint now);
  // A fleet's first seconds: members own keys as they come.
  bool meeting(TimePoint now) const { return now < bus_.met_by; }
  void ask_everybody(Flight& flight, const LookupKey& key, TimePoint now);
  bool others_may_hold(const LookupKey& key) const;
  bool await_copy(Flight& flight, const LookupKey& key, TimePoint now);
  void nothing_found(Flight& flight, const LookupKey& key, TimePoint now);
  // They have all answered, or will not.
  void end_peek(const LookupKey& key, TimePoint now);
  void grant(Flight& flight, const LookupKey& key, TimePoint now);
  void send_lease(Flight& flight, const LookupKey& key, TimePoint now);
  void keep_shadow(const Flight& flight, const LookupKey& key, TimePoint now);
  void send_shadow(const PeerId& to, const Flight& flight, const LookupKey& key, TimePoint now);
  // Serves whom it can and gives the lease to the next.
  void settle(const LookupKey& key, TimePoint now);
  void look_at(const LookupKey& key, TimePoint now);
  void learned(const LookupKey& key, bool is_new, TimePoint now);
  void send_ledgers(TimePoint now);
  void forward_result(const PeerId& from, const LookupKey& key, Message message, TimePoint now);

  Bus& bus_;
  std::unordered_map<LookupKey, Flight, KeyHash> flights_;
  Timers<LookupKey> timers_;
  std::unordered_map<std::uint64_t, Relay> relays_;
  Timers<std::uint64_t> relay_timers_;
  struct Forward {
    PeerId asker = nobody();
    PeerId to = nobody();
    TimePoint until{};
  };
  std::unordered_map<LookupKey, Forward, KeyHash> forwards_;
  std::unordered_map<LookupKey, TimePoint, KeyHash> passes_;
  std::unordered_map<PeerId, std::vector<LookupKey>> ledgers_;
  TimePoint ledgers_due_ = TimePoint::max();
  std::uint64_t asked_everybody_ = 0;
};

}  // namespace ghmesh::mesh
