// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "admin/event_hub.hpp"
#include "base/log.hpp"
#include "github/calibration.hpp"
#include "io/loop.hpp"
#include "mesh/link/link.hpp"
#include "proxy/activity.hpp"
#include "proxy/proxy.hpp"
#include "proxy/quota_book.hpp"
#include "store/tiered_store.hpp"

// What the node tells the readers of /api/events (doc/formats/events.md). Requests are handed over as they are counted,
// and only while somebody reads; members of the mesh as they come and go. Everything else that is rare is found by
// looking once a second at what the rooms count: so no room needs to know of events, and looking costs microseconds.
// Loop thread; borrows what it looks at.

namespace ghmesh::node {

class NodeEvents {
 public:
  struct Parts {
    io::Loop& loop;
    proxy::Activity& activity;
    proxy::Proxy& proxy;
    proxy::QuotaBook& quota;
    store::TieredStore& store;
    std::function<std::string()> stats;  // the contract's object, one line
    mesh::Link* mesh = nullptr;          // none: a local cache
    // Told of every rare event, with how bad it is and a JSON object.
    std::function<void(admin::EventKind, log::Level, const std::string& object)> told;
  };
  NodeEvents(Parts parts, std::string boot, metrics::Registry& registry);
  ~NodeEvents();
  NodeEvents(const NodeEvents&) = delete;
  NodeEvents& operator=(const NodeEvents&) = delete;

  admin::EventHub& hub() { return hub_; }
  // Looks now; else once a second by itself.
  void look();

 private:
  void watch(bool on);
  void look_at_breakers();
  void look_at_store();
  void look_at_quota();
  void on_member(const mesh::MemberChange& change);
  void tell(admin::EventKind kind, log::Level level, const std::string& object);

  Parts parts_;
  admin::EventHub hub_;
  io::Timer timer_;
  std::map<std::string, github::ProofPhase> phases_;  // bounded as the calibration's cells are
  struct Level {
    int level = 0;  // how many of the thresholds are passed
    std::int64_t reset = 0;
  };
  std::map<std::pair<std::string, std::string>, Level> levels_;  // by token's fingerprint and resource
  bool degraded_ = false;
  std::uint64_t io_errors_ = 0;
};

}  // namespace ghmesh::node
