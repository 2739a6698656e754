// SPDX-License-Identifier: Apache-2.0
#include "scores.hpp"

#include <algorithm>

namespace ghmesh::mesh {

void PeerScores::ban(Record& record, TimePoint now) {
  const auto minutes = std::chrono::minutes(10) * (1u << std::min(record.bans, 8u));
  record.banned_until = now + std::min<Duration>(minutes, std::chrono::hours(24));
  ++record.bans;
  record.protocol_errors = 0;
}

void PeerScores::note(const PeerId& peer, Experience experience, TimePoint now) {
  auto it = peers_.find(peer);
  if (it == peers_.end()) {
    if (experience == Experience::Answered) return;
    if (peers_.size() >= kPeers) peers_.erase(peers_.begin());
    it = peers_.try_emplace(peer).first;
  }
  Record& record = it->second;
  switch (experience) {
    case Experience::ProtocolError:
      if (++record.protocol_errors >= kProtocolErrors) ban(record, now);
      break;
    case Experience::Answered:
      record.silences = 0;
      record.avoided_until = {};
      break;
    case Experience::Silent:
      // Questions that were under way together were lost together.
      if (record.avoided_until > now) break;
      record.avoided_until =
          now + std::min<Duration>(limits_.doubt * (1u << std::min(record.silences, 6u)), limits_.max_doubt);
      ++record.silences;
      break;
    case Experience::Misled:
      if (record.disbelieved_until > now) break;
      if (now - record.disbelieved_until > limits_.max_disbelief) record.misled = 0;
      record.disbelieved_until =
          now + std::min<Duration>(limits_.disbelief * (1u << std::min(record.misled, 6u)), limits_.max_disbelief);
      ++record.misled;
      break;
  }
}

void PeerScores::judge(const PeerId& from, const PeerId& publisher, bool proved, TimePoint now) {
  auto pair =
      std::ranges::find_if(pairs_, [&](const Pair& each) { return each.from == from && each.publisher == publisher; });
  if (pair == pairs_.end()) {
    if (pairs_.size() == kPairs) pairs_.pop_front();
    pair = pairs_.insert(pairs_.end(), {.from = from, .publisher = publisher});
  }
  ++(proved ? pair->proved : pair->mismatched);
  if (proved) return;
  std::int64_t judged_from = 0, judged_publisher = 0, failed_from = 0, failed_publisher = 0;
  for (const Pair& each : pairs_) {
    if (each.from == from) judged_from += each.judged(), failed_from += each.failed();
    if (each.publisher == publisher) judged_publisher += each.judged(), failed_publisher += each.failed();
  }
  // By shares, not numbers: whoever publishes most also fails by the numbers of all that forge what they hand on of it.
  const std::int64_t share_publisher = failed_publisher * judged_from, share_from = failed_from * judged_publisher;
  const bool published = share_publisher != share_from ? share_publisher > share_from : failed_publisher > failed_from;
  // A candidate may simply be outdated; half of them are not.
  if ((published ? judged_publisher : judged_from) < kEnoughCandidates) return;
  if ((published ? failed_publisher : failed_from) <= 0) return;
  const PeerId guilty = published ? publisher : from;
  std::erase_if(pairs_, [&](const Pair& each) { return each.from == guilty || each.publisher == guilty; });
  ban(peers_[guilty], now);
}

bool PeerScores::banned(const PeerId& peer, TimePoint now) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && it->second.banned_until > now;
}

bool PeerScores::disbelieved(const PeerId& peer, TimePoint now) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && (it->second.banned_until > now || it->second.disbelieved_until > now);
}

bool PeerScores::avoided(const PeerId& peer, TimePoint now) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return false;
  const Record& record = it->second;
  return std::max({record.banned_until, record.disbelieved_until, record.avoided_until}) > now;
}

double PeerScores::score(const PeerId& peer) const {
  std::int64_t judged = 0, failed = 0;
  for (const Pair& each : pairs_)
    if (each.publisher == peer) judged += each.judged(), failed += each.failed();
  return judged == 0 ? 1 : -static_cast<double>(failed) / static_cast<double>(judged);
}

}  // namespace ghmesh::mesh
