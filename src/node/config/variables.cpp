// SPDX-License-Identifier: Apache-2.0
#include "node/config/variables.hpp"

#include <unistd.h>

namespace ghmesh::node::config {

namespace {

// The specification wants relative paths in these variables to be ignored.
std::optional<std::string> absolute(std::optional<std::string_view> path) {
  if (!path || !path->starts_with('/')) return std::nullopt;
  return std::string(*path);
}

std::optional<std::string> base_directory(const Variables& variables, std::string_view name, std::string_view below) {
  if (auto given = absolute(variables.get(name))) return given;
  if (auto home = absolute(variables.get("HOME"))) return *home + std::string(below);
  return std::nullopt;
}

}  // namespace

Variables Variables::of_process() {
  std::map<std::string, std::string, std::less<>> values;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) values.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return Variables(std::move(values));
}

std::optional<std::string_view> Variables::get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::optional<std::string> xdg_cache_home(const Variables& variables) {
  return base_directory(variables, "XDG_CACHE_HOME", "/.cache");
}

std::optional<std::string> xdg_config_home(const Variables& variables) {
  return base_directory(variables, "XDG_CONFIG_HOME", "/.config");
}

std::optional<std::string> xdg_runtime_dir(const Variables& variables) {
  return absolute(variables.get("XDG_RUNTIME_DIR"));
}

}  // namespace ghmesh::node::config
