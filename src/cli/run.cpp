// SPDX-License-Identifier: Apache-2.0
// From words to a command.
#include "command.hpp"

namespace ghmesh::cli {

namespace {

// The command whose name the words begin with; two-word names win over shorter ones.
const Command* find_command(std::span<const std::string> words, std::size_t& used) {
  for (const std::size_t count : {std::size_t{2}, std::size_t{1}}) {
    if (words.size() < count) continue;
    const std::string name = count == 2 ? words[0] + " " + words[1] : words[0];
    for (const Command& command : commands()) {
      if (command.name != name) continue;
      used = count;
      return &command;
    }
  }
  return nullptr;
}

int unknown_command(const std::string& word, Context& context) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    names.emplace_back(command.name);
    if (command.name.starts_with(word + " "))
      return complain(context, kUsage, word + ": incomplete; did you mean ghmesh " + std::string(command.name) + "?");
  }
  const auto near = closest(word, names);
  return complain(context, kUsage,
                  word + ": no such command; " +
                      (near ? "did you mean ghmesh " + *near + "?" : std::string("ghmesh --help names them")));
}

}  // namespace

int complain(Context& context, Exit exit, std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  context.err << "ghmesh: " << line << std::endl;
  return exit;
}

int complain(Context& context, const Error& error) { return complain(context, kFailed, error.message); }

int run(std::span<const std::string> words, Context& context) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || (words[0] == "help" && words.size() == 1)) {
    // Asked for, it is an answer; unasked, it says what was missing.
    (words.empty() ? context.err : context.out) << overview();
    return words.empty() ? kUsage : kDone;
  }
  if (words[0] == "--version" || words[0] == "-V" || words[0] == "version") {
    context.out << "ghmesh " << GHMESH_VERSION << std::endl;
    return kDone;
  }
  if (words[0] == "--man") {  // for `make install`, so in no overview
    context.out << manual_page();
    return kDone;
  }
  const bool wants_help = words[0] == "help";
  if (wants_help) words = words.subspan(1);
  std::size_t used = 0;
  const Command* command = find_command(words, used);
  if (command == nullptr) return unknown_command(words[0], context);
  if (wants_help) {
    context.out << help_of(*command);
    return kDone;
  }
  const Result<Arguments> arguments = parse_arguments(command->rules, words.subspan(used));
  if (!arguments) {
    return complain(context, kUsage,
                    std::string(command->name) + ": " + arguments.error().message + " (ghmesh " +
                        std::string(command->name) + " --help)");
  }
  if (arguments->help) {
    context.out << help_of(*command);
    return kDone;
  }
  const int status = command->run(*arguments, context);
  context.out.flush();
  // A full disk or a closed pipe behind stdout is a failure, not a success with half the output.
  if (status == kDone && !context.out) return complain(context, kFailed, "writing to standard output failed");
  return status;
}

}  // namespace ghmesh::cli
