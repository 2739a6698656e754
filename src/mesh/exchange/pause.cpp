// SPDX-License-Identifier: Apache-2.0
#include "pause.hpp"

#include <algorithm>

namespace ghmesh::mesh {
namespace {

// The distance between two nodes that come back: longer than an answer of GitHub and the news of it.
constexpr Duration kStep = 400ms;
constexpr std::size_t kSteps = 16;
// After the end a pause is remembered while nodes come back.
constexpr Duration kTail = kStep * static_cast<int>(kSteps);

Duration bounded(Duration length) {
  return std::min<Duration>(length, std::chrono::milliseconds(WireLimits::kPauseMs));
}

}  // namespace

PauseBoard::Pause* PauseBoard::slot(const TokenTag& bucket, TimePoint now) {
  if (!pauses_.contains(bucket) && pauses_.size() >= limits_.pauses) {
    std::erase_if(pauses_, [&](const auto& entry) { return entry.second.ends + kTail <= now; });
    if (pauses_.size() >= limits_.pauses) return nullptr;
  }
  return &pauses_[bucket];
}

void PauseBoard::on_own(const TokenTag& bucket, Duration length, TimePoint now) {
  Pause* pause = slot(bucket, now);
  if (pause == nullptr) return;
  pause->own = true;
  pause->ends = now + bounded(length);
  pause->reporters.clear();
}

void PauseBoard::on_told(const PeerId& from, const TokenTag& bucket, Duration length, TimePoint now) {
  if (length <= Duration::zero()) {
    // What GitHub told us ourselves stands until it ends; what others said, others may take back.
    const auto it = pauses_.find(bucket);
    if (it != pauses_.end() && (!it->second.own || it->second.ends <= now)) pauses_.erase(it);
    return;
  }
  if (const auto it = disproved_.find(from); it != disproved_.end() && it->second > now) return;
  Pause* pause = slot(bucket, now);
  if (pause == nullptr || (pause->own && pause->ends > now)) return;
  pause->own = false;
  const TimePoint until = now + bounded(length);
  std::erase_if(pause->reporters, [&](const auto& each) { return each.second <= now; });
  // Not again for one who repeats it.
  if (pause->reporters.empty()) pause->first_told = now;
  std::erase_if(pause->reporters, [&](const auto& each) { return each.first == from; });
  if (pause->reporters.size() < kReporters) pause->reporters.emplace_back(from, until);
  // The third-longest statement is one that three members make; fewer count for a while only, after which the first
  // member tries, and either becomes the next to say so or frees all. Nobody's word, however many they are and however
  // often they repeat it, stops us for longer without a look of our own: three may be in league.
  std::vector<TimePoint> ends;
  for (const auto& [peer, end] : pause->reporters) ends.push_back(end);
  std::sort(ends.begin(), ends.end(), std::greater<>());
  const TimePoint alone =
      std::min(ends.front(), pause->first_told + limits_.uncorroborated_pause * static_cast<int>(ends.size()));
  if (ends.size() < kCorroborated) {
    pause->ends = alone;
    return;
  }
  const Duration word = limits_.uncorroborated_pause * static_cast<int>(kCorroborated - 1) +
                        limits_.corroborated_pause * static_cast<int>(ends.size() - kCorroborated + 1);
  pause->ends = std::min(std::max(ends[kCorroborated - 1], alone), pause->first_told + word);
}

bool PauseBoard::on_success(const TokenTag& bucket, TimePoint now) {
  const auto it = pauses_.find(bucket);
  if (it == pauses_.end()) return false;
  for (const auto& [peer, until] : it->second.reporters)
    if (until > now + kTail) {
      if (disproved_.size() >= limits_.pauses) disproved_.clear();
      disproved_[peer] = now + 10min;
    }
  pauses_.erase(it);
  return true;
}

std::optional<TimePoint> PauseBoard::until(const TokenTag& bucket, std::size_t place, TimePoint now) const {
  const auto it = pauses_.find(bucket);
  if (it == pauses_.end()) return std::nullopt;
  const TimePoint mine = it->second.ends + kStep * static_cast<int>(std::min(place, kSteps));
  if (mine <= now) return std::nullopt;
  return mine;
}

}  // namespace ghmesh::mesh
