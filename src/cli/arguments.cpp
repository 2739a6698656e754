// SPDX-License-Identifier: Apache-2.0
#include "arguments.hpp"

#include <numeric>

#include "node/config/options.hpp"

namespace ghmesh::cli {

namespace {

// What a flag's name stands for, wherever it is declared.
struct Known {
  std::string name;
  bool takes_value = false;
  bool setting = false;
};

std::optional<Known> find_flag(const ArgumentRules& rules, std::string_view name, char letter) {
  for (const FlagSpec& spec : rules.flags) {
    if (letter != 0 ? spec.letter == letter : spec.name == name)
      return Known{std::string(spec.name), !spec.notation.empty(), false};
  }
  if (!rules.node_settings || letter != 0) return std::nullopt;
  if (name == "config" || node::config::find_option(name) != nullptr) return Known{std::string(name), true, true};
  return std::nullopt;
}

std::unexpected<Error> unknown_flag(const ArgumentRules& rules, std::string_view word, std::string_view name) {
  std::vector<std::string> names{"help"};
  for (const FlagSpec& spec : rules.flags) names.emplace_back(spec.name);
  if (rules.node_settings) {
    names.emplace_back("config");
    for (const auto& option : node::config::options()) names.emplace_back(option.flag);
  }
  std::string message = std::string(word) + ": no such flag";
  if (const auto near = closest(name, names)) message += "; did you mean --" + *near + "?";
  return fail(ErrorCode::Malformed, std::move(message));
}

class Parser {
 public:
  Parser(const ArgumentRules& rules, std::span<const std::string> words) : rules_(rules), words_(words) {}

  Result<Arguments> run() {
    while (at_ < words_.size() && !ended_) {
      if (Result<> done = word(words_[at_++]); !done) return std::unexpected(std::move(done.error()));
    }
    for (; at_ < words_.size(); ++at_) out_.operands.push_back(words_[at_]);
    if (!out_.help && (out_.operands.size() < rules_.operands_min || out_.operands.size() > rules_.operands_max))
      return fail(ErrorCode::Malformed, operand_complaint());
    return std::move(out_);
  }

 private:
  std::string operand_complaint() const {
    if (out_.operands.size() < rules_.operands_min) return "needs " + std::string(rules_.operands);
    return "'" + out_.operands[rules_.operands_max] + "' is one argument too many";
  }

  Result<> word(const std::string& text) {
    if (rules_.verbatim && text != "--help" && text != "-h") {
      ended_ = true;
      out_.operands.push_back(text);
      return {};
    }
    if (text == "--") {
      ended_ = true;
      return {};
    }
    if (text.starts_with("--")) return long_flag(text);
    if (text.size() > 1 && text.front() == '-') return short_flag(text);
    out_.operands.push_back(text);
    ended_ = rules_.runs_command;
    return {};
  }

  Result<> long_flag(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (name == "help" && equals == std::string::npos) {
      out_.help = true;
      return {};
    }
    const auto known = find_flag(rules_, name, 0);
    if (!known) return unknown_flag(rules_, "--" + name, name);
    std::optional<std::string> value;
    if (equals != std::string::npos) value = text.substr(equals + 1);
    return take(*known, "--" + name, std::move(value));
  }

  Result<> short_flag(const std::string& text) {
    if (text == "-h") {
      out_.help = true;
      return {};
    }
    const auto known = find_flag(rules_, "", text[1]);
    if (!known) return unknown_flag(rules_, text, text.substr(1));
    std::optional<std::string> value;
    if (text.size() > 2) value = text.substr(2);
    return take(*known, text.substr(0, 2), std::move(value));
  }

  Result<> take(const Known& known, const std::string& shown, std::optional<std::string> value) {
    if (!known.takes_value && value) return fail(ErrorCode::Malformed, shown + ": takes no value");
    if (known.takes_value && !value) {
      if (at_ >= words_.size()) return fail(ErrorCode::Malformed, shown + ": needs a value");
      value = words_[at_++];
    }
    auto& to = known.setting ? out_.settings : out_.flags;
    to.emplace_back(known.name, value.value_or(""));
    return {};
  }

  const ArgumentRules& rules_;
  std::span<const std::string> words_;
  std::size_t at_ = 0;
  bool ended_ = false;
  Arguments out_;
};

// Levenshtein's distance, for words of a few characters.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
    }
  }
  return row[b.size()];
}

}  // namespace

bool Arguments::has(std::string_view name) const { return get(name).has_value(); }

std::optional<std::string> Arguments::get(std::string_view name) const {
  std::optional<std::string> value;
  for (const auto& [flag, text] : flags) {
    if (flag == name) value = text;
  }
  return value;
}

std::vector<std::string> Arguments::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [flag, text] : flags) {
    if (flag == name) values.push_back(text);
  }
  return values;
}

Result<Arguments> parse_arguments(const ArgumentRules& rules, std::span<const std::string> words) {
  return Parser(rules, words).run();
}

std::optional<std::string> closest(std::string_view word, std::span<const std::string> candidates) {
  // A third of the word may be wrong: "stat" is stats, "xyz" is nothing.
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const std::size_t d = word.size() > 40 ? best : distance(word, candidate);
    if (d < best) {
      best = d;
      found = candidate;
    }
  }
  return found;
}

}  // namespace ghmesh::cli
