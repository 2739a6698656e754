// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.hpp"
#include "libp2p/core/keys.hpp"

namespace ghmesh::cli {

// The key of an identity file. NotFound, Malformed; the message names the file.
Result<libp2p::PrivateKey> read_identity(const std::string& path);

}  // namespace ghmesh::cli
