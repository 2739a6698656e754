// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "node/config/config.hpp"

// The command line as a value: "--flag VALUE", "--flag=VALUE", "-f VALUE", switches, operands, and what follows "--".
// The settings of a node (node/config/options.hpp) are flags too where a command takes them.

namespace ghmesh::cli {

struct FlagSpec {
  std::string_view name;      // without dashes
  char letter = 0;            // "-i", or none
  std::string_view notation;  // "FILE"; empty for a switch
  std::string_view meaning;   // without a full stop
};

struct ArgumentRules {
  std::span<const FlagSpec> flags;
  bool node_settings = false;  // also every row of the table of settings, and --config FILE
  bool runs_command = false;   // operands end the flags: "run CMD --flag" gives --flag to CMD
  bool verbatim = false;       // every word but a first --help is an operand: the command has a grammar of its own
  std::size_t operands_min = 0;
  std::size_t operands_max = 0;
  std::string_view operands;  // "URL|PATH", for messages
};

struct Arguments {
  std::vector<std::pair<std::string, std::string>> flags;  // the command's own, by name; switches have no value
  node::config::Flags settings;                            // the node's
  std::vector<std::string> operands;
  bool help = false;

  bool has(std::string_view name) const;
  std::optional<std::string> get(std::string_view name) const;  // the last one given
  std::vector<std::string> all(std::string_view name) const;
};

// Malformed: what is wrong with the usage, and what to do.
Result<Arguments> parse_arguments(const ArgumentRules& rules, std::span<const std::string> words);

// The candidate that word is probably a slip of; nothing if none is near.
std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates);

}  // namespace ghmesh::cli
