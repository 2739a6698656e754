// SPDX-License-Identifier: Apache-2.0
#include "job_output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/bytes.hpp"

namespace ghmesh::cli {

namespace {

bool is_name(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (const char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

std::string text_of(const node::config::Variables& variables, std::string_view name) {
  return std::string(variables.get(name).value_or(std::string_view()));
}

std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return out;
}

}  // namespace

Result<std::string> heredoc(std::string_view name, std::string_view value, std::string_view delimiter) {
  if (!is_name(name)) return fail(ErrorCode::Malformed, "'" + std::string(name) + "' is no name of a variable");
  if (value.find(delimiter) != std::string_view::npos)
    return fail(ErrorCode::Malformed, std::string(name) + " holds the delimiter of the file it goes to");
  std::string out(name);
  out.append("<<").append(delimiter).append("\n").append(value).append("\n").append(delimiter).append("\n");
  return out;
}

std::string shell_quoted(std::string_view value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string command_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '%': out += "%25"; break;
      case '\r': out += "%0D"; break;
      case '\n': out += "%0A"; break;
      default: out += c;
    }
  }
  return out;
}

JobOutput::JobOutput(const node::config::Variables& variables, std::ostream& out, std::ostream& err, Random& random)
    : env_file_(text_of(variables, "GITHUB_ENV")),
      output_file_(text_of(variables, "GITHUB_OUTPUT")),
      summary_file_(text_of(variables, "GITHUB_STEP_SUMMARY")),
      actions_(!env_file_.empty()),
      out_(out),
      err_(err),
      random_(random) {}

Result<> JobOutput::append_text(std::string_view path, std::string_view text) {
  const std::string name(path);
  const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return fail_errno(errno, name);
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      auto failure = fail_errno(errno, "writing " + name);
      ::close(fd);
      return failure;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  ::close(fd);
  return {};
}

Result<> JobOutput::append(std::string_view path, const VariableMap& values) {
  // All or nothing: half an environment would point some clients at the node and others not.
  std::string text;
  for (const auto& [name, value] : values) {
    std::uint8_t raw[16];
    random_.fill(raw);
    Result<std::string> entry = heredoc(name, value, "ghmesh_" + to_hex(raw));
    if (!entry) return std::unexpected(std::move(entry.error()));
    text += *entry;
  }
  return append_text(path, text);
}

Result<> JobOutput::set_variables(const VariableMap& values) {
  if (actions_) return append(env_file_, values);
  for (const auto& [name, value] : values) out_ << "export " << name << "=" << shell_quoted(value) << "\n";
  return {};
}

Result<> JobOutput::unset_variables(const std::vector<std::string>& names) {
  if (!actions_) {
    for (const std::string& name : names) out_ << "unset " << name << "\n";
    return {};
  }
  VariableMap empties;
  for (const std::string& name : names) empties[name] = "";
  return append(env_file_, empties);
}

Result<> JobOutput::set_outputs(const VariableMap& values) {
  return output_file_.empty() ? Result<>() : append(output_file_, values);
}

Result<> JobOutput::append_summary(std::string_view markdown) {
  return summary_file_.empty() ? Result<>() : append_text(summary_file_, markdown);
}

void JobOutput::mask(std::string_view secret) {
  if (actions_ && !secret.empty()) out_ << "::add-mask::" << command_text(secret) << std::endl;
}

void JobOutput::warn(std::string_view text) {
  if (actions_) {
    out_ << "::warning title=ghmesh::" << command_text(text) << std::endl;
  } else {
    err_ << "ghmesh: " << one_line(text) << std::endl;
  }
}

void JobOutput::say(std::string_view text) { (actions_ ? out_ : err_) << "ghmesh: " << one_line(text) << std::endl; }

}  // namespace ghmesh::cli
