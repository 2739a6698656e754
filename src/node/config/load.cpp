// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstdio>
#include <memory>

#include "defaults.hpp"
#include "node/config/config.hpp"
#include "node/config/options.hpp"
#include "toml_file.hpp"

namespace ghmesh::node::config {

namespace {

enum class Rank { Flag, Variable, Compatible, File, Default };

// The values that win for one row, and where they came from.
struct Given {
  std::vector<std::string> values;
  std::string source = "default";
  Rank rank = Rank::Default;
};

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) out.emplace_back(part);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

class Loader {
 public:
  explicit Loader(const Inputs& inputs) : inputs_(inputs) {}

  Result<Loaded> run() {
    if (Result<> done = check_names(); !done) return std::unexpected(std::move(done.error()));
    if (Result<> done = read_toml(); !done) return std::unexpected(std::move(done.error()));
    for (const Option& option : options()) {
      if (Result<> done = apply(option); !done) return std::unexpected(std::move(done.error()));
    }
    const auto was_given = [this](std::string_view flag) { return given_.at(flag).rank != Rank::Default; };
    if (Result<> done = fill_defaults(out_.config, inputs_.variables, was_given); !done)
      return std::unexpected(std::move(done.error()));
    const auto source_of = [this](std::string_view flag) { return given_.at(flag).source; };
    const Rank secret_rank = given_.at("secret-file").rank;
    const bool strong = secret_rank == Rank::Flag || secret_rank == Rank::Variable;
    if (Result<> done = find_secret(out_.config, inputs_, source_of, strong); !done)
      return std::unexpected(std::move(done.error()));
    describe_derived();
    return std::move(out_);
  }

 private:
  // A misspelt name must not pass in silence: the setting it was meant for would keep its default.
  Result<> check_names() const {
    for (const auto& [flag, value] : inputs_.flags) {
      if (flag != "config" && find_option(flag) == nullptr)
        return fail(ErrorCode::Malformed, "--" + flag + ": no such setting; ghmesh serve --help names them");
    }
    for (const auto& [name, value] : inputs_.variables.all()) {
      if (!name.starts_with("GHMESH_") || value.empty() || is_other_variable(name)) continue;
      bool known = false;
      for (const Option& option : options()) known = known || variable_of(option) == name;
      if (!known) return fail(ErrorCode::Malformed, name + ": no such setting; ghmesh serve --help names them");
    }
    return {};
  }

  std::optional<std::string> last_flag(std::string_view name) const {
    std::optional<std::string> value;
    for (const auto& [flag, text] : inputs_.flags) {
      if (flag == name) value = text;
    }
    return value;
  }

  Result<> read_toml() {
    std::string source = "--config";
    std::optional<std::string> path = last_flag("config");
    if (!path) {
      if (const auto variable = inputs_.variables.get("GHMESH_CONFIG")) {
        path = std::string(*variable);
        source = "GHMESH_CONFIG";
      }
    }
    if (!path) return {};
    Result<std::string> text = inputs_.read_file(*path);
    if (!text) return std::unexpected(std::move(text.error()).with_context(source));
    Result<TomlValues> values = parse_toml(*text);
    if (!values) return std::unexpected(std::move(values.error()).with_context(*path));
    for (const auto& [key, value] : *values) {
      bool known = false;
      for (const Option& option : options()) known = known || option.toml == key;
      if (!known) return fail(ErrorCode::Malformed, *path + ": " + key + ": no such setting");
    }
    toml_ = std::move(*values);
    toml_path_ = *path;
    return {};
  }

