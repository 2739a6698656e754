// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

// Structured log lines: an event name, then fields. Text for people ("12:00:01.123 info  peer joined peer=12D3…
// rtt_ms=3"), JSON for machines; the same call makes both. There is no global logger: whoever builds a thing hands it
// one. A Logger is cheap to copy and may be used from any thread; a line is one write. Secrets cannot be logged because
// crypto::Secret has no conversion to a field.

namespace ghmesh::log {

enum class Level { Debug, Info, Warn, Error, Off };
enum class Format { Text, Json };

std::optional<Level> parse_level(std::string_view text);
std::optional<Format> parse_format(std::string_view text);
std::string_view to_string(Level level);

using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

struct Field {
  std::string_view name;
  Value value;

  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, std::floating_point auto v) : name(n), value(static_cast<double>(v)) {}
  Field(std::string_view n, std::signed_integral auto v) : name(n), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view n, std::unsigned_integral auto v) : name(n), value(static_cast<std::uint64_t>(v)) {}
};

// Takes finished lines, each with its newline.
using Sink = std::function<void(std::string_view line)>;

class Logger {
 public:
  Logger();  // logs nothing
  Logger(Level level, Format format, Sink sink);

  // Writes to standard error.
  static Logger to_stderr(Level level, Format format);

  bool enabled(Level level) const;
  void log(Level level, std::string_view event, std::initializer_list<Field> fields) const;
  void debug(std::string_view event, std::initializer_list<Field> fields = {}) const {
    log(Level::Debug, event, fields);
  }
  void info(std::string_view event, std::initializer_list<Field> fields = {}) const { log(Level::Info, event, fields); }
  void warn(std::string_view event, std::initializer_list<Field> fields = {}) const { log(Level::Warn, event, fields); }
  void error(std::string_view event, std::initializer_list<Field> fields = {}) const {
    log(Level::Error, event, fields);
  }

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

}  // namespace ghmesh::log
