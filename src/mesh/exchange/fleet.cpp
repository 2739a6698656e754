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

void Fleet::merge(const std::vector<CounterRow>& rows, TimePoint now) {
  for (const CounterRow& row : rows) {
    if (row.peer == own_.peer) continue;
    const auto it = known_.find(row.peer);
    if (it == known_.end()) {
      if (known_.size() < kMembers)
        known_[row.peer] = {.member = {.row = row, .heard = now, .live = true}, .told = 0, .earlier = {}};
      continue;
    }
    Known& known = it->second;
    CounterRow& old = known.member.row;
    if (row.started_ms < old.started_ms || (row.started_ms == old.started_ms && row.sequence <= old.sequence)) continue;
    if (row.started_ms > old.started_ms) add(known.earlier, old.values);
    old = row;
    known.member.heard = now;
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

std::vector<CounterRow> Fleet::rows_to_tell(std::size_t count) {
  std::vector<CounterRow> rows;
  std::vector<Known*> others;
  for (auto& [peer, known] : known_) others.push_back(&known);
  const std::size_t n = std::min(count, others.size());
  std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(n), others.end(),
                    [](const Known* a, const Known* b) { return a->told < b->told; });
  for (std::size_t i = 0; i < n; ++i) {
    others[i]->told = ++tellings_;
    rows.push_back(others[i]->member.row);
  }
  return rows;
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
