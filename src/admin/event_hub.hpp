// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "admin/limits.hpp"
#include "base/metrics.hpp"
#include "io/loop.hpp"
#include "io/sync.hpp"

// What happens at the node, as it happens: the source of /api/events (doc/formats/events.md). Two rings keep what a
// listener may have missed: rare events always, one event a request only while somebody listens and for a moment after.
// Listeners have no queue of their own, only a place in the rings: a slow one misses events and is told how many. With
// nobody listening nothing is formatted. Loop thread.

namespace ghmesh::admin {

enum class EventKind : std::uint8_t { Stats, Request, Peer, Breaker, Store, Quota };
inline constexpr std::size_t kEventKinds = 6;
std::string_view to_string(EventKind kind);
std::optional<EventKind> parse_event_kind(std::string_view text);

// One request, for an event.
struct RequestEvent {
  std::string_view answer;  // kinds and classes as /metrics names them
  std::string_view cls;
  std::string_view method;
  std::string_view path;  // shown to loopback only
  int status = 0;
  int upstream_status = 0;  // 0: none
  std::uint32_t upstream_calls = 0;
  std::uint32_t charged = 0;
  double seconds = 0;
};

class EventHub {
 public:
  struct Hooks {
    // The statistics as one line of JSON; asked for once a second while somebody listens.
    std::function<std::string()> stats;
    // Whether requests should be handed to on_request().
    std::function<void(bool)> watch;
  };
  // boot tells this run of the node from others, so that no id of another run is taken for one of this.
  EventHub(io::Loop& loop, std::string boot, Hooks hooks, metrics::Registry& registry, const Limits& limits = {});

  // A rare event: members is the inside of a JSON object ("\"peer\":\"…\"").
  void publish(EventKind kind, std::string members);
  // One request. make gives its RequestEvent, and is called only if this one is told: nearly no hit of a busy node is.
  template <typename Make>
  void on_request(std::uint32_t upstream_calls, Make make) {
    // Answers that cost nothing are many; they must not push out the few that did.
    unsigned& left = upstream_calls == 0 ? hits_left_ : others_left_;
    if (left == 0) {
      ++skipped_;
      return;
    }
    --left;
    tell(make());
  }
  // Ends all streams; there are no new ones.
  void close();

  // One reader of the stream. Counted as long as it lives; must not outlive the hub.
  class Listener {
   public:
    Listener(EventHub& hub, std::string_view last_event_id, std::array<bool, kEventKinds> wanted, bool shows_paths);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // What is new, as text/event-stream, at most about limits.event_batch octets; empty if there is nothing.
    std::string take();
    // Until there may be something, or until then (false).
    auto wait_until(TimePoint until) {
      hub_.changed_.reset();
      return hub_.changed_.wait_until(until);
    }
    bool closed() const { return hub_.closed_; }

   private:
    EventHub& hub_;
    std::array<bool, kEventKinds> wanted_;
    bool shows_paths_;
    bool greeted_ = false;
    bool resumed_ = false;
    std::uint64_t at_rare_ = 0;  // the last ids seen
    std::uint64_t at_requests_ = 0;
    std::uint64_t missed_ = 0;
    std::uint64_t seen_stats_ = 0;
  };
  std::size_t listeners() const { return listeners_; }
  bool full() const { return listeners_ >= limits_.listeners; }
  // A listener was cut because it took nothing.
  void count_dropped() { dropped_.add(); }

 private:
  struct Stored {
    std::uint64_t id = 0;
    EventKind kind{};
    std::string members;
    std::string path;  // a JSON string, or empty
  };
  struct Ring {
    std::deque<Stored> events;
    std::size_t bytes = 0;
    std::uint64_t lost = 0;  // the id of the newest event that was pushed out
  };

  void tell(const RequestEvent& request);
  void store(Ring& ring, std::size_t max_events, std::size_t max_bytes, Stored event);
  void tick();
  std::string at() const;
  static const Stored* next(const Ring& ring, std::uint64_t after);

  io::Loop& loop_;
  const std::string boot_;
  const Hooks hooks_;
  const Limits limits_;
  metrics::Counter& dropped_;
  io::Event changed_;
  io::Timer tick_;
  Ring rare_;
  Ring requests_;
  std::uint64_t last_id_ = 0;
  std::string stats_;
  std::uint64_t stats_number_ = 0;
  std::size_t listeners_ = 0;
  bool watching_ = false;
  TimePoint watch_until_{};
  unsigned hits_left_ = 0;
  unsigned others_left_ = 0;
  std::uint64_t skipped_ = 0;
  bool closed_ = false;
};

}  // namespace ghmesh::admin
