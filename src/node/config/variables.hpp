// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

// Environment variables as a value: what configuration reads instead of the process, so that tests hand in their own.
// An empty variable counts as unset, as CI systems pass empty ones for inputs that nobody gave.

namespace ghmesh::node::config {

class Variables {
 public:
  Variables() = default;
  explicit Variables(std::map<std::string, std::string, std::less<>> values) : values_(std::move(values)) {}
  // The process's, copied once. Call before other threads could change them.
  static Variables of_process();

  std::optional<std::string_view> get(std::string_view name) const;
  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// The XDG base directories, without a name of ours: $XDG_CACHE_HOME or $HOME/.cache; nothing when neither is known.
std::optional<std::string> xdg_cache_home(const Variables& variables);
// $XDG_CONFIG_HOME or $HOME/.config.
std::optional<std::string> xdg_config_home(const Variables& variables);
// $XDG_RUNTIME_DIR; it has no default.
std::optional<std::string> xdg_runtime_dir(const Variables& variables);

}  // namespace ghmesh::node::config
