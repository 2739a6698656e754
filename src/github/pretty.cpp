// SPDX-License-Identifier: Apache-2.0
#include "github/pretty.hpp"

#include <array>

#include "github/limits.hpp"

namespace ghmesh::github {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Writes while it reads. What it expects next is a small state, the open brackets are a bounded stack; so no input
// makes it recurse or allocate beyond its output.
class Printer {
 public:
  explicit Printer(std::string_view in) : in_(in) { out_.reserve(in.size() * 3 / 2 + 16); }

  std::optional<std::string> run() {
    if (!value()) return std::nullopt;
    while (depth_ > 0)
      if (!member()) return std::nullopt;
    skip();
    if (at_ != in_.size()) return std::nullopt;
    out_ += '\n';
    return std::move(out_);
  }

 private:
  struct Level {
    bool object = false;
    bool empty = true;
  };

  void skip() {
    while (at_ < in_.size() && is_blank(in_[at_])) ++at_;
  }
  char peek() const { return at_ < in_.size() ? in_[at_] : '\0'; }
  void new_line(std::size_t levels) {
    out_ += '\n';
    out_.append(levels * 2, ' ');
  }

  // The next member of the innermost bracket, or its end.
  bool member() {
    Level& level = stack_[depth_ - 1];
    skip();
    const char close = level.object ? '}' : ']';
    if (peek() == close) {
      ++at_;
      if (level.empty) out_ += '\n';
      new_line(--depth_);
      out_ += close;
      return true;
    }
    if (!level.empty) {
      if (peek() != ',') return false;
      ++at_;
      out_ += ',';
      skip();
    }
    level.empty = false;
    new_line(depth_);
    if (level.object) {
      if (!string()) return false;
      skip();
      if (peek() != ':') return false;
      ++at_;
      out_ += ": ";
    }
    return value();
  }

  bool value() {
    skip();
    const char c = peek();
    if (c == '{' || c == '[') {
      if (depth_ == stack_.size()) return false;
      stack_[depth_++] = Level{c == '{', true};
      out_ += c;
      ++at_;
      return true;
    }
    if (c == '"') return string();
    if (c == '-' || is_digit(c)) return number();
    return literal("true") || literal("false") || literal("null");
  }

  bool literal(std::string_view word) {
    if (!in_.substr(at_).starts_with(word)) return false;
    out_ += word;
    at_ += word.size();
    return true;
  }

  bool string() {
    if (peek() != '"') return false;
    for (std::size_t i = at_ + 1; i < in_.size(); ++i) {
      if (static_cast<unsigned char>(in_[i]) < 0x20) return false;
      if (in_[i] == '\\') {
        ++i;
      } else if (in_[i] == '"') {
        out_.append(in_.substr(at_, i + 1 - at_));
        at_ = i + 1;
        return true;
      }
    }
    return false;
  }

  std::size_t digits(std::size_t from) const {
    while (from < in_.size() && is_digit(in_[from])) ++from;
    return from;
  }

  bool number() {
    std::size_t end = at_ + (peek() == '-' ? 1 : 0);
    const std::size_t whole = end;
    end = digits(end);
    if (end == whole || (in_[whole] == '0' && end > whole + 1)) return false;
    if (end < in_.size() && in_[end] == '.') {
      const std::size_t fraction = digits(end + 1);
      if (fraction == end + 1) return false;
      end = fraction;
    }
    if (end < in_.size() && (in_[end] | 0x20) == 'e') {
      std::size_t exponent = end + 1;
      if (exponent < in_.size() && (in_[exponent] == '+' || in_[exponent] == '-')) ++exponent;
      const std::size_t stop = digits(exponent);
      if (stop == exponent) return false;
      end = stop;
    }
    out_.append(in_.substr(at_, end - at_));
    at_ = end;
    return true;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  std::array<Level, kLimits.max_json_depth> stack_{};
  std::size_t depth_ = 0;
};

}  // namespace

bool wants_pretty(std::string_view user_agent) {
  for (const std::string_view name : {"curl", "Wget", "Safari", "Firefox"})
    if (user_agent.find(name) != std::string_view::npos) return true;
  return false;
}

std::optional<std::string> pretty_print(std::string_view compact) { return Printer(compact).run(); }

}  // namespace ghmesh::github
