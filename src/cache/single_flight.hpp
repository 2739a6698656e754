// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/intrusive_list.hpp"
#include "cache/limits.hpp"

// One upstream request per key and credential at a time: the first request leads, those that come while it is out
// follow and find its answer in the store. A leader that fails hands over to the next follower, one at a time; a leader
// that hangs loses its followers one by one as their wait ends. No IO, no timers: time comes in, who waits is called.
//
// One thread. The table outlives every Lead and Follow. Callbacks may use the table, except from within its destructor.

namespace ghmesh::cache {

enum class Landing {
  Done,   // the leader's answer is stored: look it up again
  Lead,   // the leader failed: this follower leads now, the Lead comes along
  Alone,  // fetch without the table: waited long enough, or the answer is not one to share
};

class SingleFlight {
  struct Flight;

 public:
  // The leader's duty. Destroyed without a word it counts as failed.
  class Lead {
   public:
    Lead() = default;
    Lead(Lead&& other) noexcept = default;
    Lead& operator=(Lead&& other) noexcept;
    ~Lead();

    explicit operator bool() const { return flight_ != nullptr; }
    // Whether a write has gone by since the flight began: its answer may be older than that write and must not be
    // stored.
    bool tainted() const;
    // The answer is stored: followers get Done.
    void finish();
    // The answer came but cannot be shared: followers get Alone.
    void release();
    // No answer: the next follower gets Lead.
    void fail();

   private:
    friend class SingleFlight;
    explicit Lead(std::shared_ptr<Flight> flight) : flight_(std::move(flight)) {}

    std::shared_ptr<Flight> flight_;
  };

  using OnLanding = std::function<void(Landing, Lead)>;

  // A place in the queue; destroying it leaves the queue, and nobody is called.
  class Follow : public ListNode {
   public:
    Follow() = default;
    ~Follow() { leave(); }
    bool waiting() const { return linked(); }

   private:
    friend class SingleFlight;
    void leave();

    Flight* flight_ = nullptr;
    TimePoint deadline_{};
    OnLanding on_landing_;
  };

  enum class Role { Leader, Follower, Alone };
  struct Joined {
    Role role = Role::Alone;
    Lead lead;  // of Leader
  };

  SingleFlight() = default;
  SingleFlight(const SingleFlight&) = delete;
  SingleFlight& operator=(const SingleFlight&) = delete;

  // key holds whatever must not be mixed: the cache key and the partition. As Follower, follow is queued and on_landing
  // is called once, later, from finish, release, fail or expire. Alone: the queue is full.
  Joined join(std::string_view key, const TimePoint& now, Follow& follow, OnLanding on_landing);

  // A write to key went by: who comes from now on must not get the answer of a flight that began before.
  void taint(std::string_view key);

  // Releases the followers whose wait ended; returns when to call again, TimePoint::max() for no one waits.
  TimePoint expire(const TimePoint& now);

  std::size_t flights() const { return flights_.size(); }
  std::size_t followers() const;

 private:
  struct Flight {
    SingleFlight* table = nullptr;
    std::string key;  // under which it is listed
    bool tainted = false;
    std::size_t size = 0;
    IntrusiveList<Follow> followers;
  };

  static void land(Follow& follow, Landing landing, Lead lead);
  void land_all(const std::shared_ptr<Flight>& flight, Landing landing);
  void hand_over(const std::shared_ptr<Flight>& flight);

  std::unordered_map<std::string, std::shared_ptr<Flight>> flights_;
  std::uint64_t taints_ = 0;
};

}  // namespace ghmesh::cache
