// SPDX-License-Identifier: Apache-2.0
#include "fleet.hpp"

#include <algorithm>

namespace ghmesh::mesh {
namespace {

void add(std::vector<std::uint64_t>& sum, const std::vector<std::uint64_t>& values) {
  if (sum.size() < values.size()) sum.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) sum[i] += values[i];
}

}  // namespace

void Fleet::set_own(std::vector<std::uint64_t> values) {
  if (values == own_.values) return;
  own_.values = std::move(values);
  ++own_.sequence;
}

void Fleet::merge(const std::vector<CounterRow>& rows, const std::function<bool(const PeerId&)>& is_live,
                  TimePoint now) {
  for (const CounterRow& row : rows) {
    if (row.peer == own_.peer) continue;
    const auto it = known_.find(row.peer);
    if (it == known_.end()) {
      // Of one that this node never saw, whoever tells of it knows when it ended; the hour is over for all at once.
      const bool live = is_live(row.peer);
      const Duration gone = live ? Duration::zero() : std::chrono::milliseconds(row.gone_ms);
      if (gone < kKeepGone && has_room())
        known_[row.peer] = {.member = {.row = row, .heard = now - gone, .live = live}, .told = 0, .earlier = {}};
      continue;
    }
    Known& known = it->second;
    CounterRow& old = known.member.row;
    if (!known.member.live && row.gone_ms > 0)
      known.member.heard = std::min(known.member.heard, now - Duration(std::chrono::milliseconds(row.gone_ms)));
    if (row.started_ms < old.started_ms || (row.started_ms == old.started_ms && row.sequence <= old.sequence)) continue;
    if (row.started_ms > old.started_ms) add(known.earlier, old.values);
    old = row;
    if (known.member.live) known.member.heard = now;
    known.told = 0;
  }
}

void Fleet::on_gone(const PeerId& peer, TimePoint now) {
  const auto it = known_.find(peer);
  if (it == known_.end() || !it->second.member.live) return;
  it->second.member.live = false;
  it->second.member.heard = now;
}

void Fleet::on_live(const PeerId& peer) {
  if (const auto it = known_.find(peer); it != known_.end()) it->second.member.live = true;
}

std::vector<CounterRow> Fleet::rows_to_tell(std::size_t count, TimePoint now) {
  drop_old(now);
  std::vector<CounterRow> rows;
  std::vector<Known*> others;
  for (auto& [peer, known] : known_) others.push_back(&known);
  const std::size_t n = std::min(count, others.size());
  std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(n), others.end(),
                    [](const Known* a, const Known* b) { return a->told < b->told; });
  for (std::size_t i = 0; i < n; ++i) {
    others[i]->told = ++tellings_;
    const FleetMember& member = others[i]->member;
    rows.push_back(member.row);
    if (!member.live)
      rows.back().gone_ms = static_cast<std::uint32_t>(std::max<std::int64_t>((now - member.heard) / 1ms, 1));
  }
  return rows;
}

// Runners come and go: the figures of who ended first are given up before the hour is over, never those of who lives.
bool Fleet::has_room() {
  if (known_.size() < kMembers) return true;
  const auto first = std::ranges::min_element(
      known_, {}, [](const auto& entry) { return std::pair(entry.second.member.live, entry.second.member.heard); });
  if (first->second.member.live) return false;
  known_.erase(first);
  return true;
}

void Fleet::drop_old(TimePoint now) {
  std::erase_if(known_, [&](const auto& entry) {
    return !entry.second.member.live && now - entry.second.member.heard > kKeepGone;
  });
}

std::vector<std::uint64_t> Fleet::totals(TimePoint now) {
  drop_old(now);
  std::vector<std::uint64_t> sum = own_.values;
  for (const auto& [peer, known] : known_) {
    add(sum, known.member.row.values);
    add(sum, known.earlier);
  }
  return sum;
}

std::vector<FleetMember> Fleet::members() const {
  std::vector<FleetMember> members;
  for (const auto& [peer, known] : known_) members.push_back(known.member);
  return members;
}

}  // namespace ghmesh::mesh
