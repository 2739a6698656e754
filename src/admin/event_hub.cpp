// SPDX-License-Identifier: Apache-2.0
#include "admin/event_hub.hpp"

#include <algorithm>
#include <charconv>

#include "json_text.hpp"

namespace ghmesh::admin {
namespace {

constexpr std::array<std::string_view, kEventKinds> kNames{"stats", "request", "peer", "breaker", "store", "quota"};

// "boot-number", as it stands in id lines.
std::optional<std::uint64_t> number_of(std::string_view id, std::string_view boot) {
  if (!id.starts_with(boot) || id.size() <= boot.size() + 1 || id[boot.size()] != '-') return std::nullopt;
  id.remove_prefix(boot.size() + 1);
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), out);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return out;
}

}  // namespace

std::string_view to_string(EventKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<EventKind> parse_event_kind(std::string_view text) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames[i] == text) return static_cast<EventKind>(i);
  return std::nullopt;
}

EventHub::EventHub(io::Loop& loop, std::string boot, Hooks hooks, metrics::Registry& registry, const Limits& limits)
    : loop_(loop),
      boot_(std::move(boot)),
      hooks_(std::move(hooks)),
      limits_(limits),
      dropped_(registry.counter("ghmesh_event_listeners_dropped_total",
                                "Readers of /api/events that were cut because they took nothing.")),
      changed_(loop),
      tick_(loop, [this] { tick(); }) {
  registry.gauge_callback("ghmesh_event_listeners", "Open readers of /api/events.", {},
                          [this] { return static_cast<double>(listeners_); });
}

std::string EventHub::at() const {
  const auto since = loop_.wall_now().time_since_epoch();
  return "\"at\":" + std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

void EventHub::store(Ring& ring, std::size_t max_events, std::size_t max_bytes, Stored event) {
  event.id = ++last_id_;
  ring.bytes += event.members.size() + event.path.size();
  ring.events.push_back(std::move(event));
  while (ring.events.size() > max_events || ring.bytes > max_bytes) {
    const Stored& oldest = ring.events.front();
    ring.bytes -= oldest.members.size() + oldest.path.size();
    ring.lost = oldest.id;
    ring.events.pop_front();
  }
  changed_.set();
}

void EventHub::publish(EventKind kind, std::string members) {
  store(rare_, limits_.rare_events, limits_.rare_event_bytes, {0, kind, at() + "," + std::move(members), {}});
}

void EventHub::tell(const RequestEvent& request) {
  std::string out = at();
  out += ",\"answer\":" + json_text(request.answer) + ",\"class\":" + json_text(request.cls) +
         ",\"method\":" + json_text(request.method.substr(0, 16)) + ",\"status\":" + std::to_string(request.status) +
         ",\"seconds\":" + json_number(request.seconds) + ",\"upstream_status\":" +
         (request.upstream_status == 0 ? std::string("null") : std::to_string(request.upstream_status)) +
         ",\"upstream_calls\":" + std::to_string(request.upstream_calls) +
         ",\"charged\":" + std::to_string(request.charged);
  if (skipped_ > 0) out += ",\"skipped\":" + std::to_string(std::exchange(skipped_, 0));
  store(requests_, limits_.request_events, limits_.request_event_bytes,
        {0, EventKind::Request, std::move(out),
         request.path.empty() ? std::string() : json_text(request.path.substr(0, limits_.event_path))});
}

void EventHub::close() {
  closed_ = true;
  changed_.set();
}

void EventHub::tick() {
  hits_left_ = limits_.hit_events_per_second;
  others_left_ = limits_.request_events_per_second;
  if (listeners_ > 0) {
    stats_ = hooks_.stats();
    ++stats_number_;
    changed_.set();
    watch_until_ = loop_.now() + std::chrono::duration_cast<TimePoint::duration>(limits_.resume_grace);
  } else if (loop_.now() >= watch_until_) {
    watching_ = false;
    hooks_.watch(false);
    return;
  }
  tick_.arm_at(loop_.now() + std::chrono::duration_cast<TimePoint::duration>(limits_.stats_every));
}

const EventHub::Stored* EventHub::next(const Ring& ring, std::uint64_t after) {
  const auto found = std::upper_bound(ring.events.begin(), ring.events.end(), after,
                                      [](std::uint64_t id, const Stored& event) { return id < event.id; });
  return found == ring.events.end() ? nullptr : &*found;
}

EventHub::Listener::Listener(EventHub& hub, std::string_view last_event_id, std::array<bool, kEventKinds> wanted,
                             bool shows_paths)
    : hub_(hub), wanted_(wanted), shows_paths_(shows_paths) {
  if (const auto number = number_of(last_event_id, hub.boot_); number && *number <= hub.last_id_) {
    resumed_ = true;
    at_rare_ = at_requests_ = *number;
  } else {
    // A new reader gets the rare events of before, but no old requests.
    at_requests_ = hub.last_id_;
    at_rare_ = hub.rare_.lost;
  }
  ++hub.listeners_;
  if (!hub.watching_) {
    hub.watching_ = true;
    hub.hooks_.watch(true);
    hub.tick();
  }
}

EventHub::Listener::~Listener() { --hub_.listeners_; }

std::string EventHub::Listener::take() {
  std::string out;
  // What was pushed out before this reader came to it. Numbers of both rings run together, so this is an upper bound.
  const auto lost = [&](const Ring& ring, std::uint64_t& place, bool wanted) {
    if (ring.lost <= place) return;
    if (wanted) missed_ += ring.lost - place;
    place = ring.lost;
  };
  lost(hub_.requests_, at_requests_, wanted_[static_cast<std::size_t>(EventKind::Request)]);
  lost(hub_.rare_, at_rare_, true);
  if (!greeted_) {
    greeted_ = true;
    out += "retry: 1000\nevent: hello\ndata: {" + hub_.at() + ",\"boot\":" + json_text(hub_.boot_) +
           ",\"resumed\":" + (resumed_ ? "true" : "false") +
           ",\"missed\":" + std::to_string(std::exchange(missed_, 0)) + "}\n\n";
  } else if (missed_ > 0) {
    out += "event: missed\ndata: {" + hub_.at() + ",\"missed\":" + std::to_string(std::exchange(missed_, 0)) + "}\n\n";
  }
  while (out.size() < hub_.limits_.event_batch) {
    const Stored* rare = next(hub_.rare_, at_rare_);
    const Stored* request = next(hub_.requests_, at_requests_);
    const bool take_rare = rare != nullptr && (request == nullptr || rare->id < request->id);
    const Stored* event = take_rare ? rare : request;
    if (event == nullptr) break;
    (take_rare ? at_rare_ : at_requests_) = event->id;
    if (!wanted_[static_cast<std::size_t>(event->kind)]) continue;
    out.append("id: ").append(hub_.boot_).append("-").append(std::to_string(event->id));
    out.append("\nevent: ").append(to_string(event->kind)).append("\ndata: {").append(event->members);
    if (shows_paths_ && !event->path.empty()) out.append(",\"path\":").append(event->path);
    out.append("}\n\n");
  }
  // Statistics are a state, not a history: the latest, without an id.
  if (hub_.stats_number_ > seen_stats_ && wanted_[static_cast<std::size_t>(EventKind::Stats)]) {
    seen_stats_ = hub_.stats_number_;
    out.append("event: stats\ndata: ").append(hub_.stats_.substr(0, hub_.stats_.find('\n'))).append("\n\n");
  }
  return out;
}

}  // namespace ghmesh::admin
