// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "github/key.hpp"
#include "github/quota.hpp"

// When a request may go to GitHub (proof.md, Pacing): per token at most 60 in flight and 12 a second, back-off after
// limits, writes before their quota is gone, and fairness between the clients that wait. A pure scheduler: requests
// come in with a ticket, the caller asks at now which tickets may go, and when to ask again. The queue stands outside
// of the throttle: whoever waits out a back-off is released one by one at the token's pace, with jitter, never as a
// crowd. A token that others draw on as well (requests marked shared, while there are others) goes at its keeper's
// word: grant() says how far, demand() is what the keeper has to know. Who hears no word goes all the same, at a pace
// that all members together could keep. One thread. A ticket is the caller's; it is either released, refused, or
// cancelled, exactly once.

namespace ghmesh::github {

struct PacingOptions {
  std::size_t max_in_flight = 60;  // of GitHub's 100 per token, shared with what bypasses us
  double per_second = 12;          // of 900 points a minute per endpoint
  // What may go at once after a quiet time: with 12 a second behind it the worst minute stays at 880 of 900 points, and
  // a job that asks its hundred questions does not wait for them.
  double burst = 160;
  // Of 80 content-creating requests a minute; with the burst, 80 in the worst one.
  std::size_t writes_per_minute = 72;
  double writes_burst = 8;
  Duration max_queue = std::chrono::seconds(30);       // --max-queue
  Duration first_back_off = std::chrono::seconds(60);  // secondary limit without Retry-After
  Duration max_back_off = std::chrono::minutes(30);
  double jitter = 0.1;                                    // of a back-off, on top of it
  Duration max_primary_jitter = std::chrono::seconds(2);  // after a reset
  std::size_t max_waiting = 4096;                         // per token; more are refused at once
  std::size_t max_tokens = 4096;
  // A shared token that rested so long sends one without asking: a quiet member waits for nobody. A keeper that lets
  // nothing go for so long is not waited for.
  Duration free_every = std::chrono::seconds(5);
  // More than these nodes ask first, also when the keeper does not answer: all that do not could be in flight at once,
  // besides max_in_flight, of GitHub's 100.
  std::size_t free_nodes = 30;
};

using Ticket = std::uint64_t;

struct PacedRequest {
  Partition token{};
  std::string resource = "core";
  std::uint64_t client = 0;  // who shares fairly: a connection, a process
  bool is_write = false;     // creates content
  bool shared = false;       // other nodes may draw on this token, too
  // When its client asked, if that was before: what it waited for others counts.
  TimePoint since = TimePoint::max();
};

// What one token's requests did so far and what waits here.
struct Demand {
  std::uint64_t sent = 0, sent_writes = 0;      // since the token was first seen; writes are requests as well
  std::uint32_t recent = 0, recent_writes = 0;  // of those, in the time in which a spent burst comes back
  std::uint32_t in_flight = 0;
  std::uint32_t waiting = 0, waiting_writes = 0;
  std::uint32_t drawing = 1;  // nodes that share its pace, as the keeper said
};

enum class Refusal : std::uint8_t { TooLong, QueueFull };

struct Refused {
  Ticket ticket = 0;
  Refusal why = Refusal::TooLong;
  LimitKind limit = LimitKind::None;  // what it would have waited for
  Duration retry_after{};
};

class Pacer {
 public:
  explicit Pacer(Random& random, PacingOptions options = {}) : random_(random), options_(options) {}

  void enqueue(Ticket ticket, PacedRequest request, TimePoint now);
  void cancel(Ticket ticket);  // its client went away; not after release

  struct Turn {
    std::vector<Ticket> released;
    std::vector<Refused> refused;
    std::optional<TimePoint> ask_again;  // nothing: ask after the next enqueue or done
  };
  Turn turn(TimePoint now);

  // A released request has been answered (or failed). verdict as classify_limit reads it.
  void done(const Partition& token, std::string_view resource, const LimitVerdict& verdict, TimePoint now);
  // The ledger shows that nothing is left until then.
  void hold_until(const Partition& token, std::string_view resource, TimePoint until);

  // How many others may draw on shared tokens; 0: each token is this node's alone.
  void set_others(std::size_t others) { others_ = others; }
  // A keeper's word: sent and sent_writes of the token may go up to these; drawing nodes share its pace now.
  void grant(const Partition& token, std::uint64_t may_send, std::uint64_t may_write, std::size_t drawing,
             TimePoint now);
  // The keeper does not answer: until its next word the token goes at a pace that all members together could keep.
  void unheard(const Partition& token);
  Demand demand(const Partition& token, TimePoint now) const;
  // Shared tokens whose demand has changed since the last call.
  std::vector<Partition> take_changed(TimePoint now);

  std::size_t waiting() const { return waiting_; }
  std::size_t in_flight(const Partition& token) const;
  // When this token's resource is next open; in the past or nothing if it is open.
  std::optional<TimePoint> closed_until(const Partition& token, std::string_view resource) const;

 private:
  struct Waiting {
    Ticket ticket;
    PacedRequest request;
    TimePoint since;
  };
  struct Closed {
    TimePoint until{};
    LimitKind kind = LimitKind::None;
  };
  // A count, and how much of it is of the last seconds.
  struct Sent {
    std::uint64_t all = 0;
    std::array<std::uint16_t, 16> slots{};
    std::int64_t second = 0;

    void add(TimePoint now);
    std::uint32_t recent(TimePoint now) const;
  };
  struct Token {
    bool shared = false;
    bool changed = false;
    Sent sent, sent_writes;
    std::uint64_t may_send = 0, may_write = 0;
    std::size_t drawing = 1;
    bool unheard = false;
    std::uint32_t told_waiting = 0;  // what of the queue the keeper knows of
    TimePoint granted{};             // last let go by the keeper
    TimePoint sent_at = TimePoint::min();
    TimePoint waits_since{};

    std::size_t in_flight = 0;
    double allowance = 0;
    TimePoint refilled{};
    TimePoint next_release{};
    double write_allowance = 0;
    Closed all;                                         // secondary limits bind everything of a token
    std::map<std::string, Closed, std::less<>> closed;  // primary ones a resource
    Duration back_off{};
    std::map<std::uint64_t, std::deque<Waiting>> clients;
    std::uint64_t last_client = 0;
    std::size_t waiting = 0;
    bool recovering = false;
  };

  Closed closed_for(const Token& token, const PacedRequest& request, TimePoint now) const;
  void refill(Token& token, TimePoint now) const;
  bool is_led(const Token& token) const { return token.shared && others_ > 0; }
  // When one may go without the keeper's word.
  TimePoint free_at(const Token& token, TimePoint now) const;
  bool others_let(const Token& token, bool is_write, TimePoint now) const;
  void note_change(const Partition& partition, Token& token);
  void refuse_hopeless(Token& token, TimePoint now, Turn& out);
  std::optional<TimePoint> release(Token& token, TimePoint now, Turn& out);
  std::optional<TimePoint> next_release(const Token& token, TimePoint now) const;
  bool release_one(Token& token, TimePoint now, Turn& out);
  Duration with_jitter(Duration by);
  Token* find(const Partition& token);
  const Token* find(const Partition& token) const;
  void forget_idle(TimePoint now);

  Random& random_;
  PacingOptions options_;
  std::map<Partition, Token> tokens_;
  std::size_t waiting_ = 0;
  std::size_t others_ = 0;
  std::vector<Partition> changed_;
};

}  // namespace ghmesh::github
