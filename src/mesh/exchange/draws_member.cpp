// SPDX-License-Identifier: Apache-2.0
// What a member does about the buckets that it draws on.
#include <algorithm>

#include "draws.hpp"

namespace ghmesh::mesh {
namespace {

// While something is under way a member says so this often.
constexpr Duration kRepeat = 500ms;
// A keeper that says nothing for so long is looked at by membership, and passed over; a loaded one takes some hundred
// ms. It is tried again so often.
constexpr Duration kSilence = 1s;
constexpr Duration kTry = 2s;

}  // namespace

const Ranks::Row& Draws::row_of(const TokenTag& bucket) const {
  return bus_.ranks.of(static_cast<std::uint8_t>(bucket.back() % kPartitions));
}

// The first of those that answer; the very first again if none does.
std::optional<PeerId> Draws::keeper(const TokenTag& bucket, const Own& own) const {
  const Ranks::Row& row = row_of(bucket);
  for (const PeerId& peer : row)
    if (std::ranges::find(own.passed_over, peer) == own.passed_over.end()) return peer;
  if (row.empty()) return std::nullopt;
  return row.front();
}

// Where we come late ourselves the answer may lie unread.
Duration Draws::silence() const { return std::max(kSilence, bus_.limits.patience) + bus_.lag.slack(); }

void Draws::pass_over(const TokenTag& bucket, Own& own, TimePoint now) {
  own.unanswered.reset();
  if (own.draw.waiting > 0) own.unanswered = now;
  own.passed_over.push_back(own.told_to);
  own.tried = now;
  if (own.passed_over.size() < row_of(bucket).size()) return;
  // They were all silent: from the first one on again.
  own.passed_over.clear();
}

void Draws::try_again(const TokenTag& bucket, Own& own, TimePoint now) {
  if (own.passed_over.empty() || now - own.tried < kTry) return;
  own.tried = now;
  for (const PeerId& peer : row_of(bucket)) {
    if (peer == own.told_to) return;  // those behind it are not the keeper, silent or not
    // What it said before went by, and what it has to say is how it is found again.
    Draw again = own.draw;
    again.heard = 0;
    bus_.send(peer, std::move(again));
  }
}

void Draws::draw(Draw own, TimePoint now) {
  const TokenTag bucket = own.bucket;
  if (!own_.contains(bucket) && own_.size() >= limits_.buckets) {
    std::erase_if(own_, [&](const auto& entry) { return now - entry.second.touched > DrawLimits::kListens; });
    if (own_.size() >= limits_.buckets) return;
  }
  Own& kept = own_[bucket];
  own.rates.resize(std::min(own.rates.size(), WireLimits::kOwnRates));
  for (RateRow& row : own.rates) row.peer = bus_.self;
  kept.draw = std::move(own);
  kept.touched = now;
  send(bucket, kept, now);
}

void Draws::send(const TokenTag& bucket, Own& own, TimePoint now) {
  const Ranks::Row& row = row_of(bucket);
  std::erase_if(own.passed_over, [&](const PeerId& peer) { return std::ranges::find(row, peer) == row.end(); });
  const std::optional<PeerId> to = keeper(bucket, own);
  const bool waits = own.draw.waiting > 0 && to;
  if (own.told_to != to.value_or(nobody())) {
    own.unanswered.reset();
    own.heard = 0;
  }
  // That it waits for nothing any more, because it went without leave, is no answer.
  if (waits && !own.unanswered) own.unanswered = now;
  if (!own.unanswered) own.reported = false;
  own.told_to = to.value_or(nobody());
  own.draw.heard = own.heard;
  own.told = now;
  if (own.draw.waiting > 0 || own.draw.in_flight > 0) due_ = std::min(due_, now + kRepeat);
  if (!to) return;
  if (own.unanswered) due_ = std::min(due_, *own.unanswered + (own.reported ? silence() : bus_.limits.patience));
  bus_.send(*to, own.draw);
  try_again(bucket, own, now);
}

void Draws::report(const TokenTag& bucket, Own& own) {
  if (!own.unanswered || std::exchange(own.reported, true)) return;
  unheard_.push_back({bucket});
}

void Draws::on_disconnected(const PeerId& peer) {
  for (auto& [bucket, own] : own_)
    if (own.told_to == peer) report(bucket, own);
}

void Draws::on_drawn(const PeerId& from, const Drawn& drawn, TimePoint now) {
  note_answer(from, drawn.bucket, now);
  const auto own = own_.find(drawn.bucket);
  if (own == own_.end()) return;
  Own& kept = own->second;
  std::erase(kept.passed_over, from);
  if (keeper(drawn.bucket, kept) != from) return;
  if (kept.told_to != from) kept.heard = 0;
  kept.told_to = from;
  // What went by before these is still missed.
  if (drawn.since <= kept.heard) kept.heard = drawn.until;
  kept.unanswered.reset();
  kept.reported = false;
  if (news_.size() < limits_.buckets) news_.push_back(drawn);
}

void Draws::tick_own(TimePoint now) {
  std::erase_if(own_, [&](const auto& entry) { return now - entry.second.touched > DrawLimits::kForget; });
  for (auto& [bucket, own] : own_) {
    const bool pending = own.draw.waiting > 0 || own.draw.in_flight > 0;
    if (own.unanswered && !own.reported) {
      const TimePoint patient_until = *own.unanswered + bus_.limits.patience;
      if (patient_until <= now)
        report(bucket, own);
      else
        due_ = std::min(due_, patient_until);
    }
    if (own.unanswered && now - *own.unanswered >= silence()) {
      bus_.silent(own.told_to, now);
      pass_over(bucket, own, now);
    }
    if (keeper(bucket, own).value_or(nobody()) != own.told_to || (pending && own.told + kRepeat <= now)) {
      // Readings have their own times, which a repetition must not make new.
      const auto old = std::chrono::duration_cast<std::chrono::milliseconds>(now - own.touched).count();
      for (RateRow& row : own.draw.rates)
        row.age_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(row.age_ms + old, WireLimits::kPauseMs));
      own.touched = now;
      send(bucket, own, now);
    } else if (pending) {
      due_ = std::min(due_, own.told + kRepeat);
    }
    if (own.unanswered) due_ = std::min(due_, *own.unanswered + silence());
  }
}

}  // namespace ghmesh::mesh
