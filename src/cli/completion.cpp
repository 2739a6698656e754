// SPDX-License-Identifier: Apache-2.0
// Shell completion, written from the same rows as --help.
#include "command.hpp"
#include "node/config/options.hpp"

namespace ghmesh::cli {

namespace {

struct Word {
  std::string flag;  // "--listen"
  std::string_view meaning;
  bool takes_value = false;
  bool takes_path = false;
  std::vector<std::string_view> choices;
};

bool is_path(std::string_view notation) {
  return notation.starts_with("PATH") || notation.starts_with("FILE") || notation.starts_with("DIR");
}

std::vector<Word> flags_of(const Command& command) {
  std::vector<Word> out;
  for (const FlagSpec& flag : command.rules.flags)
    out.push_back({"--" + std::string(flag.name), flag.meaning, !flag.notation.empty(), is_path(flag.notation), {}});
  if (command.rules.node_settings) {
    out.push_back({"--config", "settings as TOML", true, true, {}});
    for (const auto& option : node::config::options())
      out.push_back({"--" + std::string(option.flag), option.meaning, true, is_path(option.notation),
                     node::config::choices_of(option)});
  }
  out.push_back({"--help", "this text", false, false, {}});
  return out;
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : " ") + std::string(word);
  return out;
}

// First words of commands, each once: "secret new" completes in two steps.
std::vector<std::string_view> first_words() {
  std::vector<std::string_view> out;
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    const std::string_view word = command.name.substr(0, command.name.find(' '));
    if (out.empty() || out.back() != word) out.push_back(word);
  }
  return out;
}

std::string second_words(std::string_view first) {
  std::string out;
  for (const Command& command : commands()) {
    if (command.name.size() > first.size() && command.name.starts_with(first) && command.name[first.size()] == ' ')
      out += (out.empty() ? "" : " ") + std::string(command.name.substr(first.size() + 1));
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// The part that bash and zsh share: what follows a flag of this command, and its flags.
std::string bash_case(const Command& command) {
  std::string paths, words, all;
  for (const Word& flag : flags_of(command)) {
    all += (all.empty() ? "" : " ") + flag.flag;
    if (flag.takes_path) {
      paths += (paths.empty() ? "" : "|") + flag.flag;
    } else if (!flag.choices.empty()) {
      words += "        " + flag.flag + ") _ghmesh_words " + quoted(joined(flag.choices)) + "; return ;;\n";
    } else if (flag.takes_value) {
      words += "        " + flag.flag + ") return ;;\n";
    }
  }
  std::string out = "    " + quoted(command.name) + ")\n      case \"$prev\" in\n";
  if (!paths.empty()) out += "        " + paths + ") _ghmesh_files; return ;;\n";
  out += words + "      esac\n";
  if (command.rules.runs_command)
    out += "      case \"$cur\" in -*) ;; *) COMPREPLY=($(compgen -c -- \"$cur\")); return ;; esac\n";
  std::string offered = all;
  if (!command.operand_words.empty()) offered += " " + std::string(command.operand_words);
  return out + "      _ghmesh_words " + quoted(offered) + " ;;\n";
}

std::string bash() {
  std::string out = R"(# bash completion of ghmesh: source <(ghmesh completion bash)
_ghmesh_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }
_ghmesh_files() { COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null; }
_ghmesh() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]}
  COMPREPLY=()
  # bash takes --flag=value apart at the sign
  if [ "$cur" = = ]; then cur=; elif [ "$prev" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    _ghmesh_words )";
  out += quoted(joined(first_words()) + " --help --version") + "\n    return\n  fi\n";
  for (const std::string_view first : first_words()) {
    const std::string second = second_words(first);
    if (second.empty()) continue;
    out += "  if [ \"$command\" = " + quoted(first) +
           " ]; then\n    if [ \"$COMP_CWORD\" -eq 2 ]; then _ghmesh_words " + quoted(second) +
           "; return; fi\n    command=\"$command ${COMP_WORDS[2]}\"\n  fi\n";
  }
  out += "  case \"$command\" in\n";
  for (const Command& command : commands())
    if (!command.hidden) out += bash_case(command);
  return out + "  esac\n}\ncomplete -F _ghmesh ghmesh\n";
}

// zsh runs bash's function through its own compatibility layer.
std::string zsh() {
  return "# zsh completion of ghmesh: source <(ghmesh completion zsh)\n"
         "autoload -Uz compinit bashcompinit\n"
         "(( $+functions[compdef] )) || compinit\n"
         "bashcompinit\n" +
         bash();
}

std::string fish() {
  std::string out = "# fish completion of ghmesh: ghmesh completion fish | source\ncomplete -c ghmesh -f\n";
  for (const Command& command : commands()) {
    if (command.hidden) continue;
    const std::string_view first = command.name.substr(0, command.name.find(' '));
    out += "complete -c ghmesh -n __fish_use_subcommand -a " + quoted(first) + " -d " + quoted(command.summary) + "\n";
    const std::string seen = " -n " + quoted("__fish_seen_subcommand_from " + std::string(first));
    if (const std::string second = second_words(first); !second.empty())
      out += "complete -c ghmesh" + seen + " -a " + quoted(second) + "\n";
    if (!command.operand_words.empty())
      out += "complete -c ghmesh" + seen + " -a " + quoted(command.operand_words) + "\n";
    for (const Word& flag : flags_of(command)) {
      out += "complete -c ghmesh" + seen + " -l " + flag.flag.substr(2);
      if (flag.takes_value) out += flag.takes_path ? " -r -F" : " -x";
      if (!flag.choices.empty()) out += " -a " + quoted(joined(flag.choices));
      out += " -d " + quoted(flag.meaning) + "\n";
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") return bash();
  if (shell == "zsh") return zsh();
  if (shell == "fish") return fish();
  return std::nullopt;
}

int completion(const Arguments& arguments, Context& context) {
  const auto script = completion_script(arguments.operands[0]);
  if (!script)
    return complain(context, kUsage, "completion: '" + arguments.operands[0] + "' is not one of bash, zsh, fish");
  context.out << *script;
  return kDone;
}

}  // namespace ghmesh::cli
