// SPDX-License-Identifier: Apache-2.0
#include "node/runtime/mesh_wing.hpp"

// What the request path makes of the mesh, for monitors; the mesh's own counts are in node_metrics.cpp.

namespace ghmesh::node {

void MeshWing::add_metrics() {
  const auto add = [this](const char* name, const char* help, auto read) {
    parts_.metrics.collect(name, help, metrics::Kind::Counter, [this, read] {
      return std::vector<metrics::Sample>{{{}, static_cast<double>(read(*this))}};
    });
  };
  add("ghmesh_mesh_alone_total", "Questions that nobody answered in time, or that are not shared.",
      [](auto& w) { return w.link_->mesh().stats().alone; });
  add("ghmesh_mesh_bad_seals_total", "Answers that only a holder of the token could have made, and nobody had.",
      [](auto& w) { return w.sharing_->counts().bad_seals; });
  add("ghmesh_mesh_kept_back_total", "Bodies that may not leave this node.",
      [](auto& w) { return w.sharing_->counts().kept_back; });
  add("ghmesh_mesh_unconfirmed_writes_total", "Members that had not confirmed a write within 100 ms.",
      [](auto& w) { return w.sharing_->counts().unconfirmed; });
}

}  // namespace ghmesh::node
