// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ghmesh::admin {

// Bounds of the admin listener's own input. Framing and connections have theirs in http/server.
struct Limits {
  // What GitHub's front end takes as a target, in percent-encoding of every octet.
  std::size_t max_query = 3 * 8 * 1024;
  // A pattern is a path that a person types.
  std::size_t max_pattern = 1024;
};

}  // namespace ghmesh::admin
