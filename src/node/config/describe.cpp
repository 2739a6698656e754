// SPDX-License-Identifier: Apache-2.0
// The table of settings as text for people.
#include "node/config/options.hpp"

namespace ghmesh::node::config {

namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kIndent = 34;

// text from column kIndent on, broken at spaces.
void append_wrapped(std::string& out, std::string_view text, std::size_t column) {
  if (column + 2 > kIndent) {
    out += '\n';
    column = 0;
  }
  out.append(kIndent - column, ' ');
  std::size_t used = kIndent;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (used > kIndent && used + 1 + word.size() > kColumns) {
      out += '\n';
      out.append(kIndent, ' ');
      used = kIndent;
    } else if (used > kIndent) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  out += '\n';
}

}  // namespace

std::string describe_options() {
  std::string out;
  std::string_view group;
  for (const Option& option : options()) {
    if (option.group != group) {
      group = option.group;
      out += out.empty() ? "" : "\n";
      out += std::string(group) + ":\n";
    }
    std::string head = "  --" + std::string(option.flag) + ' ' + std::string(option.notation);
    if (option.many) head += "…";
    std::string text(option.meaning);
    if (!option.fallback.empty()) text += " [" + std::string(option.fallback) + "]";
    if (!option.compatible.variable.empty()) text += " (also " + std::string(option.compatible.variable) + ")";
    out += head;
    append_wrapped(out, text, head.size() - (option.many ? 2 : 0));
  }
  return out;
}

}  // namespace ghmesh::node::config
