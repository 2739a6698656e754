// SPDX-License-Identifier: Apache-2.0
#include "gh_config.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "node/config/config.hpp"

namespace ghmesh::cli {

namespace {

constexpr std::string_view kKey = "http_unix_socket";

// The next line of text with its line end; text moves behind it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end == std::string_view::npos ? end : end + 1);
  text.remove_prefix(line.size());
  return line;
}

std::string_view stripped(std::string_view line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
    line.remove_suffix(1);
  return line;
}

bool is_blank_or_comment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos || line[first] == '#';
}

// Whether a top-level line gives the key, plain or quoted.
bool gives_socket(std::string_view line) {
  if (!line.empty() && (line.front() == '"' || line.front() == '\'')) {
    const char quote = line.front();
    line.remove_prefix(1);
    if (!line.starts_with(kKey) || line.size() <= kKey.size() || line[kKey.size()] != quote) return false;
    line.remove_prefix(kKey.size() + 1);
  } else {
    if (!line.starts_with(kKey)) return false;
    line.remove_prefix(kKey.size());
  }
  const std::size_t colon = line.find_first_not_of(" \t");
  return colon != std::string_view::npos && line[colon] == ':';
}

std::string socket_line(std::string_view path) {
  std::string out(kKey);
  out += ": '";
  for (const char c : path) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'\n";
}

Result<> write_private(const std::string& path, std::string_view text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail_errno(errno, "making " + path);
  Result<> done;
  while (!text.empty() && done) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      done = fail_errno(errno, "writing " + path);
    } else {
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  return done;
}

}  // namespace

std::optional<std::string> gh_config_dir(const node::config::Variables& variables) {
  if (const auto given = variables.get("GH_CONFIG_DIR")) return std::string(*given);
  if (const auto home = node::config::xdg_config_home(variables)) return *home + "/gh";
  return std::nullopt;
}

Result<std::string> with_unix_socket(std::string_view yaml, std::string_view path) {
  if (yaml.starts_with("\xEF\xBB\xBF")) yaml.remove_prefix(3);
  std::string out;
  bool placed = false;
  bool skipping = false;  // within the value of a line that was left out
  while (!yaml.empty()) {
    const std::string_view line = take_line(yaml);
    const std::string_view bare = stripped(line);
    const bool indented = !bare.empty() && (bare.front() == ' ' || bare.front() == '\t');
    if (skipping && indented) continue;
    skipping = false;
    if (is_blank_or_comment(line)) {
      out += line;
      continue;
    }
    if (!placed) {
      // gh writes an empty mapping as {}.
      if (bare == "{}") continue;
      const bool document = bare == "---";
      if (!document && (indented || std::string_view("{[-!&*|>%?").find(bare.front()) != std::string_view::npos))
        return fail(ErrorCode::Unsupported, "gh's config.yml is not written as plain lines");
      if (document) out += line;
      out += socket_line(path);
      placed = true;
      if (document) continue;
    }
    if (bare == "---" || bare == "...")
      return fail(ErrorCode::Unsupported, "gh's config.yml holds more than one document");
    if (!indented && gives_socket(bare)) {
      skipping = true;
      continue;
    }
    out += line;
  }
  if (!placed) {
    if (!out.empty() && !out.ends_with('\n')) out += '\n';
    out += socket_line(path);
  }
  return out;
}

Result<> copy_gh_config(const std::optional<std::string>& from, const std::string& to, std::string_view socket) {
  if (::mkdir(to.c_str(), 0700) != 0) return fail_errno(errno, "making " + to);
  std::string config;
  std::error_code error;
  if (from) {
    for (const auto& entry : std::filesystem::directory_iterator(*from, error)) {
      if (!entry.is_regular_file(error)) continue;
      const std::string name = entry.path().filename();
      Result<std::string> text = node::config::read_small_file(entry.path());
      if (!text) return std::unexpected(std::move(text.error()));
      if (name == "config.yml") {
        config = std::move(*text);
      } else if (Result<> done = write_private(to + "/" + name, *text); !done) {
        return done;
      }
    }
  }
  Result<std::string> changed = with_unix_socket(config, socket);
  if (!changed) return std::unexpected(std::move(changed.error()));
  return write_private(to + "/config.yml", *changed);
}

}  // namespace ghmesh::cli
