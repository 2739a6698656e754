// SPDX-License-Identifier: Apache-2.0
#include "scores.hpp"

#include <algorithm>

namespace ghmesh::mesh {

void PeerScores::ban(Record& record, TimePoint now) {
  const auto minutes = std::chrono::minutes(10) * (1u << std::min(record.bans, 8u));
  record.banned_until = now + std::min<Duration>(minutes, std::chrono::hours(24));
  ++record.bans;
  record.proved = record.mismatched = record.protocol_errors = 0;
}

void PeerScores::note(const PeerId& peer, Experience experience, TimePoint now) {
  if (experience == Experience::Answered && !peers_.contains(peer)) return;
  if (peers_.size() >= kPeers && !peers_.contains(peer)) peers_.erase(peers_.begin());
  Record& record = peers_[peer];
  switch (experience) {
    case Experience::Proved: ++record.proved; break;
    case Experience::Mismatch:
      ++record.mismatched;
      // A candidate may simply be outdated; half of them are not.
      if (record.proved + record.mismatched >= kEnoughCandidates && record.mismatched > record.proved) ban(record, now);
      break;
    case Experience::ProtocolError:
      if (++record.protocol_errors >= kProtocolErrors) ban(record, now);
      break;
    case Experience::Answered:
      record.silences = 0;
      record.avoided_until = {};
      break;
    case Experience::Silent:
      record.avoided_until =
          now + std::min<Duration>(limits_.doubt * (1u << std::min(record.silences, 6u)), limits_.max_doubt);
      ++record.silences;
      break;
  }
}

bool PeerScores::banned(const PeerId& peer, TimePoint now) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && it->second.banned_until > now;
}

bool PeerScores::avoided(const PeerId& peer, TimePoint now) const {
  const auto it = peers_.find(peer);
  return it != peers_.end() && (it->second.banned_until > now || it->second.avoided_until > now);
}

double PeerScores::score(const PeerId& peer) const {
  const auto it = peers_.find(peer);
  if (it == peers_.end()) return 1;
  const double all = it->second.proved + it->second.mismatched;
  return all == 0 ? 1 : (it->second.proved - static_cast<double>(it->second.mismatched)) / all;
}

}  // namespace ghmesh::mesh
