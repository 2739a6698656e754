// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "crypto/secret.hpp"

// The node's own secret: 32 random bytes in <cache-dir>/node.key (mode 0600, made once), from which the keys of cache
// look-ups and token partitions are derived. With it entries on disk are found again after a restart; without the file
// the old entries are just never found. Blocking; at start only.

namespace ghmesh::node {

struct NodeKeys {
  crypto::SecretBytes lookup;     // 32 bytes
  crypto::SecretBytes partition;  // 32 bytes
};

// directory "" (memory only): keys for this run alone. Refused if the file is not a regular file of ours.
Result<NodeKeys> load_node_keys(const std::string& directory, Random& random);

}  // namespace ghmesh::node
