// SPDX-License-Identifier: Apache-2.0
#include "github/calibration.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

// A separator that no host and no Accept holds keeps parts apart; these keys never leave the process.
std::string join(std::string_view host, std::string_view accept, std::string_view last) {
  std::string out(host);
  out += '\n';
  out += accept;
  out += '\n';
  out += last;
  return out;
}

}  // namespace

std::string_view to_string(ProofPhase phase) {
  switch (phase) {
    case ProofPhase::Learning: return "learning";
    case ProofPhase::Proven: return "proven";
    case ProofPhase::Tripped: return "tripped";
  }
  return "";
}

void Calibration::vouch(std::string_view host) { vouched_[std::string(host)] = true; }

std::size_t Calibration::needed(std::string_view host, std::string_view accept) const {
  const auto run = host_runs_.find(join(host, accept, ""));
  const bool elsewhere =
      vouched_.contains(std::string(host)) || (run != host_runs_.end() && run->second >= options_.matches);
  return elsewhere ? options_.matches_elsewhere : options_.matches;
}

// Moves on what time and counts allow.
void Calibration::settle(Cell& cell, std::string_view host, std::string_view accept, TimePoint now) {
  if (cell.phase == ProofPhase::Tripped && now >= cell.retry_at) {
    cell.phase = ProofPhase::Learning;
    cell.run = 0;
    cell.canary_passed = false;
    cell.window.clear();
    cell.window_at = 0;
    cell.last_bad_family.clear();
  }
  if (cell.phase == ProofPhase::Learning && cell.canary_passed && cell.run >= needed(host, accept)) {
    cell.phase = ProofPhase::Proven;
    cell.proven_at = now;
  }
  // A day without a trip forgives the earlier ones.
  if (cell.phase == ProofPhase::Proven && now - cell.proven_at > options_.max_delay) cell.delay = {};
}

Calibration::Cell& Calibration::cell(std::string_view host, ResourceClass cls, std::string_view accept, TimePoint now) {
  const std::string key = join(host, accept, to_string(cls));
  if (!cells_.contains(key) && cells_.size() >= kLimits.max_proof_cells) {
    // Someone makes up media types. Learning anew is safe and costs a few ordinary requests.
    cells_.clear();
    families_.clear();
    host_runs_.clear();
  }
  Cell& found = cells_[key];
  if (now < all_tripped_until_ && found.phase != ProofPhase::Tripped) {
    found.phase = ProofPhase::Tripped;
    found.retry_at = all_tripped_until_;
  }
  settle(found, host, accept, now);
  return found;
}

bool Calibration::set_aside(std::string_view host, const Resource& resource, std::string_view accept,
                            TimePoint now) const {
  const auto family = families_.find(join(host, accept, resource.family));
  return family != families_.end() && now < family->second.set_aside_until;
}

ProofPhase Calibration::phase(std::string_view host, const Resource& resource, std::string_view accept, TimePoint now) {
  const ProofPhase of_class = cell(host, resource.cls, accept, now).phase;
  return set_aside(host, resource, accept, now) ? ProofPhase::Tripped : of_class;
}

std::size_t Calibration::missing(std::string_view host, const Resource& resource, std::string_view accept,
                                 TimePoint now) {
  const Cell& found = cell(host, resource.cls, accept, now);
  if (found.phase == ProofPhase::Tripped || set_aside(host, resource, accept, now)) return options_.matches * 1000;
  if (found.phase == ProofPhase::Proven) return 0;
  const std::size_t need = needed(host, accept);
  return found.run >= need ? 1 : need - found.run;
}

void Calibration::record(Cell& cell, bool mismatch) {
  if (cell.window.size() < options_.window) {
    cell.window.push_back(mismatch);
    return;
  }
  cell.window[cell.window_at] = mismatch;
  cell.window_at = (cell.window_at + 1) % options_.window;
}

void Calibration::trip(Cell& cell, TimePoint now) {
  cell.delay = cell.delay == Duration{} ? options_.first_delay : std::min(cell.delay * 2, options_.max_delay);
  cell.phase = ProofPhase::Tripped;
  cell.retry_at = now + cell.delay;
  ++trips_;
}

