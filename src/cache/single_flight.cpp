// SPDX-License-Identifier: Apache-2.0
#include "cache/single_flight.hpp"

#include <algorithm>

namespace ghmesh::cache {

// ---- Lead

SingleFlight::Lead& SingleFlight::Lead::operator=(Lead&& other) noexcept {
  if (this == &other) return *this;
  fail();
  flight_ = std::move(other.flight_);
  return *this;
}

SingleFlight::Lead::~Lead() { fail(); }

bool SingleFlight::Lead::tainted() const { return flight_ && flight_->tainted; }

void SingleFlight::Lead::finish() {
  if (const auto flight = std::move(flight_)) flight->table->land_all(flight, Landing::Done);
}

void SingleFlight::Lead::release() {
  if (const auto flight = std::move(flight_)) flight->table->land_all(flight, Landing::Alone);
}

void SingleFlight::Lead::fail() {
  if (const auto flight = std::move(flight_)) flight->table->hand_over(flight);
}

// ---- Follow

void SingleFlight::Follow::leave() {
  if (flight_ != nullptr && linked()) --flight_->size;
  flight_ = nullptr;
  unlink();
}

// ---- the table

SingleFlight::Joined SingleFlight::join(std::string_view key, const TimePoint& now, Follow& follow,
                                        OnLanding on_landing) {
  const auto found = flights_.find(std::string(key));
  if (found == flights_.end()) {
    auto flight = std::make_shared<Flight>();
    flight->table = this;
    flight->key = key;
    flights_.emplace(flight->key, flight);
    return {Role::Leader, Lead(std::move(flight))};
  }
  Flight& flight = *found->second;
  if (flight.size >= Limits::kFollowers) return {Role::Alone, Lead()};
  follow.leave();
  follow.flight_ = &flight;
  follow.deadline_ = now + Limits::kFollowerWait;
  follow.on_landing_ = std::move(on_landing);
  flight.followers.push_back(follow);
  ++flight.size;
  return {Role::Follower, Lead()};
}

void SingleFlight::taint(std::string_view key) {
  const auto found = flights_.find(std::string(key));
  if (found == flights_.end()) return;
  auto flight = std::move(found->second);
  flights_.erase(found);
  // It stays listed, under a name that nobody asks for, so that its followers' waits end in time.
  flight->tainted = true;
  flight->key.append(1, '\0').append(std::to_string(++taints_));
  flights_.emplace(flight->key, std::move(flight));
}

TimePoint SingleFlight::expire(const TimePoint& now) {
  IntrusiveList<Follow> expired;
  TimePoint next = TimePoint::max();
  for (auto& [key, flight] : flights_) {
    // All wait equally long, so the first in the queue is the first whose wait ends.
    while (!flight->followers.empty()) {
      Follow& first = flight->followers.front();
      if (first.deadline_ > now) {
        next = std::min(next, first.deadline_);
        break;
      }
      first.leave();
      expired.push_back(first);
    }
  }
  while (!expired.empty()) land(expired.front(), Landing::Alone, Lead());
  return next;
}

std::size_t SingleFlight::followers() const {
  std::size_t count = 0;
  for (const auto& [key, flight] : flights_) count += flight->size;
  return count;
}

// The callback may destroy its own Follow, so it is moved out before it is called.
void SingleFlight::land(Follow& follow, Landing landing, Lead lead) {
  follow.leave();
  const OnLanding on_landing = std::move(follow.on_landing_);
  on_landing(landing, std::move(lead));
}

void SingleFlight::land_all(const std::shared_ptr<Flight>& flight, Landing landing) {
  flights_.erase(flight->key);
  while (!flight->followers.empty()) land(flight->followers.front(), landing, Lead());
}

void SingleFlight::hand_over(const std::shared_ptr<Flight>& flight) {
  if (flight->followers.empty()) {
    flights_.erase(flight->key);
    return;
  }
  // The next leader asks now, after whatever write spoiled the last one's answer.
  flight->tainted = false;
  land(flight->followers.front(), Landing::Lead, Lead(flight));
}

}  // namespace ghmesh::cache
