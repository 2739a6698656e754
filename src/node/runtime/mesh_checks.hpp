// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "admin/mesh_view.hpp"
#include "io/task.hpp"
#include "node/config/config.hpp"
#include "proxy/way_out.hpp"

// What `ghmesh verify` has the node try: its way out of this network, its identity file, its peer listener, its place
// in the registry, its peers, and an entry there and back through each connected one. Loop thread.

namespace ghmesh::node {

class MeshWing;

// way_out: null if the node goes out directly. wing: null for a node without a mesh, and why_none says why.
io::Task<std::vector<admin::Check>> check_node(const config::Config& config, const proxy::WayOut* way_out,
                                               MeshWing* wing, std::string why_none);

}  // namespace ghmesh::node
