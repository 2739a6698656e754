// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "mesh/wire/message.hpp"

// Who owns what: 64 partitions, each with the three members of the highest rendezvous score (Thaler, Ravishankar 1998),
// weighted. Everybody computes the same from the same members; a member that comes or goes moves only its own share.
// A plain value; one thread.

namespace ghmesh::mesh {

inline constexpr std::size_t kPartitions = 64;
inline constexpr std::size_t kRanks = 3;
// A member that was declared to live long owns eight times as much as one that is gone in ten minutes.
inline constexpr std::uint32_t kStableWeight = 8;

// H mod 64.
inline std::uint8_t partition_of(const LookupKey& key) { return key.back() % kPartitions; }

class Ranks {
 public:
  using Row = std::vector<PeerId>;  // up to kRanks, best first

  struct Change {
    std::uint8_t partition;
    Row before;
  };
  // Weight 0 takes the member out. Gives the partitions whose row changed.
  std::vector<Change> set(const PeerId& peer, std::uint32_t weight);

  const Row& of(std::uint8_t partition) const { return rows_[partition]; }
  const Row& of(const LookupKey& key) const { return rows_[partition_of(key)]; }
  // 0 for the owner, 1 and 2 behind it, kRanks for nobody.
  std::size_t rank_of(const PeerId& peer, std::uint8_t partition) const;
  bool contains(const PeerId& peer) const { return weights_.contains(peer); }
  std::size_t size() const { return weights_.size(); }

 private:
  struct Scored {
    double score;
    PeerId peer;
  };
  void recompute(std::uint8_t partition);
  void store_row(std::uint8_t partition, std::vector<Scored>& best);

  struct Weighted {
    std::uint32_t weight;
    std::uint64_t hash;
  };
  std::unordered_map<PeerId, Weighted> weights_;
  std::array<Row, kPartitions> rows_;
  std::array<std::vector<Scored>, kPartitions> best_;
};

}  // namespace ghmesh::mesh
