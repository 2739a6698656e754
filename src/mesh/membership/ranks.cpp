// SPDX-License-Identifier: Apache-2.0
#include "ranks.hpp"

#include <algorithm>
#include <cmath>

#include "crypto/hash.hpp"

namespace ghmesh::mesh {
namespace {

double score_of(std::uint64_t peer_hash, std::uint32_t weight, std::uint8_t partition) {
  std::uint64_t z = peer_hash ^ (0x9e3779b97f4a7c15u * (std::uint64_t{partition} + 1));
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  // 53 bits in (0, 1): the share of weight w among all is exactly w over the sum.
  const double uniform = (static_cast<double>(z >> 11) + 0.5) * 0x1.0p-53;
  return -static_cast<double>(weight) / std::log(uniform);
}

}  // namespace

std::size_t Ranks::rank_of(const PeerId& peer, std::uint8_t partition) const {
  const Row& row = rows_[partition];
  for (std::size_t i = 0; i < row.size(); ++i)
    if (row[i] == peer) return i;
  return kRanks;
}

void Ranks::store_row(std::uint8_t partition, std::vector<Scored>& best) {
  Row& row = rows_[partition];
  row.clear();
  for (const Scored& each : best) row.push_back(each.peer);
}

void Ranks::recompute(std::uint8_t partition) {
  std::vector<Scored>& best = best_[partition];
  best.clear();
  for (const auto& [peer, weighted] : weights_) {
    const double score = score_of(weighted.hash, weighted.weight, partition);
    if (best.size() == kRanks && score <= best.back().score) continue;
    const auto place = std::find_if(best.begin(), best.end(), [&](const Scored& each) { return score > each.score; });
    best.insert(place, {score, peer});
    if (best.size() > kRanks) best.pop_back();
  }
}

std::vector<Ranks::Change> Ranks::set(const PeerId& peer, std::uint32_t weight) {
  const auto it = weights_.find(peer);
  const std::uint32_t old = it == weights_.end() ? 0 : it->second.weight;
  if (old == weight) return {};
  std::uint64_t hash =
      it == weights_.end() ? load_be<std::uint64_t>(crypto::sha256(peer.bytes()).data()) : it->second.hash;
  if (weight == 0) {
    weights_.erase(peer);
  } else {
    weights_[peer] = {weight, hash};
  }
  std::vector<Change> changed;
  for (std::uint8_t p = 0; p < kPartitions; ++p) {
    std::vector<Scored>& best = best_[p];
    const bool ranked = rank_of(peer, p) < kRanks;
    if (ranked) {
      recompute(p);
    } else {
      if (weight == 0) continue;
      const double score = score_of(hash, weight, p);
      if (best.size() == kRanks && score <= best.back().score) continue;
      const auto place = std::find_if(best.begin(), best.end(), [&](const Scored& each) { return score > each.score; });
      best.insert(place, {score, peer});
      if (best.size() > kRanks) best.pop_back();
    }
    Row before = rows_[p];
    store_row(p, best);
    if (rows_[p] != before) changed.push_back({p, std::move(before)});
  }
  return changed;
}

}  // namespace ghmesh::mesh
