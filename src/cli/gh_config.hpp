// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "node/config/variables.hpp"

// gh sends its requests to a unix socket if its configuration says so. A command gets a copy of the user's
// configuration that does; the original is never touched.

namespace ghmesh::cli {

// gh's configuration directory: GH_CONFIG_DIR, XDG_CONFIG_HOME/gh, or ~/.config/gh. Nothing without a home.
std::optional<std::string> gh_config_dir(const node::config::Variables& variables);

// The text of a config.yml in which the top-level http_unix_socket is path and everything else stands as it stood.
// Unsupported for a document that is not a block mapping: changing it would take a YAML parser.
Result<std::string> with_unix_socket(std::string_view yaml, std::string_view path);

// Makes to (mode 0700) with copies (0600) of the files of from, of which config.yml points at socket. A from that is
// not there counts as empty.
Result<> copy_gh_config(const std::optional<std::string>& from, const std::string& to, std::string_view socket);

}  // namespace ghmesh::cli