  Given choose(const Option& option) const {
    Given given;
    for (const auto& [flag, value] : inputs_.flags) {
      if (flag != option.flag) continue;
      // A later flag replaces an earlier one, or adds where several values are meant.
      if (!option.many) given.values.clear();
      for (std::string& part : parts(option, value)) given.values.push_back(std::move(part));
      given.source = "--" + flag;
      given.rank = Rank::Flag;
    }
    if (given.rank == Rank::Flag) return given;
    const std::string variable = variable_of(option);
    if (const auto value = inputs_.variables.get(variable)) {
      return {parts(option, std::string(*value)), variable, Rank::Variable};
    }
    if (!option.compatible.variable.empty()) {
      if (const auto value = inputs_.variables.get(option.compatible.variable)) {
        if (auto ours = option.compatible.translate(*value, out_.config, inputs_.variables))
          return {parts(option, *ours), std::string(option.compatible.variable), Rank::Compatible};
      }
    }
    if (const auto found = toml_.find(option.toml); found != toml_.end())
      return {found->second, toml_path_ + ": " + found->first, Rank::File};
    if (!option.fallback.empty()) given.values = {std::string(option.fallback)};
    return given;
  }

  static std::vector<std::string> parts(const Option& option, const std::string& value) {
    return option.many ? split(value) : std::vector<std::string>{value};
  }

  Result<> apply(const Option& option) {
    Given given = choose(option);
    if (!option.many && given.values.size() > 1)
      return fail(ErrorCode::Malformed, given.source + ": takes one value, not a list");
    std::string text;
    for (const std::string& value : given.values) text += (text.empty() ? "" : ",") + value;
    // A row without a default leaves its member alone; an emptied list is said, and applied.
    if (!given.values.empty() || (option.many && given.rank != Rank::Default)) {
      if (!option.many && given.values.empty()) return fail(ErrorCode::Malformed, given.source + ": needs a value");
      if (Result<> done = option.apply(out_.config, given.values); !done)
        return std::unexpected(std::move(done.error()).with_context(given.source));
    } else if (given.rank != Rank::Default) {
      return fail(ErrorCode::Malformed, given.source + ": needs a value");
    }
    out_.origins.push_back({option.flag, std::move(text), given.source});
    given_.emplace(option.flag, std::move(given));
    return {};
  }

  // Fills in what defaults came out as. A secret is named by where it is, never by what it is.
  void describe_derived() {
    const Config& config = out_.config;
    for (Origin& origin : out_.origins) {
      if (origin.flag == "secret-file" && config.secret.source != MeshSecret::Source::File) {
        origin.value.clear();
        if (config.secret.source != MeshSecret::Source::None) origin.source = config.secret.from;
      }
      if (origin.flag == "upstream-proxy") {
        origin.value = config.upstream_proxy ? config.upstream_proxy->url() : "none";
        if (config.upstream_proxy && !config.upstream_proxy->source.empty())
          origin.source = config.upstream_proxy->source;
      }
      if (origin.source != "default") continue;
      if (origin.flag == "cache-dir") origin.value = config.cache_dir.value_or("none");
      if (origin.flag == "registry") origin.value = config.registry.value_or("");
      if (origin.flag == "identity") origin.value = config.identity.value_or("");
      if (origin.flag == "mdns") origin.value = config.mdns ? "on" : "off";
    }
  }

  const Inputs& inputs_;
  TomlValues toml_;
  std::string toml_path_;
  std::map<std::string_view, Given> given_;
  Loaded out_;
};

}  // namespace

Result<Loaded> load(const Inputs& inputs) {
  if (inputs.read_file) return Loader(inputs).run();
  const Inputs with_files{inputs.flags, inputs.variables, read_small_file};
  return Loader(with_files).run();
}

Result<std::string> read_small_file(const std::string& path) {
  // Configuration is small; a path that names a device or a huge file is a mistake.
  constexpr std::size_t kMax = 1 << 20;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) return fail_errno(errno, "reading " + path);
  std::string out(kMax + 1, '\0');
  errno = 0;
  const std::size_t size = std::fread(out.data(), 1, out.size(), file.get());
  if (std::ferror(file.get()) != 0) return fail_errno(errno, "reading " + path);
  if (size > kMax) return fail(ErrorCode::Limit, "reading " + path + ": larger than 1 MiB");
  out.resize(size);
  return out;
}

}  // namespace ghmesh::node::config
