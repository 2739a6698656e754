// SPDX-License-Identifier: Apache-2.0
#include "proxy/fleet_draw.hpp"

#include "proxy/limits.hpp"

namespace ghmesh::proxy {
namespace {

store::Key key_of(const mesh::TokenTag& tag) {
  store::Key key{};
  std::ranges::copy(tag, key.begin());
  return key;
}

}  // namespace

FleetDraw::FleetDraw(io::Loop& loop, Sharing& sharing, PacingGate& gate, LiveFields& live)
    : loop_(loop),
      sharing_(sharing),
      gate_(gate),
      live_(live),
      flush_timer_(loop, [this] { flush(); }),
      refresh_timer_(loop, [this] { refresh(); }) {
  gate_.on_changed([this](const github::Partition& token) { mark(token); });
  sharing_.link().on_drawn([this, alive = std::weak_ptr<int>(alive_)](const mesh::Drawn& drawn) {
    if (!alive.expired()) on_drawn(drawn);
  });
  sharing_.link().on_unheard([this, alive = std::weak_ptr<int>(alive_)](const mesh::Unheard& unheard) {
    if (alive.expired()) return;
    if (const auto known = by_tag_.find(key_of(unheard.bucket)); known != by_tag_.end()) gate_.unheard(known->second);
  });
}

FleetDraw::~FleetDraw() { gate_.on_changed({}); }

void FleetDraw::introduce(const Plan& plan) {
  const mesh::TokenTag& tag = sharing_.tag(plan);
  gate_.set_others(sharing_.link().mesh().sharers(tag));
  if (known_.size() >= Limits::kSealers && !known_.contains(plan.partition)) {
    std::erase_if(known_, [&](const auto& entry) { return !entry.second.report.listens(loop_.now()); });
    std::erase_if(by_tag_, [&](const auto& entry) { return !known_.contains(entry.second); });
    if (known_.size() >= Limits::kSealers) return;
  }
  const auto [place, is_new] = known_.try_emplace(plan.partition);
  Known& known = place->second;
  known.report.used(loop_.now());
  if (!is_new && known.tag == tag) return;
  // Also when the mesh has changed its secret, and with it what it calls the token.
  if (!is_new) by_tag_.erase(key_of(known.tag));
  known.tag = tag;
  by_tag_[key_of(tag)] = plan.partition;
  mark(plan.partition);
  if (!refresh_timer_.armed()) refresh_timer_.arm_at(loop_.now() + github::DemandReport::kRefresh);
}

void FleetDraw::mark(const github::Partition& token) {
  const auto known = known_.find(token);
  if (known == known_.end()) return;
  github::DemandReport& report = known->second.report;
  if (report.due() == TimePoint::max()) changed_.push_back(token);
  report.changed(gate_.demand(token), loop_.now());
  flush_at(report.due());
}

void FleetDraw::flush_at(TimePoint when) {
  if (!flush_timer_.armed() || when < flush_timer_.when()) flush_timer_.arm_at(when);
}

void FleetDraw::flush() {
  for (const github::Partition& token : std::exchange(changed_, {})) {
    const auto known = known_.find(token);
    if (known == known_.end() || known->second.report.due() == TimePoint::max()) continue;
    github::DemandReport& report = known->second.report;
    if (report.due() > loop_.now()) {
      changed_.push_back(token);
      flush_at(report.due());
      continue;
    }
    const github::Demand demand = gate_.demand(token);
    report.said(demand, loop_.now());
    sharing_.link().draw({.bucket = known->second.tag,
                          .sent = demand.sent,
                          .sent_writes = demand.sent_writes,
                          .recent = demand.recent,
                          .recent_writes = demand.recent_writes,
                          .drawing = demand.drawing,
                          .in_flight = demand.in_flight,
                          .waiting = demand.waiting,
                          .waiting_writes = demand.waiting_writes,
                          .rates = live_.rates(token)});
  }
}

void FleetDraw::refresh() {
  for (auto& [token, known] : known_) {
    if (live_.take_shown(token)) known.report.used(loop_.now());
    if (known.report.refreshes(loop_.now())) mark(token);
  }
  refresh_timer_.arm_at(loop_.now() + github::DemandReport::kRefresh);
}

void FleetDraw::on_drawn(const mesh::Drawn& drawn) {
  const auto known = by_tag_.find(key_of(drawn.bucket));
  if (known == by_tag_.end()) {
    if (other_) other_(drawn);
    return;
  }
  for (const mesh::RateRow& row : drawn.rates) live_.told(known->second, row);
  gate_.grant(known->second, drawn.may_send, drawn.may_write, drawn.drawing);
}

}  // namespace ghmesh::proxy
