// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "node/config/variables.hpp"

// Commands, declared once: parsing, --help and shell completion are made from their rows. A new command is a new row in
// commands.cpp and a function here.

namespace ghmesh::cli {

// The contract's exit codes; `run` passes its child's on.
enum Exit : int { kDone = 0, kFailed = 1, kUsage = 2, kNoNode = 3 };

// What a command may touch; tests hand in their own.
struct Context {
  node::config::Variables variables;
  std::ostream& out;
  std::ostream& err;
  std::string program = "/proc/self/exe";  // how to run ghmesh again
};

struct Command {
  std::string_view name;     // one or two words: "get", "secret new"
  std::string_view usage;    // what follows the name: "[flags] URL|PATH"
  std::string_view summary;  // one line for the overview
  std::string_view details;  // paragraphs of the command's own help
  ArgumentRules rules;
  int (*run)(const Arguments& arguments, Context& context) = nullptr;
  std::string_view operand_words = {};  // for completion: "bash zsh fish"
  bool hidden = false;                  // for those who work on ghmesh: in no overview and no completion
};

std::span<const Command> commands();

// Everything after the program's name. Returns the exit status.
int run(std::span<const std::string> words, Context& context);

// One line on context.err: "ghmesh: " and the text. Returns exit.
int complain(Context& context, Exit exit, std::string_view text);
int complain(Context& context, const Error& error);

std::string overview();
std::string help_of(const Command& command);
// The paragraph that commands which ask a node have in common.
std::string_view how_a_node_is_found();
// ghmesh(1), for `ghmesh --man` and `make install`.
std::string manual_page();
// Nothing for an unknown shell.
std::optional<std::string> completion_script(std::string_view shell);

// The commands themselves, one file each or a file per family.
int serve(const Arguments& arguments, Context& context);
int run_command(const Arguments& arguments, Context& context);
int init(const Arguments& arguments, Context& context);
int stop(const Arguments& arguments, Context& context);
int keep(const Arguments& arguments, Context& context);
int demo(const Arguments& arguments, Context& context);
int simulate(const Arguments& arguments, Context& context);
int get(const Arguments& arguments, Context& context);
int explain(const Arguments& arguments, Context& context);
int stats(const Arguments& arguments, Context& context);
int quota(const Arguments& arguments, Context& context);
int peers(const Arguments& arguments, Context& context);
int verify(const Arguments& arguments, Context& context);
int doctor_command(const Arguments& arguments, Context& context);
int top(const Arguments& arguments, Context& context);
int purge(const Arguments& arguments, Context& context);
int id(const Arguments& arguments, Context& context);
int secret_new(const Arguments& arguments, Context& context);
int completion(const Arguments& arguments, Context& context);
int register_peer(const Arguments& arguments, Context& context);
int discover(const Arguments& arguments, Context& context);
int mcp(const Arguments& arguments, Context& context);
int p2p(const Arguments& arguments, Context& context);

}  // namespace ghmesh::cli
