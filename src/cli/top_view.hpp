// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

// What `ghmesh top` shows, as a function from what the node said to lines of text. ASCII only, and nothing that a
// terminal would act on but colours. Values; one thread.

namespace ghmesh::cli {

struct TopCount {
  std::string_view name;
  std::int64_t count = 0;
  double rate = 0;  // a second
};

struct TopQuota {
  std::string token, resource;
  std::int64_t limit = 0, remaining = 0, reset = 0;
};

struct TopPeer {
  std::string id, address, role;
  std::optional<double> rtt_ms;
  std::int64_t bytes_in = 0, bytes_out = 0;
};

enum class PeerOrder : std::uint8_t { Rtt, In, Out, Id };
std::string_view to_string(PeerOrder order);

class TopModel {
 public:
  // /api/stats; rates are over the time since the one before. False: it is not that.
  bool take_stats(std::string_view json);
  bool take_peers(std::string_view json);
  // The data of an event of /api/events, by its name.
  void take_event(std::string_view name, std::string_view json);

  std::string where;                   // the node's address
  std::optional<std::string> trouble;  // why there is nothing new
  bool paused = false;
  bool reversed = false;
  PeerOrder order = PeerOrder::Rtt;

  bool known() const { return known_; }
  // Exactly rows lines of at most columns characters; rows 0: as many as there is to say, without keys.
  std::vector<std::string> draw(int columns, int rows, bool colours, WallTime now) const;

 private:
  static constexpr std::size_t kEvents = 200;

  std::vector<TopPeer> sorted_peers() const;

  bool known_ = false;
  double uptime_ = 0, hit_rate_ = 0;
  std::string peer_id_, why_no_mesh_;
  TopCount requests_, charged_, saved_;
  std::int64_t connected_ = 0;
  std::vector<TopCount> answers_;
  std::vector<TopQuota> quotas_;
  std::vector<TopPeer> peers_;
  std::deque<std::string> events_;  // newest first
};

}  // namespace ghmesh::cli
