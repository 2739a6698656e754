// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>
#include <variant>

#include "bus.hpp"
#include "timers.hpp"

// The asking side: what a request that misses here does. Rank 1 first, rank 2 when there is no first answer in 15 ms,
// and alone when the mesh would add more than 50 ms. Private to the room; one thread.

namespace ghmesh::mesh {

using FindId = std::uint64_t;

struct FindResult {
  enum class Kind : std::uint8_t {
    Fresh,      // item may be served as it is, once its seal is verified
    Candidate,  // confirmed just now for another token: prove it with your own, then renew or put
    Lease,      // fetch it for everybody: item, if any, is the newest version known
    Alone,      // no help: fetch it, then put or renew if it may be shared
  };
  FindId find = 0;
  Kind kind = Kind::Alone;
  ItemPtr item;       // null: the version that was named (same), or none is known
  bool same = false;  // the caller's own version is meant
  Freshness fresh;    // Fresh and Candidate
  PeerId from = nobody();
  bool share = true;  // false: others were told not to share this key
};

// Answers to one question that were not true, so far.
struct Disbelieved {
  std::vector<PeerId> from;     // who sent them; not asked again
  PeerId publisher = nobody();  // whom the last one names as its fetcher: asked first, since it has the true one
  Version version{};            // of the last one; goes from the shelf
};

class Finder {
 public:
  Finder(Bus& bus, std::function<void(const Shadow&, TimePoint)> shadow_here)
      : bus_(bus), shadow_here_(std::move(shadow_here)), next_id_(bus.random.next_u64()) {}

  FindId find(const LookupKey& key, const TokenTag& tag, const Version& have, const Disbelieved& disbelieved,
              TimePoint now);
  // The caller is no longer interested, or gives up its fetch.
  void abandon(FindId find, ReleaseOutcome outcome, TimePoint now);
  void put(FindId find, ItemPtr item, const Freshness& fresh, TimePoint now);
  void renew(FindId find, const Version& version, const Freshness& fresh, TimePoint now);
  // Its fetch waits for its turn at GitHub, or has got it.
  void queued(FindId find, bool waits, TimePoint now);

  // A member looks for something before it gives a lease. True: it is being fetched here by one, and the member is told
  // of that, and of the result as whoever gave the lease.
  bool on_peek(const PeerId& from, const Peek& peek, TimePoint now);

  // False: no search of ours.
  bool on_answer(const PeerId& from, std::uint64_t id, const Message& answer, TimePoint now);
  void on_disconnected(const PeerId& peer, TimePoint now);
  // Somebody came, or came back: that nobody answered before says nothing of it.
  void on_come() { unanswered_ = 0; }
  void tick(TimePoint now);
  TimePoint next_deadline();

  std::vector<FindResult> take_results() { return std::exchange(results_, {}); }
  std::size_t searches() const { return searches_.size(); }

 private:
  struct Grant {
    PeerId peer;
    std::uint64_t lease;
  };
  enum class Stage : std::uint8_t { Asking, Waiting, Fetching };
  struct Search {
    LookupKey key{};
    TokenTag tag{};
    Version have{};
    Stage stage = Stage::Asking;
    TimePoint began{};
    TimePoint patience_ends{};
    TimePoint next{};  // of whatever the stage waits for
    std::vector<PeerId> asked;
    std::vector<PeerId> disbelieved;
    PeerId current = nobody();
    bool hinted = false;
    bool share = true;
    bool extended = false;
    // Waiting:
    TimePoint wait_ends{};
    std::optional<TimePoint> second_opinion;  // when rank 2 is asked as well; once
    std::optional<PeerId> second;             // and it was
    std::vector<PeerId> told_to_wait;         // who said that somebody fetches it
    // Fetching:
    std::vector<Grant> grants;
    std::optional<PeerId> shadow;
    Version base{};
    TimePoint fetch_began{};  // or, while it is queued, its waiting
    bool queued = false;
  };

  void arm(FindId id, Search& search, TimePoint when);
  bool ask_next(FindId id, Search& search, TimePoint now);
  void ask(FindId id, Search& search, const PeerId& peer, TimePoint now);
  void on_wait(FindId id, Search& search, const PeerId& from, const Wait& wait, TimePoint now);
  static bool is_older_than(const Search& search, const Freshness& fresh, TimePoint now);
  void waited_for_nothing(Search& search, const PeerId& from, TimePoint now);
  void ask_second(FindId id, Search& search, TimePoint now);
  bool ask_anyone(FindId id, Search& search, const PeerId& first, TimePoint now);
  void extend(Search& search, TimePoint now);
  bool bypasses(const LookupKey& key, TimePoint now);
  Ask question(FindId id, const Search& search, std::uint8_t hop) const;
  void hold(FindId id, Search& search, TimePoint now);
  void go_alone(FindId id, Search& search, TimePoint now);
  bool may_go_alone(const Search& search, TimePoint now);
  void fetch(Search& search, TimePoint now);
  void finish(FindId id, FindResult result);
  bool on_lease(FindId id, Search& search, const PeerId& from, const Lease& lease, TimePoint now);
  std::vector<PeerId> targets(const Search& search, TimePoint now) const;
  std::uint64_t lease_for(const Search& search, const PeerId& peer) const;
  void look_at(FindId id, TimePoint now);

  Bus& bus_;
  std::function<void(const Shadow&, TimePoint)> shadow_here_;
  FindId next_id_;
  std::unordered_map<FindId, Search> searches_;
  Timers<FindId> timers_;
  std::vector<FindResult> results_;
  double alone_tokens_ = 0;
  std::optional<TimePoint> alone_filled_;
  TimePoint last_answer_{};
  // Searches in a row that nobody answered; above the bound the mesh is tried once a second only.
  unsigned unanswered_ = 0;
  TimePoint next_try_{};
};

}  // namespace ghmesh::mesh
