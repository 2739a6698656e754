// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

// Tokens of a GraphQL document (specification of October 2021, §2.1). Private to this room. Ignored tokens (blanks,
// line ends, commas, comments, a byte order mark) are skipped. Views point into the document.

namespace ghmesh::github::graphql {

enum class TokenKind : std::uint8_t { End, Punctuator, Name, Int, Float, String, BlockString, Error };

struct Token {
  TokenKind kind = TokenKind::End;
  std::string_view text;  // as written, strings with their quotes

  bool is(std::string_view punctuator) const { return kind == TokenKind::Punctuator && text == punctuator; }
  bool is_name(std::string_view name) const { return kind == TokenKind::Name && text == name; }
};

class Lexer {
 public:
  explicit Lexer(std::string_view document) : rest_(document) {}
  // Error for ever once something is not a token; End for ever at the end.
  Token next();

 private:
  void skip_ignored();
  Token take(TokenKind kind, std::size_t size);
  Token number();
  Token string();
  Token block_string();

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace ghmesh::github::graphql
