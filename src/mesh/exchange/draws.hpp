// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bus.hpp"

// How members share what one bucket (a token's or a repository's, as a keyed hash) lets them ask of GitHub. The keeper
// of a bucket is whoever is first in rank for it: everybody computes who that is. Members tell it what they sent and
// what waits with them; it lets requests go, one member after the other, at the pace of the whole bucket, and passes on
// what each saw of the limits. What it says are counts up to which a member may go, so that a lost or repeated message
// does no harm. A new keeper learns from what members sent lately; whoever hears nothing goes on at a pace of its own
// (the caller's), and turns to the next in rank. That one stands in for a keeper that is as silent to itself, and for
// no other: two would let twice as much go. Nothing is granted twice: what a member sent without leave is taken off.
// Private to the room; one thread.

namespace ghmesh::mesh {

// A bucket's keeper did not answer in time, or is gone; the next Drawn ends it.
struct Unheard {
  TokenTag bucket{};
};

class Draws {
 public:
  Draws(Bus& bus, const DrawLimits& limits) : bus_(bus), limits_(limits) {}

  // ---- as a member
  // What this node did and wants; to the bucket's keeper. Its rates are of this node.
  void draw(Draw own, TimePoint now);
  // Nobody keeps it while no member is old enough to own anything.
  bool is_kept(const TokenTag& bucket) const { return !row_of(bucket).empty(); }
  void on_drawn(const PeerId& from, const Drawn& drawn, TimePoint now);
  void on_disconnected(const PeerId& peer);
  std::vector<Drawn> take_news() { return std::exchange(news_, {}); }
  // Buckets whose keeper left a question without any answer.
  std::vector<Unheard> take_unheard() { return std::exchange(unheard_, {}); }

  // ---- as a keeper
  void on_draw(const PeerId& from, const Draw& draw, TimePoint now);
  void on_gone(const PeerId& peer, TimePoint now);

  // Who is first in rank may have changed.
  void on_ranks(TimePoint now) { due_ = std::min(due_, now); }
  void tick(TimePoint now);
  TimePoint next_deadline() const { return due_; }
  std::size_t kept() const { return buckets_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const TokenTag& tag) const { return load_le<std::uint64_t>(tag.data()); }
  };
  struct Own {
    Draw draw;
    PeerId told_to = nobody();
    TimePoint told{};
    TimePoint touched{};
    std::optional<TimePoint> unanswered;  // since when the keeper has said nothing
    bool reported = false;                // and the caller knows
    std::uint64_t heard = 0;              // of its readings
    std::vector<PeerId> passed_over;      // in rank for it, and left it without an answer
    TimePoint tried{};                    // those again
  };
  // A bucket of which another one is the keeper by rank, and which a member brings here all the same.
  struct Deputy {
    enum class State : std::uint8_t {
      Asking,     // those before this node in rank are asked whether they live
      Refused,    // one of them answers
      StandingIn  // none does
    };
    State state = State::Asking;
    TimePoint until{};
    std::vector<PeerId> asked;       // those
    std::map<PeerId, Draw> waiting;  // what members said meanwhile
  };
  // One kind of thing that is let go: requests, or writes besides.
  struct Count {
    std::uint64_t sent = 0;
    std::uint64_t granted = 0;
    std::uint32_t waiting = 0;

    std::uint64_t outstanding() const { return granted - sent; }
    bool wants() const { return waiting > outstanding(); }
  };
  struct Rate {
    RateRow row;
    TimePoint observed{};
    std::uint64_t version = 0;
  };
  // What was let go and may be in flight yet: of one to two lives of a request, so that whoever claims to hold its
  // places for ever is not believed.
  struct Lent {
    std::uint64_t young = 0, old = 0;
    TimePoint turned{};

    void age(TimePoint now);
    std::uint64_t all() const { return young + old; }
  };
  struct Account {
    Count requests, writes;
    std::uint32_t in_flight = 0;
    Lent lent;
    TimePoint heard{};
    TimePoint drew{};  // last sent something
    TimePoint told{};
    // Up to where it was told the readings: now, at one of the last times, and so long before that one that it must
    // have come.
    std::uint64_t told_version = 0, told_before = 0, settled = 0;
    TimePoint settled_at{};
    bool answer = false;  // waits for a word
    std::map<std::uint8_t, Rate> rates;

    bool is_open() const { return requests.waiting > 0 || in_flight > 0; }
    bool draws(TimePoint now) const;
    bool wants() const;
    // Those that it holds of the places in flight, or may take. A keeper believes all of what it let go itself, and of
    // what went without leave a share.
    std::uint64_t places(std::uint64_t share) const;
    // Died, or fell silent: what it saw and spent stays true; what it was about to do is over.
    void end();
  };
  struct Level {
    double value = 0;
    void refill(double per_second, double burst, Duration elapsed);
  };
  struct Bucket {
    Level requests, writes;
    TimePoint refilled{};
    std::map<PeerId, Account> accounts;
    PeerId last = nobody();  // whose turn it was
    std::uint64_t version = 0;
    TimePoint guessed_until{};  // what members sent before is in the levels
    std::size_t guessed = 0;    // members that drew before, heard of or not
  };

  const Ranks::Row& row_of(const TokenTag& bucket) const;
  std::optional<PeerId> keeper(const TokenTag& bucket, const Own& own) const;
  Duration silence() const;
  // Whoever is next in rank is the keeper from now on, as far as this member can know.
  void pass_over(const TokenTag& bucket, Own& own, TimePoint now);
  void try_again(const TokenTag& bucket, Own& own, TimePoint now);
  bool keeps(const TokenTag& bucket, TimePoint now) const;
  void stand_in(const PeerId& from, const Draw& draw, TimePoint now);
  void note_answer(const PeerId& from, const TokenTag& bucket, TimePoint now);
  void tick_deputies(TimePoint now);
  void tick_own(TimePoint now);
  void send(const TokenTag& bucket, Own& own, TimePoint now);
  void report(const TokenTag& bucket, Own& own);
  Bucket* slot(const TokenTag& bucket, TimePoint now);
  std::size_t most_accounts() const;
  void make_room(Bucket& bucket, TimePoint now) const;
  void take(Level& level, Count& count, std::uint64_t sent, std::uint32_t recent, bool anew, double allowed,
            double burst) const;
  void note_rates(Bucket& bucket, const PeerId& from, Account& account, const Draw& draw, TimePoint now) const;
  std::size_t drawing(const Bucket& bucket, TimePoint now) const;
  // Lets go what may go, and says so.
  void serve(const TokenTag& tag, Bucket& bucket, TimePoint now);
  std::uint64_t share_in_flight(std::size_t drawing) const;
  std::size_t room_in_flight(const Bucket& bucket, std::uint64_t share, TimePoint now) const;
  void tell(const TokenTag& tag, Bucket& bucket, const PeerId& peer, Account& account, TimePoint now);
  Duration push_every(const Bucket& bucket) const;

  Bus& bus_;
  const DrawLimits& limits_;
  std::unordered_map<TokenTag, Own, Hash> own_;
  std::unordered_map<TokenTag, Bucket, Hash> buckets_;
  std::unordered_map<TokenTag, Deputy, Hash> deputies_;
  std::vector<Drawn> news_;
  std::vector<Unheard> unheard_;
  TimePoint due_ = TimePoint::max();
};

}  // namespace ghmesh::mesh
