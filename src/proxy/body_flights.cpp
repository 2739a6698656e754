// SPDX-License-Identifier: Apache-2.0
#include "proxy/body_flights.hpp"

#include <algorithm>
#include <utility>

namespace ghmesh::proxy {

BodyFlights::Turn::Turn(Turn&& other) noexcept
    : table_(std::exchange(other.table_, nullptr)),
      flight_(std::move(other.flight_)),
      key_(other.key_),
      learning_(other.learning_) {}

BodyFlights::Turn& BodyFlights::Turn::operator=(Turn&& other) noexcept {
  if (this == &other) return *this;
  land(false);
  table_ = std::exchange(other.table_, nullptr);
  flight_ = std::move(other.flight_);
  key_ = other.key_;
  learning_ = other.learning_;
  return *this;
}

void BodyFlights::Turn::land(Waited outcome) {
  BodyFlights* const table = std::exchange(table_, nullptr);
  if (table == nullptr) return;
  if (flight_) {
    flight_->outcome = outcome;
    flight_->landed.set();
    table->flights_.erase(key_);
    flight_.reset();
  }
  if (!learning_) return;
  --table->teaching_;
  table->quiet_since_ = table->loop_.now();
  table->learning_moved_.set();
  table->learning_moved_.reset();
}

BodyFlights::Turn BodyFlights::try_take(const store::Key& key, bool held, std::size_t missing) {
  Turn turn;
  if (missing > 0 && held) {
    if (!may_learn(missing)) return turn;
  } else {
    if (flights_.contains(key)) return turn;
    turn.flight_ = std::make_shared<Flight>(loop_);
    turn.key_ = key;
    flights_.emplace(key, turn.flight_);
  }
  turn.table_ = this;
  turn.learning_ = missing > 0;
  if (turn.learning_) ++teaching_;
  return turn;
}

bool BodyFlights::may_learn(std::size_t missing) {
  if (learners_ == 0) {
    batch_ = 1;
    allowance_ = 0;
    // Nobody else waits, so there is no crowd to spare the charge.
    if (teaching_ == 0) return true;
  }
  if (teaching_ == 0 && allowance_ == 0 && loop_.now() >= quiet_since_ + kGrace) {
    allowance_ = batch_;
    batch_ = std::min(batch_ * 2, kMaxBatch);
  }
  if (allowance_ == 0 || teaching_ >= missing) return false;
  --allowance_;
  return true;
}

io::Task<BodyFlights::Waited> BodyFlights::wait(store::Key key, std::size_t missing, TimePoint deadline) {
  struct Counted {
    explicit Counted(std::size_t& c) : count(c) { ++count; }
    ~Counted() { --count; }
    std::size_t& count;
  };
  if (loop_.now() >= deadline) co_return Waited::Late;
  const Counted here(waiting_);
  const auto found = flights_.find(key);
  const std::shared_ptr<Flight> flight = found == flights_.end() ? nullptr : found->second;
  if (missing == 0) {
    if (!flight) co_return Waited::Look;
    if (!co_await flight->landed.wait_until(deadline)) co_return Waited::Late;
    co_return flight->outcome;
  }
  const Counted learner(learners_);
  const bool stalls = teaching_ == 0 && allowance_ == 0;
  const TimePoint until = stalls ? std::min(deadline, std::max(quiet_since_ + kGrace, loop_.now())) : deadline;
  static_cast<void>(co_await learning_moved_.wait_until(until));
  if (flight && flight->landed.is_set()) co_return flight->outcome;
  co_return loop_.now() >= deadline ? Waited::Late : Waited::Look;
}

}  // namespace ghmesh::proxy
