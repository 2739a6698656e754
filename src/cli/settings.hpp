// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "node/config/config.hpp"

// What commands that start a node ask of its settings.

namespace ghmesh::cli {

// Nobody chose it: neither a flag, nor a variable, nor a file.
inline bool is_default(const node::config::Loaded& loaded, std::string_view flag) {
  for (const node::config::Origin& origin : loaded.origins) {
    if (origin.flag == flag) return origin.source == "default";
  }
  return true;
}

}  // namespace ghmesh::cli
