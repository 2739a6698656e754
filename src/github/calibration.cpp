// SPDX-License-Identifier: Apache-2.0
#include "github/calibration.hpp"

#include <algorithm>

#include "base/bytes.hpp"
#include "github/calibration_state.hpp"
#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

// A separator that no host and no Accept holds keeps parts apart; these keys never leave the process.
std::string join(std::string_view host, std::string_view accept, std::string_view last) {
  std::string out;
  out.reserve(host.size() + accept.size() + last.size() + 2);
  out += host;
  out += '\n';
  out += accept;
  out += '\n';
  out += last;
  return out;
}

struct Parted {
  std::string host, media_type, last;
};
Parted part(const std::string& key) {
  const std::size_t first = key.find('\n');
  const std::size_t second = key.find('\n', first + 1);
  return {key.substr(0, first), key.substr(first + 1, second - first - 1), key.substr(second + 1)};
}

ResourceClass class_named(std::string_view name) {
  for (const ResourceClass cls : {ResourceClass::Immutable, ResourceClass::Volatile, ResourceClass::PerUser})
    if (name == to_string(cls)) return cls;
  return ResourceClass::Default;
}

// What is in use is said again so often, so that it lies among the young records of a store that drops old ones.
constexpr Duration kTellAgain = std::chrono::minutes(10);

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
    untold_ = true;
  }
  // A day without a trip forgives the earlier ones.
  if (cell.phase == ProofPhase::Proven && now - cell.proven_at > options_.max_delay) cell.delay = {};
}

Calibration::Cell& Calibration::cell(std::string_view host, ResourceClass cls, std::string_view accept, TimePoint now) {
  std::string key = join(host, accept, to_string(cls));
  auto at = cells_.find(key);
  if (at == cells_.end()) {
    if (cells_.size() >= kLimits.max_proof_cells) {
      // Someone makes up media types. Learning anew is safe and costs a few ordinary requests.
      cells_.clear();
      families_.clear();
      host_runs_.clear();
    }
    at = cells_.try_emplace(std::move(key)).first;
  }
  Cell& found = at->second;
  if (now < all_tripped_until_ && found.phase != ProofPhase::Tripped) {
    found.phase = ProofPhase::Tripped;
    found.retry_at = all_tripped_until_;
  }
  settle(found, host, accept, now);
  return found;
}

bool Calibration::set_aside(std::string_view host, const Resource& resource, std::string_view accept,
                            TimePoint now) const {
  if (families_.empty()) return false;  // as nearly always: spares the key
  const auto family = families_.find(join(host, accept, resource.family));
  return family != families_.end() && now < family->second.set_aside_until;
}

void Calibration::believe(std::string_view host, const Resource& resource, std::string_view accept, TimePoint now) {
  Cell& found = cell(host, resource.cls, accept, now);
  if (found.phase != ProofPhase::Learning) return;
  found.canary_passed = true;
  found.phase = ProofPhase::Proven;
  found.proven_at = now;
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
  untold_ = true;
}

void Calibration::tell(TimePoint now) {
  const bool again = now - told_at_ >= kTellAgain;
  if (!untold_ && !again) return;
  untold_ = false;
  told_at_ = now;
  if (changed_) changed_();
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
  untold_ = true;
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
    if (on_mismatch(found, host, resource, accept, now)) return tell(now);
    found.run = 0;
    host_run = 0;
    const auto bad = static_cast<std::size_t>(std::count(found.window.begin(), found.window.end(), true));
    if (found.phase == ProofPhase::Proven && bad >= options_.mismatches_to_trip) trip(found, now);
  }
  settle(found, host, accept, now);
  tell(now);
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
    return tell(now);
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
  untold_ = true;
  tell(now);
}

CalibrationState Calibration::state(TimePoint now, WallTime wall) const {
  CalibrationState out;
  out.saved = wall;
  out.all_left = std::max(Duration{}, Duration(all_tripped_until_ - now));
  out.all_delay = all_delay_;
  for (const auto& [key, cell] : cells_) {
    if (cell.phase == ProofPhase::Learning && cell.delay == Duration{}) continue;
    Parted of = part(key);
    const Duration left = cell.phase == ProofPhase::Tripped ? Duration(cell.retry_at - now) : Duration{};
    out.cells.push_back({std::move(of.host), std::move(of.media_type), class_named(of.last), cell.phase,
                         std::max(Duration{}, left), cell.delay});
  }
  for (const auto& [key, family] : families_) {
    if (family.set_aside_until <= now) continue;
    Parted of = part(key);
    out.families.push_back(
        {std::move(of.host), std::move(of.media_type), std::move(of.last), family.set_aside_until - now});
  }
  return out;
}

void Calibration::restore(const CalibrationState& state, TimePoint now, WallTime wall) {
  // A wall clock that went back leaves a trip its whole time and Proven no credit.
  const auto since = std::chrono::duration_cast<Duration>(wall - state.saved);
  const Duration elapsed = std::max(Duration{}, since);
  const bool recent = since >= Duration{} && since <= options_.max_delay;
  const auto remaining = [&](Duration left) {
    return elapsed >= left ? Duration{} : std::min(left - elapsed, options_.max_delay);
  };
  if (const Duration left = remaining(state.all_left); left > Duration{}) {
    all_tripped_until_ = std::max(all_tripped_until_, now + left);
    for (auto& [key, each] : cells_) {
      each.phase = ProofPhase::Tripped;
      each.retry_at = std::max(each.retry_at, all_tripped_until_);
    }
    vouched_.clear();
  }
  all_delay_ = std::max(all_delay_, std::min(state.all_delay, options_.max_delay));
  for (const CalibrationState::Cell& saved : state.cells) {
    Cell& known = cell(saved.host, saved.cls, saved.media_type, now);
    known.delay = std::max(known.delay, std::min(saved.delay, options_.max_delay));
    const Duration left = remaining(saved.left);
    if (saved.phase == ProofPhase::Tripped && left > Duration{}) {
      known.phase = ProofPhase::Tripped;
      known.retry_at = std::max(known.retry_at, now + left);
    } else if (saved.phase == ProofPhase::Proven && recent) {
      // What this run has seen itself counts for more.
      if (known.phase != ProofPhase::Learning || known.mismatches > 0) continue;
      known.canary_passed = true;
      known.run = std::max(known.run, options_.matches);
      settle(known, saved.host, saved.media_type, now);
      std::size_t& host_run = host_runs_[join(saved.host, saved.media_type, "")];
      host_run = std::max(host_run, options_.matches);
    } else if (saved.phase == ProofPhase::Proven && now >= all_tripped_until_) {
      vouch(saved.host);
    }
  }
  for (const CalibrationState::Family& saved : state.families) {
    const Duration left = remaining(saved.left);
    if (left == Duration{} || families_.size() >= kLimits.max_proof_cells) continue;
    Family& family = families_[join(saved.host, saved.media_type, saved.name)];
    family.set_aside_until = std::max(family.set_aside_until, now + left);
  }
}

std::vector<ProofCellView> Calibration::cells(TimePoint now) {
  std::vector<ProofCellView> out;
  for (auto& [key, each] : cells_) {
    Parted of = part(key);
    ProofCellView view;
    view.host = std::move(of.host);
    view.media_type = std::move(of.media_type);
    view.cls = class_named(of.last);
    settle(each, view.host, view.media_type, now);
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
