// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "limits.hpp"
#include "mesh/wire/message.hpp"

// What a peer's answers were worth. Candidates that fail the proof more often than change explains, and messages that
// break the protocol, ban it: 10 minutes, doubling to 24 hours. A peer that does not answer is passed over for seconds,
// one that lets others wait for nothing for minutes.
// One thread.

namespace ghmesh::mesh {

enum class Experience : std::uint8_t { ProtocolError, Answered, Silent, Misled };

class PeerScores {
 public:
  explicit PeerScores(const ExchangeLimits& limits) : limits_(limits) {}

  void note(const PeerId& peer, Experience experience, TimePoint now);
  // How bytes fared that `from` sent and `publisher` is said to have fetched. Both have a hand in many others' bytes:
  // of the two the one of whose bytes a larger share failed is banned, then the one with more of them; from, if nothing
  // tells them apart.
  void judge(const PeerId& from, const PeerId& publisher, bool proved, TimePoint now);
  bool banned(const PeerId& peer, TimePoint now) const;
  // Let others wait for nothing; or banned.
  bool disbelieved(const PeerId& peer, TimePoint now) const;
  // Either of them, or silent lately.
  bool avoided(const PeerId& peer, TimePoint now) const;
  // From -1 (nothing it published was true) to 1.
  double score(const PeerId& peer) const;
  void forget(const PeerId& peer) { peers_.erase(peer); }

 private:
  static constexpr unsigned kProtocolErrors = 3;
  static constexpr std::int64_t kEnoughCandidates = 20;
  static constexpr std::size_t kPeers = 8192;
  struct Record {
    std::uint32_t protocol_errors = 0;
    std::uint32_t silences = 0;  // in a row
    std::uint32_t bans = 0;
    TimePoint banned_until{};
    TimePoint avoided_until{};
    std::uint32_t misled = 0;
    TimePoint disbelieved_until{};
  };
  struct Pair {
    PeerId from, publisher;
    std::uint32_t proved = 0;
    std::uint32_t mismatched = 0;
    std::int64_t judged() const { return std::int64_t{mismatched} + std::int64_t{proved}; }
    std::int64_t failed() const { return std::int64_t{mismatched} - std::int64_t{proved}; }
  };
  static constexpr std::size_t kPairs = 1024;
  void ban(Record& record, TimePoint now);

  const ExchangeLimits& limits_;
  std::unordered_map<PeerId, Record> peers_;
  std::deque<Pair> pairs_;  // the oldest first
};

}  // namespace ghmesh::mesh
