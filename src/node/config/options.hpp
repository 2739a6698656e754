// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "node/config/config.hpp"

// Every setting of a node, declared once: its flag, variables, TOML key, default, notation and meaning. Reading of all
// four sources, --help, the manual page and shell completion are made from these rows. A new setting is a new row here
// and a member of Config.

namespace ghmesh::node::config {

// A variable of an older tool, and how its value reads as ours. Nothing: it does not concern us.
struct Compatible {
  std::string_view variable;  // empty: none
  std::optional<std::string> (*translate)(std::string_view value, const Config& so_far, const Variables&) = nullptr;
};

struct Option {
  std::string_view flag;      // without dashes
  std::string_view toml;      // "listen", "p2p.listen"
  std::string_view notation;  // "ADDR:PORT"; choices are written on|off
  std::string_view fallback;  // the default as one would write it; "" if there is none
  std::string_view group;     // heading in --help
  std::string_view meaning;   // one sentence; ends without a full stop
  bool many = false;          // may be repeated, or hold several values joined by commas
  Compatible compatible{};
  // Puts the value, or all values of a many, into config. Called once, in the table's order, also for the fallback.
  Result<> (*apply)(Config& config, std::span<const std::string> values) = nullptr;
};

std::span<const Option> options();
const Option* find_option(std::string_view flag);

// "--p2p-listen" is GHMESH_P2P_LISTEN.
std::string variable_of(const Option& option);

// The words a notation such as "on|off" allows; empty if it is not a list of words.
std::vector<std::string_view> choices_of(const Option& option);

// Variables named GHMESH_* that no row of the table makes: set for children, or read by commands.
bool is_other_variable(std::string_view name);

// The table as text for --help, lines of at most 100 columns.
std::string describe_options();

}  // namespace ghmesh::node::config
