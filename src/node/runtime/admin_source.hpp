// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "admin/source.hpp"
#include "base/clock.hpp"
#include "node/runtime/mesh_wing.hpp"
#include "proxy/activity.hpp"
#include "proxy/authority.hpp"
#include "proxy/plan.hpp"
#include "proxy/proxy.hpp"
#include "proxy/quota_book.hpp"
#include "proxy/stats.hpp"
#include "store/tiered_store.hpp"

// What the admin listener shows of a node, gathered from the rooms that count it. Borrows all it is given. Loop thread.

namespace ghmesh::node {

struct AdminParts {
  const Clock& clock;
  const proxy::Planner& planner;
  const proxy::AuthorityRules& authorities;
  const proxy::Stats& stats;
  const proxy::Activity& activity;
  proxy::Proxy& proxy;
  std::string upstream_authority;
  std::string policy;  // --freshness
  proxy::QuotaBook& quota;
  store::TieredStore& store;
  TimePoint started;
  std::function<std::vector<std::string>()> listen_addrs;
  std::function<bool()> draining;
  MeshWing* mesh = nullptr;  // null: a local cache
  std::string no_mesh;       // and why
  std::function<io::Task<std::vector<admin::Check>>()> verify;
};

class NodeAdminSource final : public admin::AdminSource {
 public:
  explicit NodeAdminSource(AdminParts parts) : parts_(std::move(parts)) {}

  std::optional<std::string> not_ready() const override;
  admin::Stats stats() const override;
  std::vector<admin::QuotaRow> quota() const override;
  admin::ActivityView activity() const override;
  admin::MeshView mesh() const override;
  io::Task<std::vector<admin::Check>> verify() override { return parts_.verify(); }
  io::Task<Result<admin::Explanation>> explain(admin::Explained asked) override;
  // "*", a path (whatever its query), or /repos/OWNER/REPO/*; Unsupported for another pattern, as keys cannot be turned
  // back into paths.
  io::Task<Result<std::uint64_t>> purge(std::string pattern, bool mesh) override;

 private:
  std::string proof_state() const;
  admin::Fleet fleet() const;
  void explain_mesh(admin::Explanation& out, const proxy::Plan& plan);
  void explain_proof(admin::Explanation& out, const proxy::Plan& plan);

  AdminParts parts_;
};

}  // namespace ghmesh::node
