// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <utility>

namespace ghmesh::log {
namespace {

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      // Control characters and everything outside ASCII: escaped bytewise, so that no input can break the line or the
      // reader's terminal, whether or not it is UTF-8.
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      out.append(escaped);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return true;
  }
  return false;
}

void append_value(std::string& out, const Value& value, Format format) {
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    if (format == Format::Json || needs_quotes(*text)) {
      append_json_string(out, *text);
    } else {
      out.append(*text);
    }
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    out.append(*flag ? "true" : "false");
  } else if (const auto* number = std::get_if<double>(&value)) {
    char buffer[40];
    std::snprintf(buffer, sizeof buffer, "%.6g", std::isfinite(*number) ? *number : 0.0);
    out.append(buffer);
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    out.append(std::to_string(*integer));
  } else {
    out.append(std::to_string(std::get<std::uint64_t>(value)));
  }
}

void append_time(std::string& out, Format format) {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32];
  std::strftime(date, sizeof date, format == Format::Json ? "%Y-%m-%dT%H:%M:%S" : "%H:%M:%S", &utc);
  char all[48];
  std::snprintf(all, sizeof all, "%s.%03d%s", date, static_cast<int>(millis), format == Format::Json ? "Z" : "");
  out.append(all);
}

}  // namespace

struct Logger::State {
  Level level = Level::Off;
  Format format = Format::Text;
  Sink sink;
};

std::optional<Level> parse_level(std::string_view text) {
  if (text == "debug") return Level::Debug;
  if (text == "info") return Level::Info;
  if (text == "warn") return Level::Warn;
  if (text == "error") return Level::Error;
  if (text == "off") return Level::Off;
  return std::nullopt;
}

std::optional<Format> parse_format(std::string_view text) {
  if (text == "text") return Format::Text;
  if (text == "json") return Format::Json;
  return std::nullopt;
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warn: return "warn";
    case Level::Error: return "error";
    case Level::Off: return "off";
  }
  return "off";
}

Logger::Logger() : state_(std::make_shared<State>()) {}

Logger::Logger(Level level, Format format, Sink sink)
    : state_(std::make_shared<State>(State{level, format, std::move(sink)})) {}

Logger Logger::to_stderr(Level level, Format format) {
  return Logger(level, format, [](std::string_view line) {
    // One write a line keeps lines of several threads and processes whole; a full or closed pipe loses the line.
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  });
}

bool Logger::enabled(Level level) const { return level >= state_->level && level != Level::Off && state_->sink; }

void Logger::log(Level level, std::string_view event, std::initializer_list<Field> fields) const {
  if (!enabled(level)) return;
  std::string line;
  line.reserve(160);
  if (state_->format == Format::Json) {
    line.append("{\"ts\":\"");
    append_time(line, Format::Json);
    line.append("\",\"level\":\"").append(to_string(level)).append("\",\"event\":");
    append_json_string(line, event);
    for (const Field& field : fields) {
      line.push_back(',');
      append_json_string(line, field.name);
      line.push_back(':');
      append_value(line, field.value, Format::Json);
    }
    line.append("}\n");
  } else {
    append_time(line, Format::Text);
    line.push_back(' ');
    line.append(to_string(level));
    line.append(level == Level::Info || level == Level::Warn ? "  " : " ");
    line.append(event);
    for (const Field& field : fields) {
      line.push_back(' ');
      line.append(field.name);
      line.push_back('=');
      append_value(line, field.value, Format::Text);
    }
    line.push_back('\n');
  }
  state_->sink(line);
}

}  // namespace ghmesh::log
