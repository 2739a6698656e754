// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// A TOML 1.0 file as dotted keys and texts. Tables nest to one level; values are strings, integers, booleans and arrays
// of strings, as the table of settings can use nothing else.

namespace ghmesh::node::config {

using TomlValues = std::map<std::string, std::vector<std::string>, std::less<>>;

// Malformed names the line.
Result<TomlValues> parse_toml(std::string_view text);

}  // namespace ghmesh::node::config
