// SPDX-License-Identifier: Apache-2.0
#include "toml_file.hpp"

// Compiled in here rather than linked: the program is copied to machines that lack the library.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace ghmesh::node::config {

namespace {

std::string at(const std::string& key, const toml::node& node) {
  return key + " (line " + std::to_string(node.source().begin.line) + ")";
}

std::optional<std::string> scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* boolean = node.as_boolean()) return std::string(boolean->get() ? "true" : "false");
  return std::nullopt;
}

Result<std::vector<std::string>> values_of(const std::string& key, const toml::node& node) {
  if (auto text = scalar(node)) return std::vector<std::string>{std::move(*text)};
  std::vector<std::string> values;
  if (const auto* array = node.as_array()) {
    for (const toml::node& element : *array) {
      auto text = scalar(element);
      if (!text) return fail(ErrorCode::Malformed, at(key, element) + ": an array may hold texts only");
      values.push_back(std::move(*text));
    }
    return values;
  }
  return fail(ErrorCode::Malformed, at(key, node) + ": neither a text, a whole number, true or false, nor an array");
}

Result<> read_table(const toml::table& table, const std::string& prefix, TomlValues& out) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    if (const auto* inner = node.as_table(); inner != nullptr && prefix.empty()) {
      if (Result<> done = read_table(*inner, key + '.', out); !done) return done;
      continue;
    }
    Result<std::vector<std::string>> values = values_of(key, node);
    if (!values) return std::unexpected(std::move(values.error()));
    out.emplace(key, std::move(*values));
  }
  return {};
}

}  // namespace

Result<TomlValues> parse_toml(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return fail(ErrorCode::Malformed, "line " + std::to_string(parsed.error().source().begin.line) + ": " +
                                          std::string(parsed.error().description()));
  }
  TomlValues out;
  if (Result<> done = read_table(parsed.table(), "", out); !done) return std::unexpected(std::move(done.error()));
  return out;
}

}  // namespace ghmesh::node::config
