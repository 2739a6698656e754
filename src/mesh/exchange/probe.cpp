// SPDX-License-Identifier: Apache-2.0
#include "probe.hpp"

#include <algorithm>

namespace ghmesh::mesh {

namespace {

// About the size of a small answer, and not to be compressed away.
constexpr std::size_t kProbeBytes = 1024;
// Fresh for as long as the probe takes: nobody is served from it.
constexpr std::uint32_t kFreshMs = 1000;

}  // namespace

Prober::Prober(Random& random, const ExchangeLimits& limits) : random_(random), limits_(limits) {
  // Drawn once, so that every probe of this process replaces the one before.
  random_.fill(key_);
  random_.fill(tag_);
}

Prober::Begun Prober::begin(const PeerId& peer, std::int64_t wall_ms, TimePoint now) {
  auto item = std::make_shared<Item>();
  item->key = key_;
  item->body.resize(kProbeBytes);
  random_.fill(item->body);
  item->version = version_of(item->metadata, item->body);
  Begun begun{.id = random_.next_u64()};
  begun.put.item = item;
  begun.put.fresh = {.tag = tag_, .fetched_at_ms = wall_ms, .fresh_ms = kFreshMs, .left_ms = kFreshMs, .seal = {}};
  begun.peek = {.id = begun.id, .key = key_, .have = {}};
  if (open_.size() >= limits_.probes) {
    done_.push_back({.id = begun.id, .peer = peer, .returned = false, .took = {}});
  } else {
    open_.push_back({.probe = {.id = begun.id, .peer = peer, .returned = false, .took = {}},
                     .version = item->version,
                     .began = now,
                     .until = now + limits_.probe});
  }
  return begun;
}

bool Prober::on_found(const PeerId& from, const Found& found, TimePoint now) {
  const auto it = std::ranges::find_if(open_, [&](const Open& each) { return each.probe.id == found.id; });
  if (it == open_.end() || it->probe.peer != from) return false;
  // The version is of the bytes that came: whoever read them from the wire computed it.
  it->probe.returned = found.key == key_ && found.item != nullptr && found.item->version == it->version;
  it->probe.took = now - it->began;
  done_.push_back(it->probe);
  open_.erase(it);
  return true;
}

void Prober::tick(TimePoint now) {
  std::erase_if(open_, [&](Open& each) {
    if (each.until > now) return false;
    each.probe.took = now - each.began;
    done_.push_back(each.probe);
    return true;
  });
}

TimePoint Prober::next_deadline() const {
  TimePoint next = TimePoint::max();
  for (const Open& each : open_) next = std::min(next, each.until);
  return next;
}

}  // namespace ghmesh::mesh
