// SPDX-License-Identifier: Apache-2.0
#include "graphql_lexer.hpp"

namespace ghmesh::github::graphql {
namespace {

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// §2.1.1: HTAB, LF, CR and everything from U+0020; bytes above ASCII are parts of UTF-8 characters.
bool is_source_character(char c) {
  return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

void Lexer::skip_ignored() {
  while (!rest_.empty()) {
    const char c = rest_.front();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',') {
      rest_.remove_prefix(1);
    } else if (c == '#') {
      std::size_t end = 1;
      while (end < rest_.size() && rest_[end] != '\n' && rest_[end] != '\r') {
        if (!is_source_character(rest_[end])) failed_ = true;
        ++end;
      }
      rest_.remove_prefix(end);
    } else if (rest_.starts_with("\xef\xbb\xbf")) {
      rest_.remove_prefix(3);
    } else {
      return;
    }
  }
}

Token Lexer::take(TokenKind kind, std::size_t size) {
  const Token token{kind, rest_.substr(0, size)};
  if (kind == TokenKind::Error) failed_ = true;
  rest_.remove_prefix(size);
  return token;
}

Token Lexer::next() {
  if (!failed_) skip_ignored();
  if (failed_) return {TokenKind::Error, {}};
  if (rest_.empty()) return {};
  const char c = rest_.front();
  if (is_name_start(c)) {
    std::size_t end = 1;
    while (end < rest_.size() && (is_name_start(rest_[end]) || is_digit(rest_[end]))) ++end;
    return take(TokenKind::Name, end);
  }
  if (is_digit(c) || c == '-') return number();
  if (rest_.starts_with("\"\"\"")) return block_string();
  if (c == '"') return string();
  if (rest_.starts_with("...")) return take(TokenKind::Punctuator, 3);
  if (std::string_view("!$&():=@[]{|}").find(c) != std::string_view::npos) return take(TokenKind::Punctuator, 1);
  return take(TokenKind::Error, 0);
}

// §2.9.1, §2.9.2. A number must not be followed by a digit, a dot or the start of a name.
Token Lexer::number() {
  std::size_t end = rest_.front() == '-' ? 1 : 0;
  const std::size_t whole = end;
  while (end < rest_.size() && is_digit(rest_[end])) ++end;
  if (end == whole || (rest_[whole] == '0' && end > whole + 1)) return take(TokenKind::Error, 0);
  TokenKind kind = TokenKind::Int;
  if (end < rest_.size() && rest_[end] == '.') {
    const std::size_t fraction = ++end;
    while (end < rest_.size() && is_digit(rest_[end])) ++end;
    if (end == fraction) return take(TokenKind::Error, 0);
    kind = TokenKind::Float;
  }
  if (end < rest_.size() && (rest_[end] == 'e' || rest_[end] == 'E')) {
    ++end;
    if (end < rest_.size() && (rest_[end] == '+' || rest_[end] == '-')) ++end;
    const std::size_t exponent = end;
    while (end < rest_.size() && is_digit(rest_[end])) ++end;
    if (end == exponent) return take(TokenKind::Error, 0);
    kind = TokenKind::Float;
  }
  if (end < rest_.size() && (rest_[end] == '.' || is_name_start(rest_[end]) || is_digit(rest_[end])))
    return take(TokenKind::Error, 0);
  return take(kind, end);
}

// §2.9.4.
Token Lexer::string() {
  std::size_t i = 1;
  while (i < rest_.size()) {
    const char c = rest_[i];
    if (c == '"') return take(TokenKind::String, i + 1);
    if (c == '\n' || c == '\r' || !is_source_character(c)) break;
    if (c == '\\') {
      ++i;
      if (i >= rest_.size()) break;
      if (rest_[i] == 'u') {
        if (i + 4 >= rest_.size()) break;
        for (std::size_t k = 1; k <= 4; ++k)
          if (!is_hex(rest_[i + k])) return take(TokenKind::Error, 0);
        i += 4;
      } else if (std::string_view("\"\\/bfnrt").find(rest_[i]) == std::string_view::npos) {
        break;
      }
    }
    ++i;
  }
  return take(TokenKind::Error, 0);
}

Token Lexer::block_string() {
  std::size_t i = 3;
  while (i < rest_.size()) {
    const std::string_view here = rest_.substr(i);
    if (here.starts_with("\"\"\"")) return take(TokenKind::BlockString, i + 3);
    if (here.starts_with("\\\"\"\"")) {
      i += 4;
    } else if (is_source_character(rest_[i])) {
      ++i;
    } else {
      break;
    }
  }
  return take(TokenKind::Error, 0);
}

}  // namespace ghmesh::github::graphql