// True if the mismatch belongs to its family alone.
bool Calibration::on_mismatch(Cell& cell, std::string_view host, const Resource& resource, std::string_view accept,
                              TimePoint now) {
  if (families_.size() >= kLimits.max_proof_cells) families_.clear();
  Family& family = families_[join(host, accept, resource.family)];
  ++family.mismatches;
  const bool only_this = cell.last_bad_family.empty() || cell.last_bad_family == resource.family;
  cell.last_bad_family = resource.family;
  if (!only_this || family.mismatches < options_.mismatches_to_trip) return false;
  family.set_aside_until = now + options_.max_delay;
  family.mismatches = 0;
  ++trips_;
  // Its marks leave the class's window: what is set aside does not count twice.
  std::fill(cell.window.begin(), cell.window.end(), false);
  return true;
}

void Calibration::on_self_check(std::string_view host, const Resource& resource, std::string_view accept, bool match,
                                TimePoint now) {
  Cell& found = cell(host, resource.cls, accept, now);
  std::size_t& host_run = host_runs_[join(host, accept, "")];
  if (match) {
    ++found.matches;
    ++found.run;
    ++host_run;
    if (const auto family = families_.find(join(host, accept, resource.family)); family != families_.end())
      family->second.mismatches = 0;
    record(found, false);
  } else {
    ++found.mismatches;
    // A family set aside already is known to be different; it says nothing new about the rest.
    if (set_aside(host, resource, accept, now)) return;
    record(found, true);
    if (on_mismatch(found, host, resource, accept, now)) return;
    found.run = 0;
    host_run = 0;
    const auto bad = static_cast<std::size_t>(std::count(found.window.begin(), found.window.end(), true));
    if (found.phase == ProofPhase::Proven && bad >= options_.mismatches_to_trip) trip(found, now);
  }
  settle(found, host, accept, now);
}

bool Calibration::canary_on_plain(std::string_view host, const Resource& resource, std::string_view accept,
                                  TimePoint now) {
  const Cell& found = cell(host, resource.cls, accept, now);
  if (found.phase == ProofPhase::Learning) return !found.canary_passed;
  return found.phase == ProofPhase::Proven && random_.below(options_.cold_canary_one_in) == 0;
}

bool Calibration::canary_before_peer_proof() { return random_.below(options_.peer_canary_one_in) == 0; }

std::string Calibration::make_canary() {
  std::uint8_t raw[32];
  random_.fill(raw);
  return to_hex(raw);
}

void Calibration::on_canary(std::string_view host, const Resource& resource, std::string_view accept, bool answered_304,
                            TimePoint now) {
  if (!answered_304) {
    Cell& found = cell(host, resource.cls, accept, now);
    found.canary_passed = true;
    settle(found, host, accept, now);
    return;
  }
  all_delay_ = all_delay_ == Duration{} ? options_.first_delay : std::min(all_delay_ * 2, options_.max_delay);
  all_tripped_until_ = now + all_delay_;
  for (auto& [key, each] : cells_) {
    each.phase = ProofPhase::Tripped;
    each.retry_at = std::max(each.retry_at, all_tripped_until_);
  }
  host_runs_.clear();
  // Whoever vouched was wrong about this.
  vouched_.clear();
  ++trips_;
}

std::vector<ProofCellView> Calibration::cells(TimePoint now) {
  std::vector<ProofCellView> out;
  for (auto& [key, each] : cells_) {
    const std::size_t first = key.find('\n');
    const std::size_t second = key.find('\n', first + 1);
    ProofCellView view;
    view.host = key.substr(0, first);
    view.media_type = key.substr(first + 1, second - first - 1);
    settle(each, view.host, view.media_type, now);
    for (const ResourceClass cls :
         {ResourceClass::Immutable, ResourceClass::Volatile, ResourceClass::Default, ResourceClass::PerUser})
      if (key.substr(second + 1) == to_string(cls)) view.cls = cls;
    view.phase = each.phase;
    view.matches = each.matches;
    view.mismatches = each.mismatches;
    view.run = each.run;
    if (each.phase == ProofPhase::Tripped) view.retry_in = each.retry_at - now;
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace ghmesh::github
