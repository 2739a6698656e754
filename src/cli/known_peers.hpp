// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/config/config.hpp"

// Other members as a command can know them without asking them.

namespace ghmesh::cli {

// Multiaddrs with their peer ids: --bootstrap's, then those of the registry directory, newest first, 10 at most;
// without self. What cannot be read counts as empty.
std::vector<std::string> known_peers(const node::config::Config& config, const std::optional<std::string>& self);

}  // namespace ghmesh::cli
