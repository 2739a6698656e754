// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "node/config/config.hpp"

// What follows from other settings and from the machine: defaults that no text in the table can say, and the secret.

namespace ghmesh::node::config {

// Whether the setting of that flag was given by anyone.
using WasGiven = std::function<bool(std::string_view flag)>;
// "--secret-file", "GHMESH_SECRET_FILE", "node.toml: p2p.secret_file"
using SourceOf = std::function<std::string(std::string_view flag)>;

Result<> fill_defaults(Config& config, const Variables& variables, const WasGiven& was_given);

Result<> find_secret(Config& config, const Inputs& inputs, const SourceOf& source_of, bool file_by_flag_or_variable);

}  // namespace ghmesh::node::config
