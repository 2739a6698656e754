// SPDX-License-Identifier: Apache-2.0
// The manual page ghmesh(1) in man(7) macros, from the rows that --help and completion are made from. What is laid out
// by hand in them (columns, one example a line) stays so; the rest is filled.
#include "command.hpp"
#include "node/config/options.hpp"

namespace ghmesh::cli {

namespace {

// Lines shorter than this, other than the last of a paragraph, were broken on purpose.
constexpr std::size_t kFilled = 70;

// Text as troff reads it: no control lines, hyphens that can be copied.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i).starts_with("\u2026")) {
      out += "...";
      i += 2;
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '`') {
      out += "\\(ga";
    } else {
      out += c;
    }
  }
  return out;
}

// "one argument of a macro"
std::string argument(std::string_view text) {
  std::string out = "\"";
  for (const char c : escaped(text)) out += c == '"' ? std::string("\\(dq") : std::string(1, c);
  return out + "\"";
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

bool by_hand(std::span<const std::string_view> paragraph) {
  for (std::size_t i = 0; i < paragraph.size(); ++i) {
    if (paragraph[i].starts_with(' ')) return true;
    if (i + 1 < paragraph.size() && paragraph[i].size() < kFilled) return true;
  }
  return false;
}

void append_paragraph(std::string& out, std::span<const std::string_view> paragraph) {
  if (paragraph.empty()) return;
  const bool verbatim = by_hand(paragraph);
  out += ".PP\n";
  if (verbatim) out += ".nf\n";
  for (const std::string_view line : paragraph) out += escaped(line) + "\n";
  if (verbatim) out += ".fi\n";
}

void append_text(std::string& out, std::string_view text) {
  const std::vector<std::string_view> lines = lines_of(text);
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= lines.size(); ++i) {
    if (i < lines.size() && !lines[i].empty()) continue;
    append_paragraph(out, std::span(lines).subspan(begin, i - begin));
    begin = i + 1;
  }
}

// A term in bold, what it takes in italics, its meaning.
void append_row(std::string& out, std::string_view term, std::string_view notation, std::string_view meaning) {
  out += ".TP\n\\fB" + escaped(term) + "\\fR";
  if (!notation.empty()) out += " \\fI" + escaped(notation) + "\\fR";
  out += "\n" + escaped(meaning) + "\n";
}

void append_command(std::string& out, const Command& command) {
  out += ".SS " + argument("ghmesh " + std::string(command.name) + " " + std::string(command.usage)) + "\n";
  out += escaped(std::string(command.summary) + ".") + "\n";
  append_text(out, command.details);
  for (const FlagSpec& flag : command.rules.flags) {
    std::string term = flag.letter != 0 ? std::string("-") + flag.letter + ", " : "";
    term += "--" + std::string(flag.name);
    append_row(out, term, flag.notation, flag.meaning);
  }
  if (command.rules.node_settings) out += ".PP\nTakes the settings below as flags, too.\n";
}

void append_settings(std::string& out) {
  out +=
      ".SH SETTINGS\n"
      "A setting is a flag, a variable and a key of\n"
      ".B \\-\\-config\n"
      ".IR FILE .\n"
      "The flag goes first, then the variable, then the older tool's variable, then the file, then the default.\n";
  append_row(out, "--config", "FILE", "settings as TOML; GHMESH_CONFIG");
  std::string_view group;
  for (const node::config::Option& option : node::config::options()) {
    if (option.group != group) {
      group = option.group;
      out += ".SS " + argument(group) + "\n";
    }
    append_row(out, "--" + std::string(option.flag), option.notation, option.meaning);
    out += ".br\n" + escaped(node::config::variable_of(option)) + ", " + escaped(option.toml);
    if (!option.compatible.variable.empty()) out += "; also " + escaped(option.compatible.variable);
    if (!option.fallback.empty()) out += ". Default: " + escaped(option.fallback);
    out += ".\n";
  }
}

}  // namespace

std::string manual_page() {
  std::string out =
      ".TH GHMESH 1 \"\" " + argument(std::string("ghmesh ") + GHMESH_VERSION) +
      " \"User Commands\"\n"
      ".SH NAME\nghmesh \\- a cache for the GitHub API that a whole CI fleet shares\n"
      ".SH SYNOPSIS\n.B ghmesh\n.I COMMAND\n.RI [ flags ]\n.br\n.B ghmesh\n.I COMMAND\n.B \\-\\-help\n"
      ".br\n.B ghmesh \\-\\-version\n"
      ".SH DESCRIPTION\n"
      "One node beside each runner answers gh, Octokit, curl and MCP agents from memory, disk or another\n"
      "runner, and lets GitHub itself prove every shared answer with a 304 that costs no quota.\n"
      ".SH COMMANDS\n";
  for (const Command& command : commands())
    if (!command.hidden) append_command(out, command);
  out += ".SS \"How a node is found\"\n";
  append_text(out, how_a_node_is_found());
  append_settings(out);
  out += ".SH \"EXIT STATUS\"\n";
  append_row(out, "0", "", "done");
  append_row(out, "1", "", "failed");
  append_row(out, "2", "", "wrong usage");
  append_row(out, "3", "", "no node answers");
  out += ".PP\n.B ghmesh run\npasses on the exit status of its command.\n";
  out += ".SH \"SEE ALSO\"\n.BR gh (1),\n.BR curl (1)\n";
  return out;
}

}  // namespace ghmesh::cli
