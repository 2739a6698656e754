// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "libp2p/core/keys.hpp"

// The node's Ed25519 identity (--identity): the private key protobuf of libp2p in a file of mode 0600, made once, so
// that the peer id survives restarts. Blocking; at start only.

namespace ghmesh::node {

// Refused: not a regular file of this user with mode 0600. Malformed: not a key.
Result<libp2p::PrivateKey> read_identity(const std::string& path);
// The same, made if it is not there. path: nothing for an identity of this run alone.
Result<libp2p::PrivateKey> load_identity(const std::optional<std::string>& path, Random& random);

}  // namespace ghmesh::node
