// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include "limits.hpp"
#include "mesh/wire/message.hpp"

// What GitHub said about a bucket (a token's, or a repository's job tokens', as a keyed hash): stop until then. One
// node's own answer is believed until the reset; one other's word for 30 seconds, that of three for five minutes, and
// of each one more for as long again: then the member whose turn it is looks for itself. At the end the nodes come back
// one after the other, so that the first one's result stops or frees the rest. One thread.

namespace ghmesh::mesh {

class PauseBoard {
 public:
  explicit PauseBoard(const ExchangeLimits& limits) : limits_(limits) {}

  // GitHub told this node.
  void on_own(const TokenTag& bucket, Duration length, TimePoint now);
  // A member says so; length 0: the bucket works again.
  void on_told(const PeerId& from, const TokenTag& bucket, Duration length, TimePoint now);
  // GitHub answered this node normally. True if that ends a pause, which the others should hear.
  bool on_success(const TokenTag& bucket, TimePoint now);

  // When this node may use the bucket: nothing means now. place is its position among the members for this bucket: the
  // first one goes at once when the pause ends, the others a little later.
  std::optional<TimePoint> until(const TokenTag& bucket, std::size_t place, TimePoint now) const;
  std::size_t size() const { return pauses_.size(); }

 private:
  struct Hash {
    std::size_t operator()(const TokenTag& tag) const { return load_le<std::uint64_t>(tag.data()); }
  };
  struct Pause {
    TimePoint ends{};
    bool own = false;
    TimePoint first_told{};
    std::vector<std::pair<PeerId, TimePoint>> reporters;  // who says until when
  };
  Pause* slot(const TokenTag& bucket, TimePoint now);

  static constexpr std::size_t kCorroborated = 3;
  // Enough that an honest fleet's words last until the reset.
  static constexpr std::size_t kReporters = 16;

  const ExchangeLimits& limits_;
  std::unordered_map<PeerId, TimePoint> disproved_;  // not listened to until then
  std::unordered_map<TokenTag, Pause, Hash> pauses_;
};

}  // namespace ghmesh::mesh
