// SPDX-License-Identifier: Apache-2.0
#pragma once

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
// crowd. One thread. A ticket is the caller's; it is either released, refused, or cancelled, exactly once.

namespace ghmesh::github {

struct PacingOptions {
  std::size_t max_in_flight = 60;  // of GitHub's 100 per token, shared with what bypasses us
  double per_second = 12;          // of 900 points a minute per endpoint
  // What may go at once after a quiet time: with 12 a second behind it the worst minute stays at 880 of 900 points, and
  // a job that asks its hundred questions does not wait for them.
  double burst = 160;
  std::size_t writes_per_minute = 72;                  // of 80 content-creating requests a minute
  Duration max_queue = std::chrono::seconds(30);       // --max-queue
  Duration first_back_off = std::chrono::seconds(60);  // secondary limit without Retry-After
  Duration max_back_off = std::chrono::minutes(30);
  double jitter = 0.1;             // of a back-off, on top of it
  std::size_t max_waiting = 4096;  // per token; more are refused at once
  std::size_t max_tokens = 4096;
};

using Ticket = std::uint64_t;

struct PacedRequest {
  Partition token{};
  std::string resource = "core";
  std::uint64_t client = 0;  // who shares fairly: a connection, a process
  bool is_write = false;     // creates content
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
  struct Token {
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
  void refuse_hopeless(Token& token, TimePoint now, Turn& out);
  std::optional<TimePoint> release(Token& token, TimePoint now, Turn& out);
  bool release_one(Token& token, TimePoint now, Turn& out);
  Duration with_jitter(Duration by);
  Token* find(const Partition& token);
  const Token* find(const Partition& token) const;
  void forget_idle(TimePoint now);

  Random& random_;
  PacingOptions options_;
  std::map<Partition, Token> tokens_;
  std::size_t waiting_ = 0;
};

}  // namespace ghmesh::github
