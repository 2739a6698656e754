// SPDX-License-Identifier: Apache-2.0
#include "proxy/activity.hpp"

#include <algorithm>

namespace ghmesh::proxy {
namespace {

bool is_hit(AnswerKind kind) {
  return kind != AnswerKind::Miss && kind != AnswerKind::Bypass && kind != AnswerKind::Error;
}

}  // namespace

std::uint64_t ClassRow::requests() const {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : answers) sum += count;
  return sum;
}

double ClassRow::hit_rate() const {
  std::uint64_t hits = 0;
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (is_hit(static_cast<AnswerKind>(i))) hits += answers[i];
  const std::uint64_t all = requests();
  return all == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(all);
}

void Activity::note(const Answered& answered) {
  ClassRow& row = rows_[static_cast<std::size_t>(answered.cls)];
  ++row.answers[static_cast<std::size_t>(answered.kind)];
  row.upstream_calls += answered.spent.calls;
  row.charged += answered.spent.charged;
  row.direct += answered.spent.direct;
  row.seconds += answered.seconds;
  const auto& bounds = metrics::Histogram::kBounds;
  ++row.latency[static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), answered.seconds) -
                                         bounds.begin())];
  if (answered.spent.calls > 0) note_cost(answered);
  if (answered.seconds > slow_floor_ || (!slow_.empty() && answered.now > slow_until_)) note_slow(answered);
  if (observer_) observer_(answered);
}

void Activity::note_slow(const Answered& answered) {
  const TimePoint now = answered.now;
  std::erase_if(slow_, [&](const Slow& one) { return now - one.noted > kSlowAge; });
  slow_.push_back({std::string(answered.method.substr(0, 16)), std::string(answered.path.substr(0, kPathBytes)),
                   answered.kind, answered.cls, answered.status, answered.seconds, clock_.wall_now(), now});
  std::sort(slow_.begin(), slow_.end(), [](const Slow& a, const Slow& b) { return a.seconds > b.seconds; });
  if (slow_.size() > kSlow) slow_.pop_back();
  slow_floor_ = slow_.size() == kSlow ? slow_.back().seconds : 0;
  TimePoint oldest = now;
  for (const Slow& one : slow_) oldest = std::min(oldest, one.noted);
  slow_until_ = oldest + std::chrono::duration_cast<TimePoint::duration>(kSlowAge);
}

void Activity::note_cost(const Answered& answered) {
  if (answered.path.empty()) return;
  const std::string_view path = answered.path.substr(0, kPathBytes);
  Costly* place = nullptr;
  Costly* least = nullptr;
  for (Costly& one : costly_) {
    if (one.path == path && one.method == answered.method) place = &one;
    if (least == nullptr || one.charged < least->charged) least = &one;
  }
  if (place == nullptr && costly_.size() < kCountedPaths) place = &costly_.emplace_back();
  if (place == nullptr) {
    if (answered.spent.charged == 0) return;
    place = least;
    place->error = place->charged;
    place->requests = 0;
  }
  if (place->path != path || place->method != answered.method) {
    place->method = answered.method.substr(0, 16);
    place->path = path;
    place->cls = answered.cls;
  }
  ++place->requests;
  place->charged += answered.spent.charged;
}

std::vector<Activity::Slow> Activity::slowest() const {
  std::vector<Slow> out;
  const TimePoint now = clock_.now();
  for (const Slow& one : slow_)
    if (now - one.noted <= kSlowAge) out.push_back(one);
  return out;
}

std::vector<Activity::Costly> Activity::costliest() const {
  std::vector<Costly> out;
  for (const Costly& one : costly_)
    if (one.charged > 0) out.push_back(one);
  std::sort(out.begin(), out.end(), [](const Costly& a, const Costly& b) {
    return a.charged != b.charged ? a.charged > b.charged : a.path < b.path;
  });
  if (out.size() > kCostly) out.resize(kCostly);
  return out;
}

}  // namespace ghmesh::proxy
