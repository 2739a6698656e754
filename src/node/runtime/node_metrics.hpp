// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/metrics.hpp"
#include "http/server/server.hpp"
#include "io/loop.hpp"
#include "node/runtime/mesh_wing.hpp"
#include "proxy/proxy.hpp"
#include "proxy/quota_book.hpp"
#include "store/tiered_store.hpp"

// What /metrics shows besides the counters that rooms make themselves (the table is in doc/operating.md): states that
// are read when somebody asks. Loop thread; borrows what it reads, which must outlive the registry's last reader.

namespace ghmesh::node {

class NodeMetrics {
 public:
  struct Parts {
    io::Loop& loop;
    metrics::Registry& registry;
    proxy::Proxy& proxy;
    proxy::QuotaBook& quota;
    store::TieredStore& store;
    const http::server::Server& server;
    MeshWing* mesh = nullptr;  // null: a local cache
  };
  explicit NodeMetrics(Parts parts);

 private:
  void add_node();
  void add_process();
  void add_quota();
  void add_proofs();
  void add_store();
  void add_mesh();
  void on_tick();

  Parts parts_;
  metrics::Histogram& lag_;
  io::Timer tick_;
  TimePoint due_{};
};

}  // namespace ghmesh::node
