// SPDX-License-Identifier: Apache-2.0
#include "http/message/structured.hpp"

namespace ghmesh::http {
namespace {

constexpr std::size_t kMaxMembers = 64;  // a field line of 16 KiB could hold thousands; directives are a dozen

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_tchar(char c) {
  return is_digit(c) || is_alpha(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<std::vector<StructuredMember>> dictionary() {
    std::vector<StructuredMember> members;
    skip_spaces();
    while (!text_.empty()) {
      StructuredMember member;
      if (!key(member.key) || !member_value(member)) return std::nullopt;
      if (!put(members, std::move(member))) return std::nullopt;
      skip_ows();
      if (text_.empty()) return members;
      if (!take(',')) return std::nullopt;
      skip_ows();
      if (text_.empty()) return std::nullopt;  // a trailing comma
    }
    return members;
  }

 private:
  static bool put(std::vector<StructuredMember>& members, StructuredMember&& member) {
    for (StructuredMember& other : members) {
      if (other.key != member.key) continue;
      other = std::move(member);
      return true;
    }
    members.push_back(std::move(member));
    return members.size() <= kMaxMembers;
  }

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  char front() const { return text_.empty() ? '\0' : text_.front(); }
  void skip_spaces() {
    while (take(' ')) continue;
  }
  void skip_ows() {
    while (take(' ') || take('\t')) continue;
  }

  bool key(std::string& out) {
    if (!is_lower(front()) && front() != '*') return false;
    const auto is_key_char = [](char c) {
      return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
    };
    while (is_key_char(front())) {
      out.push_back(front());
      text_.remove_prefix(1);
    }
    return true;
  }

  bool member_value(StructuredMember& member) {
    if (!take('=')) {
      member.type = StructuredType::Boolean;
      member.integer = 1;
      return parameters();
    }
    if (front() == '(') {
      member.type = StructuredType::InnerList;
      return inner_list() && parameters();
    }
    return bare_item(member) && parameters();
  }

  bool inner_list() {
    text_.remove_prefix(1);
    while (true) {
      skip_spaces();
      if (take(')')) return true;
      StructuredMember ignored;
      if (!bare_item(ignored) || !parameters()) return false;
      if (front() != ' ' && front() != ')') return false;
    }
  }

  bool parameters() {
    while (take(';')) {
      skip_spaces();
      std::string name;
      if (!key(name)) return false;
      StructuredMember ignored;
      if (take('=') && !bare_item(ignored)) return false;
    }
    return true;
  }

  bool bare_item(StructuredMember& out) {
    const char c = front();
    if (c == '-' || is_digit(c)) return number(out);
    if (c == '"') return string(out);
    if (c == '*' || is_alpha(c)) return token(out);
    if (c == ':') return bytes(out);
    if (c == '?') return boolean(out);
    if (c == '@') return date(out);
    if (c == '%') return display_string(out);
    return false;
  }

  bool number(StructuredMember& out) {
    const bool negative = take('-');
    std::size_t whole = 0;
    std::int64_t value = 0;
    while (is_digit(front())) {
      if (++whole > 15) return false;
      value = value * 10 + (front() - '0');
      text_.remove_prefix(1);
    }
    if (whole == 0) return false;
    out.type = StructuredType::Integer;
    out.integer = negative ? -value : value;
    if (front() != '.') return true;
    text_.remove_prefix(1);
    std::size_t fraction = 0;
    while (is_digit(front())) {
      ++fraction;
      text_.remove_prefix(1);
    }
    out.type = StructuredType::Decimal;
    return whole <= 12 && fraction >= 1 && fraction <= 3;
  }

  bool date(StructuredMember& out) {
    text_.remove_prefix(1);
    if (!number(out) || out.type != StructuredType::Integer) return false;
    out.type = StructuredType::Date;
    return true;
  }

  bool string(StructuredMember& out) {
    out.type = StructuredType::String;
    text_.remove_prefix(1);
    while (!text_.empty()) {
      const char c = front();
      text_.remove_prefix(1);
      if (c == '"') return true;
      if (c == '\\') {
        if (!take('"') && !take('\\')) return false;
      } else if (c < 0x20 || c == 0x7f) {
        return false;
      }
    }
    return false;
  }

  bool token(StructuredMember& out) {
    out.type = StructuredType::Token;
    while (is_tchar(front()) || front() == ':' || front() == '/') text_.remove_prefix(1);
    return true;
  }

  bool bytes(StructuredMember& out) {
    out.type = StructuredType::Bytes;
    text_.remove_prefix(1);
    while (is_alpha(front()) || is_digit(front()) || front() == '+' || front() == '/' || front() == '=')
      text_.remove_prefix(1);
    return take(':');
  }

  bool boolean(StructuredMember& out) {
    out.type = StructuredType::Boolean;
    text_.remove_prefix(1);
    if (take('1')) {
      out.integer = 1;
      return true;
    }
    return take('0');
  }

  bool display_string(StructuredMember& out) {
    out.type = StructuredType::DisplayString;
    text_.remove_prefix(1);
    if (!take('"')) return false;
    while (!text_.empty()) {
      const char c = front();
      text_.remove_prefix(1);
      if (c == '"') return true;
      if (c < 0x20 || c == 0x7f) return false;
      if (c != '%') continue;
      const auto is_hex = [](char h) { return is_digit(h) || (h >= 'a' && h <= 'f'); };
      if (text_.size() < 2 || !is_hex(text_[0]) || !is_hex(text_[1])) return false;
      text_.remove_prefix(2);
    }
    return false;
  }

  std::string_view text_;
};

}  // namespace

std::optional<std::vector<StructuredMember>> parse_structured_dictionary(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return Parser(text).dictionary();
}

}  // namespace ghmesh::http
