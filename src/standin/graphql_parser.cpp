// SPDX-License-Identifier: Apache-2.0
#include "graphql_parser.hpp"

#include <cctype>

namespace ghmesh::standin {
namespace {

constexpr int kMaxDepth = 64;  // far above what clients send; the recursion below needs a bound

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<GraphqlDocument> run() {
    GraphqlDocument document;
    skip();
    while (!done() && !failed_) {
      if (peek() == '{') {
        document.operations.push_back(Operation{"query", "", Json::object(), selections(0)});
      } else if (const std::string word = name(); word == "fragment") {
        const std::string fragment = name();
        expect_word("on");
        name();
        directives();
        document.fragments[fragment] = selections(0);
      } else if (word == "query" || word == "mutation" || word == "subscription") {
        document.operations.push_back(operation(word));
      } else {
        failed_ = true;
      }
    }
    if (failed_ || document.operations.empty())
      return fail(ErrorCode::Malformed, "Parse error on input near offset " + std::to_string(at_), Fault::Client);
    return document;
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }

  void skip() {
    while (!done()) {
      const char c = text_[at_];
      if (c == '#')
        while (!done() && text_[at_] != '\n') ++at_;
      else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',')
        ++at_;
      else
        break;
    }
  }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    skip();
    return true;
  }
  void expect(char c) { failed_ = failed_ || !take(c); }
  void expect_word(std::string_view word) { failed_ = failed_ || name() != word; }

  std::string name() {
    const std::size_t start = at_;
    while (!done() && (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '_')) ++at_;
    std::string out(text_.substr(start, at_ - start));
    if (out.empty()) failed_ = true;
    skip();
    return out;
  }

  Operation operation(const std::string& kind) {
    Operation out;
    out.kind = kind;
    if (peek() != '{' && peek() != '(' && peek() != '@') out.name = name();
    if (take('(')) {
      while (!failed_ && !take(')')) {
        expect('$');
        const std::string variable = name();
        expect(':');
        type();
        if (take('=')) out.defaults[variable] = value(0);
        directives();
      }
    }
    directives();
    out.selections = selections(0);
    return out;
  }

  void type() {
    if (take('[')) {
      type();
      expect(']');
    } else {
      name();
    }
    take('!');
  }

  std::map<std::string, Json> directives() {
    std::map<std::string, Json> out;
    while (!failed_ && take('@')) {
      const std::string directive = name();
      out[directive] = arguments();
    }
    return out;
  }

  Json arguments() {
    Json out = Json::object();
    if (!take('(')) return out;
    while (!failed_ && !take(')')) {
      const std::string argument = name();
      expect(':');
      out[argument] = value(0);
    }
    return out;
  }

  std::vector<Selection> selections(int depth) {
    std::vector<Selection> out;
    if (depth > kMaxDepth) failed_ = true;
    expect('{');
    while (!failed_ && !take('}')) out.push_back(selection(depth));
    return out;
  }

  Selection selection(int depth) {
    Selection s;
    if (text_.substr(at_, 3) == "...") {
      at_ += 3;
      skip();
      if (peek() == '{' || peek() == '@') {
        s.kind = Selection::Kind::Inline;
      } else if (const std::string word = name(); word == "on") {
        s.kind = Selection::Kind::Inline;
        s.name = name();
      } else {
        s.kind = Selection::Kind::Spread;
        s.name = word;
      }
      s.directives = directives();
      if (s.kind == Selection::Kind::Inline) s.selections = selections(depth + 1);
      return s;
    }
    s.name = name();
    s.alias = s.name;
    if (take(':')) s.name = name();
    s.arguments = arguments();
    s.directives = directives();
    if (peek() == '{') s.selections = selections(depth + 1);
    return s;
  }

  Json value(int depth) {
    if (depth > kMaxDepth) failed_ = true;
    if (failed_) return nullptr;
    const char c = peek();
    if (take('$')) return Json{{"$", name()}};
    if (c == '"') return string();
    if (take('[')) {
      Json out = Json::array();
      while (!failed_ && !take(']')) out.push_back(value(depth + 1));
      return out;
    }
    if (take('{')) {
      Json out = Json::object();
      while (!failed_ && !take('}')) {
        const std::string key = name();
        expect(':');
        out[key] = value(depth + 1);
      }
      return out;
    }
    if (c == '-' || std::isdigit(static_cast<unsigned char>(c))) return number();
    const std::string word = name();
    if (word == "true") return true;
    if (word == "false") return false;
    if (word == "null") return nullptr;
    return word;
  }

  Json number() {
    const std::size_t start = at_;
    while (!done() &&
           (std::isalnum(static_cast<unsigned char>(peek())) || peek() == '-' || peek() == '+' || peek() == '.'))
      ++at_;
    Json out = parse_json(text_.substr(start, at_ - start));
    skip();
    failed_ = failed_ || !out.is_number();
    return out;
  }

  Json string() {
    std::string out;
    if (text_.substr(at_, 3) == "\"\"\"") {
      const std::size_t end = text_.find("\"\"\"", at_ + 3);
      if (end == std::string_view::npos) {
        failed_ = true;
        return nullptr;
      }
      out = std::string(text_.substr(at_ + 3, end - at_ - 3));
      at_ = end + 3;
      skip();
      return out;
    }
    // Escapes are JSON's, so JSON's reader decodes them.
    const std::size_t start = at_++;
    while (!done() && peek() != '"') at_ += peek() == '\\' ? 2 : 1;
    if (done()) {
      failed_ = true;
      return nullptr;
    }
    ++at_;
    Json decoded = parse_json(text_.substr(start, at_ - start));
    skip();
    failed_ = failed_ || !decoded.is_string();
    return decoded;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

Result<GraphqlDocument> parse_graphql(std::string_view text) { return Parser(text).run(); }

}  // namespace ghmesh::standin
