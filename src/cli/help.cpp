// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"
#include "node/config/options.hpp"

namespace ghmesh::cli {

namespace {

void append_row(std::string& out, std::string head, std::string_view text, std::size_t column) {
  if (head.size() + 2 > column) {
    out += head + "\n";
    head.clear();
  }
  head.resize(column, ' ');
  out += head;
  out += text;
  out += '\n';
}

std::string flag_text(const FlagSpec& flag) {
  std::string out = "  ";
  if (flag.letter != 0) out += std::string("-") + flag.letter + ", ";
  out += "--" + std::string(flag.name);
  if (!flag.notation.empty()) out += " " + std::string(flag.notation);
  return out;
}

bool asks_a_node(const Command& command) {
  for (const FlagSpec& flag : command.rules.flags) {
    if (flag.name == "ready-file") return true;
  }
  return false;
}

}  // namespace

std::string overview() {
  std::string out =
      "ghmesh: a cache for the GitHub API that a whole CI fleet shares.\n"
      "\n"
      "Usage: ghmesh COMMAND [flags]\n"
      "\n";
  for (const Command& command : commands())
    if (!command.hidden) append_row(out, "  " + std::string(command.name), command.summary, 16);
  out +=
      "\n"
      "  ghmesh COMMAND --help     what a command does and takes\n"
      "  ghmesh --version\n"
      "\n"
      "Every setting of a node is a flag (--disk-max), a variable (GHMESH_DISK_MAX) and a key of --config FILE.\n"
      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 no node answers.\n";
  return out;
}

std::string help_of(const Command& command) {
  std::string out = "Usage: ghmesh " + std::string(command.name);
  if (!command.usage.empty()) out += " " + std::string(command.usage);
  out += "\n\n" + std::string(command.summary) + ".\n\n" + std::string(command.details);
  if (asks_a_node(command)) out += "\n" + std::string(how_a_node_is_found());
  out += "\nFlags:\n";
  for (const FlagSpec& flag : command.rules.flags) append_row(out, flag_text(flag), flag.meaning, 34);
  if (command.rules.node_settings)
    append_row(out, "  --config FILE", "settings as TOML; flags and variables go first", 34);
  append_row(out, "  -h, --help", "this text", 34);
  if (command.rules.node_settings) {
    out += "\n" + node::config::describe_options();
    out +=
        "\nEvery setting --some-thing is also the variable GHMESH_SOME_THING and a key of --config FILE. The flag "
        "goes\n"
        "first, then the variable, then the older tool's variable, then the file, then the default in brackets.\n";
  }
  return out;
}

}  // namespace ghmesh::cli
